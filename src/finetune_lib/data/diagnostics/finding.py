"""One finding: a code with the place and what fills its texts; rendered late, so that many cost little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from finetune_lib.data.diagnostics.catalogue import Code, Severity, catalogue, words
from finetune_lib.data.diagnostics.quoting import Quote
from finetune_lib.data.diagnostics.shell import filled_for_shell
from finetune_lib.records import NOWHERE, Origin
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language, language

# All rows were read, though a platform would not read the file as it is.
ARRANGEMENT = frozenset({"J204", "J209", "J210", "J211", "J216", "J217"})
# Arguments that repeat what stands in the data, whatever they happen to spell.
QUOTED_ARGS = frozenset(
    ("key", "keys", "role", "name", "column", "columns", "value", "dialect", "model", "text", "fields")
) | {"content", "question", "answer", "names"}


@dataclass(frozen=True, slots=True)
class Diagnostic(Shown):
    """One finding.

    Attributes:
        code: Its kind, as `S309`; see `finetune_lib.explain`.
        origin: The example or line it is about.
        path: The place inside the example as a JSON pointer, as `/messages/1/role`.
        args: What fills the message and the hint.
        severity: `error` (the platform will refuse, or the model will learn the wrong thing), `warning`, `info`.
        related: Other places that it is about, as the first of two equal rows.
        quote: The piece of source to show, where there is one.
        at_shell: Whether the hint names options of the command line, not Python.
    """

    code: str
    origin: Origin = NOWHERE
    path: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = "error"
    related: tuple[Origin, ...] = ()
    quote: Quote | None = None
    at_shell: bool = field(default=False, compare=False, repr=False, kw_only=True)

    @property
    def slug(self) -> str:
        """The readable name of the code."""
        return catalogue()[self.code].slug

    @property
    def message(self) -> str:
        """What is wrong, in the language of the locale."""
        return self.texts().message

    @property
    def hint(self) -> str:
        """What to do next, in the language of the locale."""
        return self.texts().hint

    def texts(self, lang: Language | None = None) -> Code:
        """The code with its texts in a language, filled with what was found."""
        lang = lang or language()
        code = catalogue(lang)[self.code]
        given = {name: _translated(name, value, lang) for name, value in self.args.items()}
        message, mend = code.message.format_map(given), code.mend.format_map(given)
        hint = filled_for_shell(code.hint, given) if self.at_shell else code.hint.format_map(given)
        offered = self.args.get("mendable", True)  # False, or of a single finding another kind of fix
        fix = offered if offered in ("safe", "unsafe") else code.fix if offered else None
        return replace(
            code, severity=self.severity, message=message, hint=hint, mend=mend, fix=fix, at_shell=self.at_shell
        )

    @property
    def cell(self) -> str | None:
        """The spreadsheet cell, where the data came from one."""
        return self.origin.cells.get(self.path or "") or self.origin.cells.get("")

    @property
    def place(self) -> str:
        """The place for people: file, line or cell, and path."""
        return f"{_spot(self.origin, self.cell)}  {self.path}" if self.path else _spot(self.origin, self.cell)

    @property
    def related_places(self) -> tuple[str, ...]:
        """The other places for people."""
        return tuple(_spot(origin, origin.cells.get("")) for origin in self.related)

    def __str__(self) -> str:
        from finetune_lib.data.diagnostics.terminal import lines_of

        return "\n".join(lines_of([([self], 1)], lang=language(), color=False))

    def to_dict(self, *, lang: Language | None = None) -> dict[str, Any]:
        """The finding as plain JSON values, in the shape of `finetune-lib check --json`."""
        texts = self.texts(lang)
        return {
            "code": self.code,
            "slug": self.slug,
            "severity": self.severity,
            "line": self.origin.line,
            "row": self.origin.row,
            "path": self.path,
            "cell": self.cell,
            "message": texts.message,
            "hint": texts.hint,
            "related": [{"line": o.line, "row": o.row, "cell": o.cells.get("")} for o in self.related],
            "fix": {"kind": texts.fix, "description": texts.mend} if texts.fix else None,
        }


def _translated(name: str, value: Any, lang: Language) -> Any:
    """What fills a message; words of our own are translated, what the data says is not.

    A tuple lists things of the data, each with our word for it and what it holds: `案號 (ids, A-17)`.
    """
    if isinstance(value, tuple):
        listed = cast("tuple[tuple[str, str, str], ...]", value)
        return ", ".join(
            f"{thing} ({', '.join(filter(None, (words(lang).get(kind, kind), text)))})" for thing, kind, text in listed
        )
    return words(lang).get(value, value) if isinstance(value, str) and name not in QUOTED_ARGS else value


def _spot(origin: Origin, cell: str | None) -> str:
    where = cell or origin.line or (origin.row and f"row {origin.row}")
    return f"{origin.source}:{where}" if where else origin.source


def place_name(origin: Origin) -> str:
    """A place inside a message, in no language: `faq.jsonl:4`, `問答!B7`."""
    return origin.cells.get("") or f"{origin.source}:{origin.line or origin.row}"


def is_error(diagnostic: Diagnostic) -> bool:
    """Whether a finding must be mended before training."""
    return diagnostic.severity == "error"


def is_loss(diagnostic: Diagnostic) -> bool:
    """Whether a finding of a reader means that a row was not read; some files are only arranged as none may be."""
    return is_error(diagnostic) and (diagnostic.origin.row is not None or diagnostic.code not in ARRANGEMENT)


def diagnose(
    code: str,
    origin: Origin,
    path: str | None = None,
    *,
    related: tuple[Origin, ...] = (),
    quote: Quote | None = None,
    severity: Severity | None = None,
    **args: Any,
) -> Diagnostic:
    """A finding, with the severity that the catalogue gives its code unless another is said."""
    return Diagnostic(code, origin, path, args, severity or catalogue()[code].severity, related, quote)


def name_of(value: object) -> str:
    """What a JSON value is, in JSON's words."""
    names = {
        "str": "text",
        "bool": "true or false",
        "int": "a number",
        "float": "a number",
        "list": "a list",
        "dict": "an object",
    }
    kind = type(value).__name__
    return "null" if value is None else names.get(kind, f"a Python {kind}")


def counted(number: int, what: str) -> str:
    """A number with its noun: `1 error`, `2 errors`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"

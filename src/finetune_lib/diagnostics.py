"""Findings about data: a stable code, a place, a message, a hint; and the report that gathers them.

A diagnostic stores its code and arguments; slug, severity and texts come from `codes.toml`, the one source
that the documentation is made from too. A code never changes its meaning and is never used twice.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, Literal

from finetune_lib.errors import InvalidDatasetError
from finetune_lib.records import NOWHERE, Origin

Severity = Literal["error", "warning", "info"]
SHOWN_PER_CODE = 5


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding, as the catalogue describes it."""

    code: str
    slug: str
    severity: Severity
    message: str
    hint: str


@cache
def catalogue() -> Mapping[str, Code]:
    """All codes, in their order."""
    text = files("finetune_lib").joinpath("codes.toml").read_text(encoding="utf-8")
    return {code: Code(code, **entry) for code, entry in tomllib.loads(text).items()}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: Its kind, as `S309`; see `catalogue()`.
        origin: The example or line it is about.
        path: The place inside the example as a JSON pointer, as `/messages/1/role`.
        args: What fills the message and the hint.
        severity: `error` (the platform will refuse, or the model will learn the wrong thing), `warning`, `info`.
    """

    code: str
    origin: Origin = NOWHERE
    path: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = "error"

    @property
    def slug(self) -> str:
        """The readable name of the code."""
        return catalogue()[self.code].slug

    @property
    def message(self) -> str:
        """What is wrong."""
        return catalogue()[self.code].message.format_map(self.args)

    @property
    def hint(self) -> str:
        """What to do next."""
        return catalogue()[self.code].hint.format_map(self.args)

    @property
    def cell(self) -> str | None:
        """The spreadsheet cell, where the data came from one."""
        return self.origin.cells.get(self.path or "") or self.origin.cells.get("")

    @property
    def place(self) -> str:
        """The place for people: file, line or cell, and path."""
        where = self.cell or self.origin.line or (self.origin.row and f"row {self.origin.row}")
        spot = f"{self.origin.source}:{where}" if where else self.origin.source
        return f"{spot}  {self.path}" if self.path else spot

    @property
    def brief(self) -> str:
        """The finding and its place, without the hint."""
        return f"{self.severity}[{self.code}] {self.message}\n  --> {self.place}"

    def __str__(self) -> str:
        return f"{self.brief}\n   = help: {self.hint}"

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain JSON values, in the shape of `finetune-lib check --json`."""
        return {
            "code": self.code,
            "slug": self.slug,
            "severity": self.severity,
            "line": self.origin.line,
            "row": self.origin.row,
            "path": self.path,
            "cell": self.cell,
            "message": self.message,
            "hint": self.hint,
            "fix": None,
        }


def is_error(diagnostic: Diagnostic) -> bool:
    """Whether a finding must be mended before training."""
    return diagnostic.severity == "error"


def diagnose(code: str, origin: Origin, path: str | None = None, **args: Any) -> Diagnostic:
    """A finding with the severity that the catalogue gives its code."""
    return Diagnostic(code, origin, path, args, catalogue()[code].severity)


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


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a dataset.

    Attributes:
        total: All tokens of all examples, once.
        longest: Tokens of the longest example.
        encoding: What counted them, as `o200k_base`.
        exact: False where the number is an estimate.
    """

    total: int
    longest: int
    encoding: str
    exact: bool

    def __str__(self) -> str:
        return (
            f"{'' if self.exact else 'about '}{self.total:,} tokens ({self.encoding}), longest example {self.longest:,}"
        )


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All findings about a dataset; printing it shows them, `raise_for_errors()` stops a script on errors.

    Attributes:
        source: What was checked.
        examples: How many examples were read.
        diagnostics: The findings: the reader's, the platform's, then those of the examples.
        tokens: Token counts, where they were asked for.
    """

    source: str
    examples: int
    diagnostics: tuple[Diagnostic, ...]
    tokens: TokenCount | None = None

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that must be mended before training."""
        return self._having("error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The findings that will train, but probably not as wished."""
        return self._having("warning")

    def _having(self, severity: Severity) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == severity)

    def raise_for_errors(self) -> ValidationReport:
        """Return the report itself, or raise with all findings in the message.

        Raises:
            InvalidDatasetError: At least one finding is an error.
        """
        if not self.ok:
            raise InvalidDatasetError(str(self), report=self)
        return self

    @property
    def summary(self) -> str:
        """One line: counts of examples, tokens, errors and warnings."""
        counts = f"{counted(len(self.errors), 'error')}, {counted(len(self.warnings), 'warning')}"
        size = counted(self.examples, "example") + (f", {self.tokens}" if self.tokens else "")
        return f"{self.source}: {size}: {counts}"

    def __str__(self) -> str:
        return "\n".join([*_grouped(self.diagnostics), self.summary])

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, in the shape of `finetune-lib check --json`."""
        found = [diagnostic.to_dict() for diagnostic in self.diagnostics]
        return {"ok": self.ok, "examples": self.examples, "diagnostics": found}

    def to_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(self.to_dict())

    def _repr_html_(self) -> str:
        from finetune_lib.rendering.validation import validation_html

        return validation_html(self)


def counted(number: int, what: str) -> str:
    """A number with its noun: `1 error`, `2 errors`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _grouped(diagnostics: Iterable[Diagnostic]) -> Iterable[str]:
    """The findings by code, long runs of one code cut short with the lines of the rest."""
    groups: defaultdict[str, list[Diagnostic]] = defaultdict(list)
    for diagnostic in diagnostics:
        groups[diagnostic.code].append(diagnostic)
    return chain.from_iterable(_run(code, group) for code, group in groups.items())


def _run(code: str, group: list[Diagnostic]) -> Iterable[str]:
    """One code's findings: its hint once, and the lines of those beyond the first few."""
    yield str(group[0])
    yield from (d.brief for d in group[1:SHOWN_PER_CODE])
    if rest := group[SHOWN_PER_CODE:]:
        rows = ", ".join(str(d.cell or d.origin.line or d.origin.row) for d in rest[:20])
        yield f"… and {len(rest)} more {code}, on {rows}{' …' if len(rest) > 20 else ''}"

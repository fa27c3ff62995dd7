"""Write docs/reference/api.md and docs/reference/diagnostics.md from the code; `--check` only compares."""

from __future__ import annotations

import inspect
import re
import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import finetune_lib
from finetune_lib.diagnostics import Code, catalogue

REFERENCE = Path(__file__).parent / "reference"
NOTE = "This page is written by `docs/generate.py` from the code; do not edit it by hand.\n"
FAMILIES = {
    "E": "File and encoding",
    "J": "JSON",
    "T": "Tables",
    "S": "Shape of a row",
    "C": "Conversation",
    "F": "Tools",
    "P": "Methods",
    "K": "Limits of platform and model",
    "D": "Duplicates",
}
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Example):$", re.MULTILINE)
ITEM = re.compile(r"^    (\w+): ", re.MULTILINE)
LONGEST = 100


@dataclass(frozen=True)
class Written:
    """An annotation shown as it stands in the code."""

    text: str

    def __repr__(self) -> str:
        return self.text


def signature(name: str, function: Any) -> str:
    """The call in a fence, one parameter a line where it is long."""
    found = inspect.signature(function)
    shown = [_written(p) for p in found.parameters.values() if p.name not in {"self", "cls"}]
    known = isinstance(found.return_annotation, str) and not isinstance(function, type)
    end = f" -> {found.return_annotation}" if known else ""
    text = f"{name}{found.replace(parameters=shown, return_annotation=found.empty)}{end}"
    if len(text) > LONGEST:
        text = "\n".join([f"{name}(", *(f"    {piece}," for piece in _pieces(shown)), f"){end}"])
    return f"```text\n{'async ' * inspect.iscoroutinefunction(function)}{text}\n```\n"


def _written(parameter: inspect.Parameter) -> inspect.Parameter:
    given = getattr(parameter.annotation, "__forward_arg__", parameter.annotation)
    return parameter.replace(annotation=Written(given)) if isinstance(given, str) else parameter


def _pieces(parameters: Sequence[inspect.Parameter]) -> Iterator[str]:
    for before, parameter in zip([None, *parameters], parameters, strict=False):
        if parameter.kind is parameter.KEYWORD_ONLY and (before is None or before.kind is not parameter.KEYWORD_ONLY):
            yield "*"
        yield str(parameter)


def prose(thing: Any) -> str:
    """The docstring as Markdown: sections become lists, `>>>` examples fences."""
    first, *rest = SECTION.split(inspect.getdoc(thing) or "")
    titles, bodies = rest[::2], rest[1::2]
    return first.strip() + "\n" + "".join(map(_section, titles, bodies))


def _section(title: str, body: str) -> str:
    if title == "Example":
        code = inspect.cleandoc(body)
        return f"\n{code}\n".replace("```python", "```python no-run") if "```" in code else f"\n```text\n{code}\n```\n"
    return f"\n**{title}**\n\n" + re.sub(r"\n {5,}", " ", ITEM.sub(r"- `\1`: ", body.strip("\n"))).rstrip() + "\n"


def api() -> str:
    """All public names."""
    intro = "# Python names\n\nEverything that `import finetune_lib as ft` gives.\n\n"
    return intro + NOTE + "".join(f"\n{part}" for name in finetune_lib.__all__ for part in _name(name))


def _name(name: str) -> Iterator[str]:
    thing = getattr(finetune_lib, name)
    yield f"## {name}\n"
    if not isinstance(thing, type):
        yield from (signature(name, thing), prose(thing))
        return
    made_by_users = not (issubclass(thing, Exception) or getattr(thing, "_is_protocol", False))
    if made_by_users:
        yield signature(name, thing)
    bases = [f"`{base.__name__}`" for base in thing.__bases__]
    yield prose(thing) + (f"\nA kind of {' and '.join(bases)}.\n" if issubclass(thing, Exception) else "")
    for member, value in vars(thing).items():
        if member == "__call__" or not member.startswith("_"):
            yield from _member(name, member, value)


def _member(owner: str, name: str, value: Any) -> Iterator[str]:
    if isinstance(value, (property, cached_property)):
        yield from (f"### {owner}.{name}\n", prose(value))
    elif isinstance(function := getattr(value, "__func__", value), type(_member)):
        yield from (f"### {owner}.{name}()\n", signature(name, function), prose(function))


def diagnostics() -> str:
    """All codes, by family."""
    intro = (
        "# Codes of findings\n\nWhat `validate` and `finetune-lib check` report. A code never changes its meaning.\n"
    )
    words = (
        "Words in *italics* stand for what was found. A check may give another severity where the case asks for it.\n"
    )
    families = groupby(catalogue().values(), key=lambda code: code.code[0])
    return f"{intro}{words}\n{NOTE}" + "".join(f"\n{_family(letter, tuple(codes))}" for letter, codes in families)


def _family(letter: str, codes: tuple[Code, ...]) -> str:
    head = "| code | name | severity | message | what to do |\n|---|---|---|---|---|\n"
    rows = (f"| {c.code} | {c.slug} | {c.severity} | {_template(c.message)} | {_template(c.hint)} |\n" for c in codes)
    return f"## {letter}: {FAMILIES[letter]}\n\n{head}{''.join(rows)}"


def _template(text: str) -> str:
    parts = string.Formatter().parse(text)
    shown = "".join(literal + (f"*{field}*" if field else "") for literal, field, _, _ in parts)
    return shown.replace("|", r"\|")


def main(pages: Mapping[str, str], *, check: bool) -> int:
    """Write the pages, or tell which ones are out of date."""
    stale = [name for name, text in pages.items() if _read(REFERENCE / name) != text]
    for name in stale:
        print(f"{name} is out of date: run python docs/generate.py" if check else f"wrote {name}")
        if not check:
            (REFERENCE / name).write_text(pages[name], encoding="utf-8")
    return int(check and bool(stale))


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main({"api.md": api(), "diagnostics.md": diagnostics()}, check="--check" in sys.argv[1:]))

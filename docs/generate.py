"""Write the generated pages of docs/reference from the code; `--check` only compares."""

from __future__ import annotations

import importlib
import inspect
import re
import string
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import navigation
import translating

import finetune_lib
from finetune_lib.data.checks.profiles import profiles
from finetune_lib.data.diagnostics import Code, catalogue
from finetune_lib.data.diagnostics.catalogue import CodeExample, code_example

REFERENCE = Path(__file__).parent / "reference"
PARTS = ("api", "examples")  # folders of which every page is written here
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
    "D": "Duplicates and contradictions",
    "L": "Leakage between training and held-out data",
    "Q": "Quality of the texts",
    "X": "Personal data and secrets",
    "M": "The tool itself",
}
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Example):$", re.MULTILINE)
SIGNATURE = re.compile(r"^```text\n(?!>>>)(.*?)^```", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^    (\w+): ", re.MULTILINE)
LONGEST = 100
MODULES = ("statistics", "testing", "evaluation.scorers", "evaluation.judges", "evaluation.review")
# What people do, and the rooms that do it: the first that holds a name tells its group.
ERRORS = "Errors"
GROUPS = {
    "Make more examples": ("data.augmenters",),
    "Load, check, mend and split data": ("data", "demo"),
    "Train": ("jobs", "runs"),
    "Connect to a platform": ("platforms",),
    "Have candidates answer": ("evaluation.candidates",),
    "Score answers": ("evaluation.scorers",),
    "Judge answers, and ask experts": ("evaluation.judges", "evaluation.review"),
    "Compare on a golden set": ("evaluation", "statistics"),
    "Values and helpers that they share": ("",),
}


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
        code = code.replace("```python", "```python {.no-run}") if "```" in code else f"```text\n{code}\n```"
        return f"\n{code}\n"
    return f"\n**{title}**\n\n" + re.sub(r"\n {5,}", " ", ITEM.sub(r"- `\1`: ", body.strip("\n"))).rstrip() + "\n"


def api() -> dict[str, str]:
    """An index of all public names by what people do, and a page for each class."""
    names = sorted(finetune_lib.__all__, key=_page)
    pages = {f"api/{page}": "\n".join([*_names(group, page), NOTE]) for page, group in groupby(names, key=_page)}
    intro = f"# Python names\n\nEverything that `import finetune_lib as ft` gives, by what you do.\n\n{NOTE}"
    groups = sorted(names, key=lambda name: [*GROUPS, ERRORS].index(_group(name)))
    return {
        "api/index.md": intro + "".join(_table(title, part) for title, part in groupby(groups, key=_group)),
        **pages,
    }


def _page(name: str) -> str:
    """A class, the function of its name in small letters, and a twin for async code share a page."""
    return f"{name.casefold().removesuffix('_async')}.md"


def _names(names: Iterable[str], page: str) -> Iterator[str]:
    text = "\n".join(part for name in names for part in _name(name, level=1))
    words = set(re.findall(r"\b[A-Z]\w+\b", "".join(SIGNATURE.findall(text)))) & set(finetune_lib.__all__)
    links = [f"[`{name}`]({_page(name)})" for name in sorted(words) if _page(name) != page]
    yield text
    if links:
        yield f"See also: {', '.join(links)}.\n"


def _group(name: str) -> str:
    thing = getattr(finetune_lib, name)
    if isinstance(thing, type) and issubclass(thing, finetune_lib.FinetuneError):
        return ERRORS
    module = f"{thing.__module__.partition('.')[2]}."
    return next(
        title for title, rooms in GROUPS.items() if any(module.startswith(f"{room}." * bool(room)) for room in rooms)
    )


def _table(title: str, names: Iterable[str]) -> str:
    rows = (f"| [`{name}`]({_page(name)}) | {_summary(getattr(finetune_lib, name))} |\n" for name in names)
    return f"\n## {title}\n\n| name | what it is |\n|---|---|\n{''.join(rows)}"


def _summary(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()).replace("|", r"\|")


def modules() -> str:
    """What the public modules hold beside the names of `finetune_lib` itself."""
    intro = "# Modules\n\nWhat these modules hold beside the [names](api/index.md) of `finetune_lib` itself.\n\n"
    return intro + NOTE + "".join(f"\n{part}" for name in MODULES for part in _module(name))


def _module(name: str) -> Iterator[str]:
    module = importlib.import_module(f"finetune_lib.{name}")
    told = inspect.getdoc(module) or ""
    yield f"# finetune_lib.{name}\n\n{told}\n\n```text\n>>> from finetune_lib.{name} import *\n```\n"
    for member in module.__all__:
        thing = getattr(module, member)
        if member not in finetune_lib.__all__ and _callable_here(thing):
            yield from _name(member, thing)


def _callable_here(thing: Any) -> bool:
    """Whether it is a class or function of the library; aliases and dictionaries of options are neither."""
    ours = str(getattr(thing, "__module__", "")).startswith("finetune_lib") and not hasattr(thing, "__origin__")
    return ours and (inspect.isclass(thing) or inspect.isfunction(thing)) and not typing.is_typeddict(thing)


def _name(name: str, thing: Any = None, *, level: int = 2) -> Iterator[str]:
    thing = thing or getattr(finetune_lib, name)
    yield f"{'#' * level} {name}\n"
    if not isinstance(thing, type):
        yield from (signature(name, thing), prose(thing))
        return
    made_by_users = not (issubclass(thing, Exception) or getattr(thing, "_is_protocol", False))
    if made_by_users:
        yield signature(name, thing)
    bases = [f"`{base.__name__}`" for base in thing.__bases__]
    yield prose(thing) + (f"\nA kind of {' and '.join(bases)}.\n" if issubclass(thing, Exception) else "")
    for part in (*_same_value(thing), thing):
        for member, value in vars(part).items():
            if member == "__call__" or not member.startswith("_"):
                yield from _member(name, member, value, level=level + 1)


def _same_value(thing: type) -> Iterator[type]:
    """The bases of a class that adds no field to them: what it does with the value, and they tell of it."""
    return (base for base in thing.__bases__ if is_dataclass(base) and fields(base) == fields(thing))


def _member(owner: str, name: str, value: Any, *, level: int) -> Iterator[str]:
    if isinstance(value, (property, cached_property)):
        yield from (f"{'#' * level} {owner}.{name}\n", prose(value))
    elif isinstance(function := getattr(value, "__func__", value), type(_member)):
        yield from (f"{'#' * level} {owner}.{name}()\n", signature(name, function), prose(function))


def diagnostics() -> str:
    """All codes, by family."""
    intro = """# Codes of findings

What `validate` and `finetune-lib check` report. A code never changes its meaning. Each links to
[an example](examples/index.md) of a file that has the finding, and of the same file without it.

- *error*: the platform refuses the file, or the model learns the wrong thing. *warning*: it trains, but probably not
  as you wish. *info*: what was interpreted. A check may give another severity where the case asks for it.
- *elsewhere*: the severity for a `target=` where it differs; *off* means that it is nothing there.
- *fix*: *safe* is mended by `data.fix()`, *unsafe* by `data.fix(safe_only=False)`.
- Words in *italics* stand for what was found.

"""
    return f"{intro}{NOTE}" + "".join(f"\n{_family(letter, codes)}" for letter, codes in _families())


def _families() -> Iterator[tuple[str, tuple[Code, ...]]]:
    order = list(FAMILIES)
    codes = sorted(catalogue().values(), key=lambda code: (order.index(code.code[0]), code.code))
    for letter, family in groupby(codes, key=lambda code: code.code[0]):
        yield letter, tuple(family)


def _family(letter: str, codes: tuple[Code, ...]) -> str:
    head = "| code | name | severity | elsewhere | fix | message | what to do |\n|---|---|---|---|---|---|---|\n"
    return f"## {letter}: {FAMILIES[letter]}\n\n{head}" + "".join(map(_row, codes))


def _row(code: Code) -> str:
    link = f"[{code.code}](examples/{_family_page(code.code[0])}#{_anchor(code)})"
    cells = (code.slug, code.severity, _elsewhere(code), code.fix or "", _template(code.message), _template(code.hint))
    return f"| {link} | {' | '.join(cells)} |\n"


def _anchor(code: Code) -> str:
    return f"{code.code} {code.slug}".lower().replace(" ", "-")


def _elsewhere(code: Code) -> str:
    """The targets whose table gives the code another severity."""
    own = ((name, profile.severity.get(code.code)) for name, profile in profiles().items())
    return ", ".join(f"{name}: {severity}" for name, severity in own if severity and severity != code.severity)


def _template(text: str) -> str:
    parts = string.Formatter().parse(text)
    shown = "".join(literal + (f"*{field}*" if field else "") for literal, field, _, _ in parts)
    return shown.replace("|", r"\|")


def examples() -> dict[str, str]:
    """Of each code a file that has it, and the file without it: a page a family."""
    intro = """# Examples of findings

The same that `finetune-lib explain CODE` and `ft.explain("CODE")` show. The library's tests load each pair: the
first file has the finding, the second has neither it nor any error. Of a workbook, a line is a row and `⟨U+0009⟩`
parts two cells.

"""
    pages, links = dict[str, str](), list[str]()
    for letter, codes in _families():
        title = f"{letter}: {FAMILIES[letter]}"
        pages[f"examples/{_family_page(letter)}"] = f"# {title}\n\n{NOTE}" + "".join(
            f"\n{_example(code)}" for code in codes
        )
        links.append(f"- [{title}]({_family_page(letter)}): {len(codes)} codes\n")
    return {"examples/index.md": f"{intro}{NOTE}\n{''.join(links)}", **pages}


def _family_page(letter: str) -> str:
    return f"{letter.lower()}-{FAMILIES[letter].lower().replace(' ', '-')}.md"


def _example(code: Code) -> str:
    explained = finetune_lib.explain(code.code, lang="en").split("\n", 1)[1]
    return f"## {code.code} {code.slug}\n\n{_setting(code_example(code.code))}\n\n```text\n{explained.rstrip()}\n```\n"


def _setting(example: CodeExample) -> str:
    """Which file it is and what was asked of it, where that is not plain."""
    calls = {"Dataset.load": example.load, "validate": example.validate, "split": example.split}
    asked = [f"`{call}({_options(options)})`" for call, options in calls.items() if options]
    encoding = [] if example.encoding == "utf-8" else [f"the first one in {example.encoding}"]
    golden = ["held against a golden set with one of its questions"] if example.golden else []
    based = [f"for a base with {_template(example.templates[0])}"] if example.templates else []
    doubted = ["asked about by `Dataset.doubts`, of a model that doubts it"] if example.doubts else []
    return ", ".join([f"`{example.file}`", *encoding, *asked, *golden, *based, *doubted])


def _template(name: str) -> str:
    return f"the chat template `{name}`" if name else "no chat template"


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def main(*, check: bool) -> int:
    """Write what is out of date and remove what is no longer written, or only tell of it."""
    pages = {**api(), "modules.md": modules(), "diagnostics.md": diagnostics(), **examples()}
    stale = [name for name, text in pages.items() if _differs(REFERENCE / name, text, check=check)]
    translated = dict(translating.pages())
    stale += [path.name for path, text in translated.items() if _differs(path, text, check=check)]
    stale += ["mkdocs.yml"] * _differs(navigation.CONFIG, navigation.configured(), check=check)
    here = {path.relative_to(REFERENCE).as_posix() for part in PARTS for path in (REFERENCE / part).glob("*.md")}
    for name in stale:
        print(f"{name} is out of date: run python docs/generate.py" if check else f"wrote {name}")
    for name in sorted(here - set(pages)):
        print(f"{name} is no longer written" if check else f"removed {name}")
        if not check:
            (REFERENCE / name).unlink()
    return int(check and bool(stale or here - set(pages)))


def _differs(path: Path, text: str, *, check: bool) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))

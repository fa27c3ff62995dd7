"""The catalogue of codes: `codes/*.toml`, one file a family; the one source of reports and documentation.

A code never changes its meaning and is never used twice. Texts in other languages and the failing and mended
example of each code lie in folders beside, in files of the same names, and are read when they are asked for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

from finetune_lib.files import packaged_text
from finetune_lib.texts.languages import Language

Severity = Literal["error", "warning", "info"]
FixKind = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding.

    Attributes:
        code: Its name, as `J202`: a letter for the family and a number.
        slug: The readable name.
        severity: What it weighs where no target says otherwise.
        message: What is wrong, with places for what was found.
        hint: What to do next.
        fix: `safe` where `Dataset.fix()` can mend it without losing anything, `unsafe` where that takes a
            person's word, None where it cannot.
        mend: What the fix does.
        at_shell: Whether the hint speaks to users of the command line.
    """

    code: str
    slug: str
    severity: Severity
    message: str
    hint: str
    fix: FixKind | None = None
    mend: str = ""
    at_shell: bool = False


@dataclass(frozen=True, slots=True)
class CodeExample:
    """A file that has the finding, and the same file without it; the tests load both.

    Attributes:
        file: The file's name; its ending tells the format.
        failing: Its text. Of a workbook: `[sheet]` lines, and cells parted by tabs.
        fixed: The text without the finding.
        times: How often the text stands there, each time with its number for `§`.
        encoding: How `failing` is written.
        failing_hex: The bytes of `failing` where they are no text.
        load: Options of `Dataset.load`.
        validate: Options of `Dataset.validate`.
        validate_fixed: Those of the fixed file, where they differ.
        golden: The text of a golden file that the data is held against.
        split: Options of `Dataset.split`, whose proof has the finding.
        doubts: What a model replies that `Dataset.doubts` asks about the failing file; it doubts nothing in the other.
        templates: The chat templates, by name or empty for none, of the base that the failing and the fixed file are
            for.
        line: The line where it is found.
        path: The JSON pointer where it is found.
        severity: The severity where it is not the catalogue's.
    """

    file: str
    failing: str = ""
    fixed: str = ""
    times: int = 1
    encoding: str = "utf-8"
    failing_hex: str = ""
    load: Mapping[str, Any] = field(default_factory=dict[str, Any])
    validate: Mapping[str, Any] = field(default_factory=dict[str, Any])
    validate_fixed: Mapping[str, Any] | None = None
    golden: str = ""
    split: Mapping[str, Any] = field(default_factory=dict[str, Any])
    doubts: str = ""
    templates: Sequence[str] = ()
    line: int | None = None
    path: str | None = None
    severity: Severity | None = None


@cache
def catalogue(lang: Language = "en") -> Mapping[str, Code]:
    """All codes with their texts in one language, in their order; English where a text is missing."""
    codes = _tables("")
    texts: Mapping[str, Any] = {} if lang == "en" else _tables(lang)
    return {code: Code(code, **{**entry, **texts.get(code, {})}) for code, entry in codes.items()}


def code_example(code: str) -> CodeExample:
    """The failing and the fixed example of a code.

    Raises:
        KeyError: There is no such code.
    """
    return CodeExample(**_tables("examples")[code])


@cache
def words(lang: Language) -> Mapping[str, str]:
    """English words that fill messages, in another language."""
    return {} if lang == "en" else cast("Mapping[str, str]", _table(lang, "words"))


@cache
def _tables(folder: str) -> Mapping[str, Any]:
    place = files("finetune_lib.data.diagnostics").joinpath("codes", folder)
    names = sorted(entry.name for entry in place.iterdir() if entry.name.endswith(".toml"))
    return {code: entry for name in names if name != "words.toml" for code, entry in _table(folder, name[:-5]).items()}


def _table(folder: str, name: str) -> Mapping[str, Any]:
    return tomllib.loads(packaged_text("finetune_lib.data.diagnostics", "codes", folder, f"{name}.toml"))

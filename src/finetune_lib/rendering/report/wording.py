"""The words of a report, in the language that the reader chose."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from finetune_lib.rendering.wording import Words

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Language


@cache
def report_words(lang: Language) -> Words:
    """The words in one language; each language has all of them."""
    text = files("finetune_lib.rendering.report").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)[lang]

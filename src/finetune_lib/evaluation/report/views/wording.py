"""The words of a report, in the language that the reader chose."""

from __future__ import annotations

import tomllib
from functools import cache

from finetune_lib.files import packaged_text
from finetune_lib.pages.wording import Words
from finetune_lib.texts.languages import Language


@cache
def report_words(lang: Language) -> Words:
    """The words in one language; each language has all of them."""
    text = packaged_text("finetune_lib.evaluation.report.views", "words.toml")
    return tomllib.loads(text)[lang]

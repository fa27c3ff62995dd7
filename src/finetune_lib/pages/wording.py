"""The words around findings and examples, in the language that the reader chose."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from finetune_lib.files import packaged_text
from finetune_lib.texts.languages import Language, language

Words = Mapping[str, str]


def chosen(lang: Language | None) -> Language:
    """The language that was asked for, else that of the locale."""
    return lang or language()


@cache
def words(lang: Language) -> Words:
    """The words in one language; each language has all of them."""
    text = packaged_text("finetune_lib.pages", "wording.toml")
    return tomllib.loads(text)[lang]


def noun(words: Words, name: str, number: int) -> str:
    """A noun for so many; only English knows a singular."""
    return words.get(f"{name}_one", words[name]) if number == 1 else words[name]


def number_of(words: Words, name: str, number: int) -> str:
    """A number with its noun."""
    return noun(words, name, number).format(number=number)

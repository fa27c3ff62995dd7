"""BackTranslation: the user's turns into another language and back, by a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from finetune_lib.data.augmenters.augmenter import Child, Missing
from finetune_lib.data.augmenters.rewriting import NO_ANSWER, NO_TEXT, Rewriting, prompt
from finetune_lib.records import Example
from finetune_lib.rows.turns import retold, user_turns
from finetune_lib.texts.scripts import language_for, writing

ROLE = "You translate what users say to an assistant, as they would say it themselves. Translate every turn."
LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "ja": "Japanese",
    "ko": "Korean",
    "th": "Thai",
    "vi": "Vietnamese",
    "zh-Hans": "Simplified Chinese as written in mainland China",
    "zh-Hant": "Traditional Chinese as written in Taiwan",
}
# What is written in a script, where nothing else is said; several languages share the Latin and Cyrillic ones.
BY_WRITING = {"Japanese": "ja", "Hangul": "ko", "Thai": "th"}


@dataclass(frozen=True)
class BackTranslation(Rewriting):
    """What the user says after a way through another language: two calls for each example.

    Attributes:
        via: The language between, as `en`, or its name in English.
        language: The language of the examples in the same form; by default told from the script of the text:
            Chinese of either kind, Japanese, Korean, Thai, else English.
    """

    via: str = "en"
    language: str | None = None

    name: ClassVar[str] = "back_translation"

    async def __call__(self, example: Example, /) -> list[Child | Missing]:
        """The one version of an example."""
        told = user_turns(example.data)
        if not told:
            return [Missing(NO_TEXT)]
        text = "\n".join(turn.text for turn in told)
        home = self.language or BY_WRITING.get(writing(text) or "") or language_for(text)
        if _named(home) == _named(self.via):
            return [Missing(f"the row is in {_named(home)} already: choose another language by via=")]
        try:
            away = await self._translated([turn.text for turn in told], self.via, self.salt(example))
            back = await self._translated(away, home, self.salt(example))
        except NO_ANSWER as error:
            return [Missing(str(error))]
        return [Child(retold(example.data, told, back), self.via)]

    async def _translated(self, turns: Sequence[str], language: str, salt: str) -> list[str]:
        versions = [f"translated into {_named(language)}"]
        return (await self.asked(turns, system=prompt(ROLE), versions=versions, salt=salt))[0]


def _named(language: str) -> str:
    return LANGUAGES.get(language, language)

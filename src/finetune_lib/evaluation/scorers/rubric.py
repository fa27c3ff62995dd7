"""Rubric: a model that grades an answer by criteria."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, cast

from finetune_lib.evaluation.judges.protocol import (
    LANGUAGES,
    ended_early,
    form,
    instructions,
    material,
    object_in,
    reason_in,
    with_pictures,
)
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Reply, Request, UnreadableAnswerError, current_session
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language
from finetune_lib.texts.scripts import language_for

TOKENS = 160  # of the reason and score of one criterion, for the budget
MOST = 100
WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:/\s*([0-9]+)\s*)?")


@dataclass(frozen=True)
class Rubric(Shown):
    """A model that grades each answer by your criteria; 1 where it meets them all in full, 0 where it meets none.

    For each criterion the model gives a reason and then a whole number from 1 to `scale`, held to a JSON schema where
    the platform can do that. A score is (number - 1)/(scale - 1), that of the answer their weighted mean; the reasons
    are kept. A reply that cannot be read is asked for once more; the score is missing then, never 0. The answer
    reaches the model as JSON that it is told to grade and not to obey.

    Attributes:
        criteria: One criterion; several; or several with their weights, as `{"The deadline is right.": 3, …}`.
        model: The model that grades; any that speaks chat completions. Best of another family than the candidates.
        scale: The highest score of a criterion; 2 is met or not met.
        reference: Whether it sees the expected answer.
        language: Of instructions and reasons: `en`, `zh-Hant` or `zh-Hans`; by default that of the criteria, where it
            is Chinese, else English.
        temperature: 0 for repeatable scores; None leaves it to the platform, as some models demand.
        platform: Where the model runs; by default that of the run.
        price: US dollars for a million tokens read and written; by default as the catalogue says.
        name: What reports call it.

    Raises:
        ValueError: There is no criterion, one is blank or doubled, a weight is not above 0, the scale is below 2, the
            model is blank, or the language unknown; all of these at once.

    Example:
        >>> from finetune_lib.evaluation.scorers import Rubric
        >>> rubric = Rubric(["退貨期限正確。", "語氣有禮。"], model="gpt-4.1", name="service")
        >>> rubric.signature
        'rubric|model:gpt-4.1|scale:1-5|criteria:2|language:zh-Hant|temperature:0'
    """

    criteria: str | Sequence[str] | Mapping[str, float]
    _: KW_ONLY
    model: str
    scale: int = 5
    reference: bool = True
    language: Language | None = None
    temperature: float | None = 0.0
    platform: Platform | None = None
    price: Price | None = None
    name: str = "rubric"

    def __post_init__(self) -> None:
        criteria = self.criteria
        if not isinstance(criteria, (str, Mapping)):
            object.__setattr__(self, "criteria", tuple(criteria))
        if problems := list(self._problems()):
            raise ValueError(f"Rubric: {'; '.join(problems)}")

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        temperature = "default" if self.temperature is None else f"{self.temperature:g}"
        told = f"scale:1-{self.scale}|criteria:{len(self._weights)}|language:{self._language}"
        return f"rubric|model:{self.model}|{told}|temperature:{temperature}"

    async def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: The model gave no scores, twice.
        """
        async with current_session() as session:
            return await session.read(self.request(answer, case), self.read)

    def request(self, answer: str, case: Case, /) -> Request:
        """What the model is asked about an answer."""
        shown = {
            "conversation": [{"role": message.role, "content": message.text} for message in case.messages],
            **({"expected": case.expected} if self.reference and case.expected else {}),
            "answer": answer,
        }
        words = instructions(__package__, "rubric.toml")[self._language]
        content = f"{material(shown)}\n{words['closing'].strip()}"
        messages = [
            {"role": "system", "content": self._instructions(words, shown)},
            {"role": "user", "content": with_pictures(content, case)},
        ]
        return Request(
            self.model,
            messages,
            options={} if self.temperature is None else {"temperature": self.temperature},
            form=self._form(),
            platform=self.platform,
            price=self.price,
            writes=TOKENS * len(self._weights),
        )

    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply.

        Raises:
            UnreadableAnswerError: A criterion has no score on the scale.
        """
        given = object_in(reply.text)
        if given is None:
            raise UnreadableAnswerError(ended_early(reply) or "the grader's answer holds no JSON object")
        graded = self._graded(given)
        scores = {key: self._score(one.get("score")) for key, one in graded.items()}
        if missing := [key for key, score in scores.items() if score is None]:
            raise UnreadableAnswerError(f"the grader gave no score from 1 to {self.scale} for {', '.join(missing)}")
        weights = self._weights.values()
        values = [weight * (score or 0) for weight, score in zip(weights, scores.values(), strict=True)]
        value = (sum(values) / sum(weights) - 1) / (self.scale - 1)
        reasons = zip(self._weights, scores.items(), strict=True)
        told = [f"{text} {score}/{self.scale}: {reason_in(graded[key])}" for text, (key, score) in reasons]
        return Score(min(1.0, max(0.0, value)), reason="\n".join(told))

    @property
    def _weights(self) -> Mapping[str, float]:
        if isinstance(self.criteria, Mapping):
            return self.criteria
        return dict.fromkeys([self.criteria] if isinstance(self.criteria, str) else self.criteria, 1.0)

    @property
    def _keys(self) -> list[str]:
        return [f"criterion_{number}" for number in range(1, len(self._weights) + 1)]

    @property
    def _language(self) -> Language:
        return self.language or language_for("\n".join(self._weights))

    def _problems(self) -> Iterator[str]:
        weights = self._weights
        if not weights or not all(text.strip() for text in weights):
            yield "give at least one criterion, and none that is blank"
        if isinstance(self.criteria, tuple) and len(weights) < len(self.criteria):
            yield "two criteria are the same"
        if not all(0 < weight < float("inf") for weight in weights.values()):
            yield "weights are above 0"
        if not self.model.strip():
            yield "model is blank: name the model that grades"
        if not 2 <= self.scale <= MOST:
            yield f"scale is from 2 to {MOST}, not {self.scale}"
        if self.language not in (None, *LANGUAGES):
            yield f"language is one of {', '.join(LANGUAGES)} or None, not {self.language!r}"

    def _instructions(self, words: Mapping[str, str], shown: Mapping[str, Any]) -> str:
        keys = "\n".join(words[key] for key in ("conversation", "expected", "answer") if key in shown)
        listed = "\n".join(f"- {key}: {text.strip()}" for key, text in zip(self._keys, self._weights, strict=True))
        example = ", ".join(f'"{key}": {{"reason": "…", "score": …}}' for key in self._keys)
        parts = [
            f"{words['role'].strip()}\n{keys}",
            words["rules"],
            words["scale"].format(highest=self.scale),
            f"{words['criteria']}\n{listed}",
            f"{words['form'].strip()} {{{example}}}",
        ]
        return "\n\n".join(part.strip() for part in parts)

    def _form(self) -> dict[str, Any]:
        """The reason comes first: a score that is written first would only be defended by it."""
        score = {"type": "integer", "enum": list(range(1, self.scale + 1))}
        return form(dict.fromkeys(self._keys, form({"reason": {"type": "string"}, "score": score})))

    def _graded(self, given: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """By criterion, its reason and score, as a model writes them where nothing holds it to the form."""
        if len(self._keys) == 1 and self._keys[0] not in given:
            return {self._keys[0]: given}
        return {
            key: cast("Mapping[str, Any]", graded) if isinstance(graded, Mapping) else {"score": graded}
            for key in self._keys
            for graded in [given.get(key)]
        }

    def _score(self, score: Any) -> int | None:
        """A whole number on the scale; "4" and, of a scale to 5, "4/5" are one as well."""
        if isinstance(score, str) and (written := WRITTEN.fullmatch(score)):
            score = float(written[1]) if int(written[2] or self.scale) == self.scale else None
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not 1 <= score <= self.scale:
            return None
        return int(score) if score == int(score) else None

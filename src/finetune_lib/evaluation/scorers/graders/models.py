"""OpenAI's graders that ask a model: `label_model` and `score_model`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from finetune_lib.evaluation.judges.protocol import ended_early, form, object_in
from finetune_lib.evaluation.scorers.graders.templates import Material, filled
from finetune_lib.evaluation.scorers.labels import Labels
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Reply, Request, UnreadableAnswerError, current_session
from finetune_lib.records import Answer, Case, Score

SCORE = re.compile(r"\b(?:final\s+)?(?:score|result|rating)\b\W{0,12}(-?[0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)
ALONE = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*")
SHOWN = 120
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _AsksModel(ABC):
    """What both have in common: the model, its messages with templates, and how it is sampled."""

    whole_answer: ClassVar[bool] = True

    model: str
    _: KW_ONLY
    messages: Messages
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    platform: Platform | None = None
    price: Price | None = None

    async def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer.

        Raises:
            ValueError: The row lacks a field.
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: The model's reply was unreadable twice.
        """
        async with current_session() as session:
            return await session.read(self.request(answer, case), self.read)

    def request(self, answer: Answer | str, case: Case, /) -> Request:
        """What the model is asked about an answer; a part that the answer lacks is shown as `null`."""
        material = Material.of(answer, case)
        messages = [{**message, "content": _shown(message["content"], material)} for message in self.messages]
        return Request(
            self.model, messages, options=self.options, form=self._form(), platform=self.platform, price=self.price
        )

    @abstractmethod
    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply."""

    @abstractmethod
    def _form(self) -> dict[str, Any]:
        """The JSON schema of the reply."""


@dataclass(frozen=True)
class LabelModel(_AsksModel):
    """1 where the model gives the answer a passing label, else 0; the reason says which."""

    labels: Sequence[str]
    passing: Sequence[str]
    name: str = "label_model"

    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply.

        Raises:
            UnreadableAnswerError: It names no label, or two.
        """
        label, reason = Labels(self.labels).meant(reply.text)
        if label is None:
            raise UnreadableAnswerError(ended_early(reply) or f"the grader gave no label: {reason}")
        return Score(float(label in self.passing), reason=f"labelled {label}")

    def _form(self) -> dict[str, Any]:
        return form({"label": {"type": "string", "enum": list(self.labels)}})


@dataclass(frozen=True)
class ScoreModel(_AsksModel):
    """The number that the model gives the answer: in the grader's range, as OpenAI reports it, not brought to 0…1."""

    range: tuple[float, float] = (0.0, 1.0)
    name: str = "score_model"

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        return f"score_model|model:{self.model}|range:{self.range[0]:g}-{self.range[1]:g}"

    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply.

        Raises:
            UnreadableAnswerError: It has no number, or one outside the range.
        """
        given = object_in(reply.text) or {}
        score = _number(next((given[key] for key in ("score", "result") if key in given), None))
        if score is None and not given:
            found = ALONE.fullmatch(reply.text) or next(iter(reversed(list(SCORE.finditer(reply.text)))), None)
            score = float(found[1]) if found else None
        low, high = self.range
        if score is None or not low <= score <= high:
            wanted = f"the grader gave no score from {low:g} to {high:g}: {reply.text[:SHOWN]!r}"
            raise UnreadableAnswerError(ended_early(reply) or wanted)
        return Score(score, reason=str(given.get("reason") or ("" if given else reply.text)))

    def _form(self) -> dict[str, Any]:
        told = f"from {self.range[0]:g} to {self.range[1]:g}"
        return form({"reason": {"type": "string"}, "score": {"type": "number", "description": told}})


def _number(value: object) -> float | None:
    if isinstance(value, str) and (found := ALONE.fullmatch(value)):
        return float(found[1])
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _shown(content: Any, material: Material) -> Any:
    """The content of a message with its templates filled, however deep they are."""
    if isinstance(content, str):
        return filled(content, material, absent="null")
    return [{key: _inner(value, material) for key, value in part.items()} for part in content]


def _inner(value: Any, material: Material) -> Any:
    if isinstance(value, Mapping):
        return {key: _inner(inner, material) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return filled(value, material, absent="null") if isinstance(value, str) else value

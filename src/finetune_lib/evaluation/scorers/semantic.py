"""A scorer by the meaning of texts, as an embedding model sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from math import hypot

from finetune_lib.evaluation.scorers.normalising import to_compare
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import current_session
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class SemanticSimilarity(Shown):
    """The cosine of the embeddings of answer and expected text, from 0 to 1; below 0 counts as 0.

    It tells whether texts speak of the same thing, hardly whether they say the same: "take aspirin" and "do not take
    aspirin" are near each other. Texts that were embedded before are not paid again.

    Attributes:
        model: The embedding model.
        platform: Where it runs; None is the run's.
        name: What reports call it.

    Raises:
        ValueError: When called: the case has no expected text.
        PlatformError: When called: the platform refused, did not answer, or has no embeddings.

    Example:
        >>> from finetune_lib.evaluation.scorers import SemanticSimilarity
        >>> SemanticSimilarity().signature
        'cosine|model:text-embedding-3-small'
    """

    model: str = "text-embedding-3-small"
    _: KW_ONLY
    platform: Platform | None = None
    name: str = "semantic_similarity"

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        return f"cosine|model:{self.model}"

    async def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        expected = to_compare(case.expected, case)
        return await alike(answer, expected, model=self.model, platform=self.platform)


async def alike(given: str, expected: str, *, model: str, platform: Platform | None) -> Score:
    """The similarity of two texts; services refuse to embed an empty one."""
    if not given.strip():
        return Score(0.0, reason="the answer is empty")
    async with current_session() as session:
        one, other = await session.embed(model, [given, expected], platform=platform)
    return Score(max(0.0, min(1.0, _cosine(one, other))))


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = hypot(*one) * hypot(*other)
    if not lengths or len(one) != len(other):
        raise ValueError("the platform gave vectors that cannot be compared")
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths

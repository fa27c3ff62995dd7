"""OpenAI's `multi` grader: several graders and a formula."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from finetune_lib.concurrency import call
from finetune_lib.evaluation.scorers.graders.formula import value_of
from finetune_lib.records import Answer, Case, Score


@dataclass(frozen=True)
class MultiGrader:
    """The value of a formula of other graders' scores; the reason has each of them.

    Raises:
        ValueError: When called: the formula has no value for the scores, as of a division by 0; or a grader gave none.
    """

    whole_answer: ClassVar[bool] = True

    graders: Mapping[str, Any]
    _: KW_ONLY
    formula: str
    name: str = "multi"

    async def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        scores = await asyncio.gather(*(call(grader, answer, case) for grader in self.graders.values()))
        given = dict(zip(self.graders, scores, strict=True))
        value = value_of(self.formula, {name: score.value for name, score in given.items()})
        told = (
            f"{name} {score.value:.4g}" + (f" ({score.reason})" if score.reason else "")
            for name, score in given.items()
        )
        return Score(value, reason="; ".join(told))

"""What says which of two answers is better: a model that is asked in both orders, or any function."""

from __future__ import annotations

from finetune_lib.judges.families import family_of, self_preference
from finetune_lib.judges.judge import FOR_THE_FIRST, LEVELS, AsksJudge, Judge, Level, Verdict
from finetune_lib.judges.pairwise import PairwiseJudge

__all__ = [
    "FOR_THE_FIRST",
    "LEVELS",
    "AsksJudge",
    "Judge",
    "Level",
    "PairwiseJudge",
    "Verdict",
    "family_of",
    "self_preference",
]

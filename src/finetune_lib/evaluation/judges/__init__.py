"""What says which of two answers is better: a model that is asked in both orders, or any function.

Single judgments become one preference a case, and it is told whether the judge can be trusted with it.
"""

from __future__ import annotations

from finetune_lib.evaluation.judges.families import family_of, self_preference
from finetune_lib.evaluation.judges.judge import FOR_THE_FIRST, LEVELS, AsksJudge, Judge, Level, Verdict
from finetune_lib.evaluation.judges.judgments import Judgment, preferences
from finetune_lib.evaluation.judges.order import Places
from finetune_lib.evaluation.judges.pairwise import PairwiseJudge
from finetune_lib.evaluation.judges.trust import JudgeQuality

__all__ = [
    "FOR_THE_FIRST",
    "LEVELS",
    "AsksJudge",
    "Judge",
    "JudgeQuality",
    "Judgment",
    "Level",
    "PairwiseJudge",
    "Places",
    "Verdict",
    "family_of",
    "preferences",
    "self_preference",
]

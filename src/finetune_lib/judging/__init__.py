"""From single judgments to one preference a case, and whether the judge can be trusted with it; pure values."""

from __future__ import annotations

from finetune_lib.judging.judgments import Judgment, preferences
from finetune_lib.judging.places import Places
from finetune_lib.judging.quality import JudgeQuality

__all__ = ["JudgeQuality", "Judgment", "Places", "preferences"]

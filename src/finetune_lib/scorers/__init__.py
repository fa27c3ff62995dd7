"""What scores an answer: built-in scorers, and any function `(answer, case) -> number`."""

from __future__ import annotations

from finetune_lib.scorers.scorer import Scorer
from finetune_lib.scorers.text import Contains, ExactMatch

__all__ = ["Contains", "ExactMatch", "Scorer"]

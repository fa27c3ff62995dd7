"""Bring evaluations of other tools: cases, scorers, recorded answers and scores; what cannot be carried is named."""

from __future__ import annotations

from finetune_lib.evaluation.importing.hosted_evals import import_evals
from finetune_lib.evaluation.importing.imported import Imported, RecordedScores

__all__ = ["Imported", "RecordedScores", "import_evals"]

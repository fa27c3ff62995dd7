"""OpenAI's graders as scorers: their JSON is read, checked, and run here."""

from __future__ import annotations

from finetune_lib.evaluation.scorers.graders.definitions import from_openai
from finetune_lib.evaluation.scorers.graders.models import LabelModel, ScoreModel
from finetune_lib.evaluation.scorers.graders.multi import MultiGrader
from finetune_lib.evaluation.scorers.graders.python import PythonGrader
from finetune_lib.evaluation.scorers.graders.texts import StringCheck, TextSimilarity

__all__ = ["LabelModel", "MultiGrader", "PythonGrader", "ScoreModel", "StringCheck", "TextSimilarity", "from_openai"]

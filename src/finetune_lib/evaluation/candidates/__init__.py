"""What an Evaluator can score side by side: models, prompts, retrieval, recorded answers, any callable."""

from __future__ import annotations

from finetune_lib.evaluation.candidates.candidate import AsksModel, Candidate, asked
from finetune_lib.evaluation.candidates.chat_model import ChatModel
from finetune_lib.evaluation.candidates.few_shot import FewShot
from finetune_lib.evaluation.candidates.linear_classifier import LinearClassifier
from finetune_lib.evaluation.candidates.nearest_examples import NearestExamples
from finetune_lib.evaluation.candidates.optimized_prompt import OptimizedPrompt
from finetune_lib.evaluation.candidates.rag import Rag
from finetune_lib.evaluation.candidates.recorded import Recorded

__all__ = [
    "AsksModel",
    "Candidate",
    "ChatModel",
    "FewShot",
    "LinearClassifier",
    "NearestExamples",
    "OptimizedPrompt",
    "Rag",
    "Recorded",
    "asked",
]

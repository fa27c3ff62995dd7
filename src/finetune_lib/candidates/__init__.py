"""What an Evaluator can score side by side: models, and any callable from a case to an answer."""

from __future__ import annotations

from finetune_lib.candidates.candidate import Candidate, name_of
from finetune_lib.candidates.chat_model import ChatModel

__all__ = ["Candidate", "ChatModel", "name_of"]

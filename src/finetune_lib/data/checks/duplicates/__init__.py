"""What is found among examples that say the same: contradictions, other forms of one example, near duplicates."""

from finetune_lib.data.checks.duplicates.answers import Answers
from finetune_lib.data.checks.duplicates.leaks import check
from finetune_lib.data.checks.duplicates.near import Duplicates

__all__ = ["Answers", "Duplicates", "check"]

"""What is found among examples that say the same: contradictions, other forms of one example, near duplicates."""

from __future__ import annotations

from finetune_lib.data.checks.duplicates.answers import Answers
from finetune_lib.data.checks.duplicates.leaks import check
from finetune_lib.data.checks.duplicates.near import near_duplicates
from finetune_lib.data.checks.survey import Survey

__all__ = ["check", "content_surveys", "near_duplicates"]


def content_surveys() -> tuple[Survey, ...]:
    """What finds contradictions, other forms of one example, and answers that many questions share."""
    return (Answers(),)

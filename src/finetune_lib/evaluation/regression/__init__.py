"""What a model could do before it was tuned: a suite of cases that has nothing to do with the tuning's own topic."""

from __future__ import annotations

from finetune_lib.evaluation.regression.checks import AsAsked
from finetune_lib.evaluation.regression.suite import GENERAL, SuiteName, suite_of, without_system

__all__ = ["GENERAL", "AsAsked", "SuiteName", "suite_of", "without_system"]

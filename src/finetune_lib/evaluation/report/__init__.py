"""The result of an evaluation: what it holds, what follows from it, and the forms in which it leaves."""

from __future__ import annotations

from finetune_lib.evaluation.report.comparing import CategoryComparison, Claim, Comparison, Outcome
from finetune_lib.evaluation.report.coverage import Coverage
from finetune_lib.evaluation.report.labelling import Labelling
from finetune_lib.evaluation.report.measured import EXPERTS, JUDGE, UNCATEGORISED
from finetune_lib.evaluation.report.records import Failure, RunRecord
from finetune_lib.evaluation.report.regressions import Regression, Regressions
from finetune_lib.evaluation.report.report import EvaluationError, Report
from finetune_lib.evaluation.report.results import Attempt, Result

__all__ = [
    "EXPERTS",
    "JUDGE",
    "UNCATEGORISED",
    "Attempt",
    "CategoryComparison",
    "Claim",
    "Comparison",
    "Coverage",
    "EvaluationError",
    "Failure",
    "Labelling",
    "Outcome",
    "Regression",
    "Regressions",
    "Report",
    "Result",
    "RunRecord",
]

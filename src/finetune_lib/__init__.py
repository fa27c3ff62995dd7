"""finetune_lib: from a messy spreadsheet to a fine-tuned model that you can prove is better.

`import finetune_lib as ft` costs next to nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from finetune_lib.version import __version__ as __version__

if TYPE_CHECKING:
    from finetune_lib.data.augmenters import (
        BackTranslation,
        Noise,
        Paraphrase,
        PersonaVariants,
        Script,
        SystemPrompts,
        Template,
    )
    from finetune_lib.data.dataset import Dataset, Split
    from finetune_lib.data.diagnostics import (
        Change,
        Diagnostic,
        InvalidDatasetError,
        TokenCount,
        ValidationReport,
        explain,
    )
    from finetune_lib.data.fixing.fixing import Account
    from finetune_lib.data.leakage import Proof
    from finetune_lib.data.measuring.cost import CostEstimate
    from finetune_lib.data.measuring.stats import Stats
    from finetune_lib.data.reading import ReadError
    from finetune_lib.errors import DataError, FinetuneError, MissingExtraError, PlatformError
    from finetune_lib.evaluation.candidates import Candidate, ChatModel, FewShot, Rag, Recorded
    from finetune_lib.evaluation.evaluator import Evaluator
    from finetune_lib.evaluation.golden import GoldenCheck, GoldenSet
    from finetune_lib.evaluation.judges import Judge, JudgeQuality, Judgment, PairwiseJudge, Verdict
    from finetune_lib.evaluation.report import Claim, Comparison, EvaluationError, Report
    from finetune_lib.evaluation.report.history import Leaderboard, leaderboard
    from finetune_lib.evaluation.report.results import Attempt, Result
    from finetune_lib.evaluation.review import Votes, collect_votes
    from finetune_lib.evaluation.running.progress import Progress
    from finetune_lib.evaluation.scorers import (
        Bleu,
        CharacterErrorRate,
        Choice,
        ChrF,
        ClassificationReport,
        Contains,
        EditSimilarity,
        ExactMatch,
        Forbids,
        JsonMatch,
        JsonSchemaMatch,
        Length,
        NumericMatch,
        RegexMatch,
        Rubric,
        SameLanguage,
        Scorer,
        SemanticSimilarity,
        ToolCallMatch,
    )
    from finetune_lib.jobs.errors import JobCancelledError, JobError, JobFailedError, JobTimeoutError
    from finetune_lib.jobs.job import Job
    from finetune_lib.jobs.metrics import Metrics
    from finetune_lib.platforms import Platform, connect
    from finetune_lib.records import Answer, Case, Checkpoint, Example, JobEvent, Message, Score, ToolCall
    from finetune_lib.statistics import Estimate

_HOMES = {
    "data.augmenters": (
        "BackTranslation",
        "Noise",
        "Paraphrase",
        "PersonaVariants",
        "Script",
        "SystemPrompts",
        "Template",
    ),
    "evaluation.candidates": ("Candidate", "ChatModel", "FewShot", "Rag", "Recorded"),
    "data.dataset": ("Dataset", "Split"),
    "data.diagnostics": ("Change", "Diagnostic", "InvalidDatasetError", "TokenCount", "ValidationReport", "explain"),
    "data.reading": ("ReadError",),
    "errors": ("DataError", "FinetuneError", "MissingExtraError", "PlatformError"),
    "evaluation.running.progress": ("Progress",),
    "evaluation.evaluator": ("Evaluator",),
    "data.fixing.fixing": ("Account",),
    "evaluation.golden": ("GoldenCheck", "GoldenSet"),
    "evaluation.report.history": ("Leaderboard", "leaderboard"),
    "jobs.errors": ("JobCancelledError", "JobError", "JobFailedError", "JobTimeoutError"),
    "jobs.job": ("Job",),
    "evaluation.judges": ("Judge", "JudgeQuality", "Judgment", "PairwiseJudge", "Verdict"),
    "data.leakage": ("Proof",),
    "data.measuring.cost": ("CostEstimate",),
    "data.measuring.stats": ("Stats",),
    "jobs.metrics": ("Metrics",),
    "platforms": ("Platform", "connect"),
    "records": ("Answer", "Case", "Checkpoint", "Example", "JobEvent", "Message", "Score", "ToolCall"),
    "evaluation.report": ("Claim", "Comparison", "EvaluationError", "Report"),
    "evaluation.report.results": ("Attempt", "Result"),
    "evaluation.review": ("Votes", "collect_votes"),
    "evaluation.scorers": (
        "Bleu",
        "CharacterErrorRate",
        "Choice",
        "ChrF",
        "ClassificationReport",
        "Contains",
        "EditSimilarity",
        "ExactMatch",
        "Forbids",
        "JsonMatch",
        "JsonSchemaMatch",
        "Length",
        "NumericMatch",
        "RegexMatch",
        "Rubric",
        "SameLanguage",
        "Scorer",
        "SemanticSimilarity",
        "ToolCallMatch",
    ),
    "statistics": ("Estimate",),
}
_MODULES = {  # public as a whole
    "augmenters": "data.augmenters",
    "judges": "evaluation.judges",
    "review": "evaluation.review",
    "scorers": "evaluation.scorers",
    "statistics": "statistics",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "Answer",
    "Attempt",
    "BackTranslation",
    "Bleu",
    "Candidate",
    "Case",
    "Change",
    "CharacterErrorRate",
    "ChatModel",
    "Checkpoint",
    "Choice",
    "ChrF",
    "Claim",
    "ClassificationReport",
    "Comparison",
    "Contains",
    "CostEstimate",
    "DataError",
    "Dataset",
    "Diagnostic",
    "EditSimilarity",
    "Estimate",
    "EvaluationError",
    "Evaluator",
    "ExactMatch",
    "Example",
    "FewShot",
    "FinetuneError",
    "Forbids",
    "GoldenCheck",
    "GoldenSet",
    "InvalidDatasetError",
    "Job",
    "JobCancelledError",
    "JobError",
    "JobEvent",
    "JobFailedError",
    "JobTimeoutError",
    "JsonMatch",
    "JsonSchemaMatch",
    "Judge",
    "JudgeQuality",
    "Judgment",
    "Leaderboard",
    "Length",
    "Message",
    "Metrics",
    "MissingExtraError",
    "Noise",
    "NumericMatch",
    "PairwiseJudge",
    "Paraphrase",
    "PersonaVariants",
    "Platform",
    "PlatformError",
    "Progress",
    "Proof",
    "Rag",
    "ReadError",
    "Recorded",
    "RegexMatch",
    "Report",
    "Result",
    "Rubric",
    "SameLanguage",
    "Score",
    "Scorer",
    "Script",
    "SemanticSimilarity",
    "Split",
    "Stats",
    "SystemPrompts",
    "Template",
    "TokenCount",
    "ToolCall",
    "ToolCallMatch",
    "ValidationReport",
    "Verdict",
    "Votes",
    "collect_votes",
    "connect",
    "explain",
    "leaderboard",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{_MODULES[name]}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])

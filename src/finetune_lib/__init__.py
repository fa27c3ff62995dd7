"""finetune_lib: from a messy spreadsheet to a fine-tuned model that you can prove is better.

`import finetune_lib as ft` costs next to nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetune_lib.augmenters import (
        BackTranslation,
        Noise,
        Paraphrase,
        PersonaVariants,
        Script,
        SystemPrompts,
        Template,
    )
    from finetune_lib.candidates import Candidate, ChatModel
    from finetune_lib.dataset import Dataset, Split
    from finetune_lib.diagnostics import Change, Diagnostic, TokenCount, ValidationReport, explain
    from finetune_lib.errors import (
        DataError,
        EvaluationError,
        FinetuneError,
        InvalidDatasetError,
        JobCancelledError,
        JobError,
        JobFailedError,
        JobTimeoutError,
        MissingExtraError,
        PlatformError,
        ReadError,
    )
    from finetune_lib.evaluator import Evaluator
    from finetune_lib.fixing import Account
    from finetune_lib.job import Job
    from finetune_lib.leakage import Proof
    from finetune_lib.measuring import CostEstimate, Stats
    from finetune_lib.metrics import Metrics
    from finetune_lib.platforms import Platform, connect
    from finetune_lib.records import Answer, Case, Checkpoint, Example, JobEvent, Message
    from finetune_lib.report import Comparison, Report
    from finetune_lib.scorers import Contains, ExactMatch, Scorer
    from finetune_lib.statistics import Estimate

__version__ = "0.1.0"

_HOMES = {
    "augmenters": (
        "BackTranslation",
        "Noise",
        "Paraphrase",
        "PersonaVariants",
        "Script",
        "SystemPrompts",
        "Template",
    ),
    "candidates": ("Candidate", "ChatModel"),
    "dataset": ("Dataset", "Split"),
    "diagnostics": ("Change", "Diagnostic", "TokenCount", "ValidationReport", "explain"),
    "errors": (
        "DataError",
        "EvaluationError",
        "FinetuneError",
        "InvalidDatasetError",
        "JobCancelledError",
        "JobError",
        "JobFailedError",
        "JobTimeoutError",
        "MissingExtraError",
        "PlatformError",
        "ReadError",
    ),
    "evaluator": ("Evaluator",),
    "fixing": ("Account",),
    "job": ("Job",),
    "leakage": ("Proof",),
    "measuring": ("CostEstimate", "Stats"),
    "metrics": ("Metrics",),
    "platforms": ("Platform", "connect"),
    "records": ("Answer", "Case", "Checkpoint", "Example", "JobEvent", "Message"),
    "report": ("Comparison", "Report"),
    "scorers": ("Contains", "ExactMatch", "Scorer"),
    "statistics": ("Estimate",),
}
_MODULES = ("augmenters", "statistics")  # public as a whole
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "Answer",
    "BackTranslation",
    "Candidate",
    "Case",
    "Change",
    "ChatModel",
    "Checkpoint",
    "Comparison",
    "Contains",
    "CostEstimate",
    "DataError",
    "Dataset",
    "Diagnostic",
    "Estimate",
    "EvaluationError",
    "Evaluator",
    "ExactMatch",
    "Example",
    "FinetuneError",
    "InvalidDatasetError",
    "Job",
    "JobCancelledError",
    "JobError",
    "JobEvent",
    "JobFailedError",
    "JobTimeoutError",
    "Message",
    "Metrics",
    "MissingExtraError",
    "Noise",
    "Paraphrase",
    "PersonaVariants",
    "Platform",
    "PlatformError",
    "Proof",
    "ReadError",
    "Report",
    "Scorer",
    "Script",
    "Split",
    "Stats",
    "SystemPrompts",
    "Template",
    "TokenCount",
    "ValidationReport",
    "connect",
    "explain",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])

"""How an evaluation was run, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong in an evaluation."""

    candidate: str
    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How an evaluation was run.

    Attributes:
        id: Its name in the history.
        started: When, in seconds since 1970.
        seconds: How long it took.
        golden: The content of the golden set: equal for equal sets.
        models: The model of each candidate that has one.
        judge_models: The model of each judge that has one.
        paid_calls: Calls to models that this run paid.
        reused: Answers that earlier runs had paid.
        usd: US dollars of this run; None where a price is not known.
        job: The fine-tuning job whose model was evaluated.
        training_file: Its training data, as the platform names it.
        training_usd: What the training cost.
    """

    id: str = ""
    started: float = 0.0
    seconds: float = 0.0
    golden: str = ""
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    judge_models: Mapping[str, str] = field(default_factory=dict[str, str])
    paid_calls: int = 0
    reused: int = 0
    usd: float | None = None
    job: str | None = None
    training_file: str | None = None
    training_usd: float | None = None


NO_RUN = RunRecord()

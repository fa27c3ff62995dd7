"""How an evaluation was run, and what went wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        golden_name: What the golden set is called.
        golden_date: The day on which its file was last changed, where it came from one.
        settings: How each candidate, scorer and judge was set, as `{"tuned": {"temperature": 0}}`.
        answered: The models that platforms say have answered, by candidate.
        judging: What judges and graders cost, by name, whether paid in this run or earlier; None where a price is
            not known.
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
    golden_name: str = ""
    golden_date: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    answered: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    judging: Mapping[str, float | None] = field(default_factory=dict[str, float | None])


NO_RUN = RunRecord()

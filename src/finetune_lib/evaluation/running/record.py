"""How an evaluation was run, for its report and the history: models, spending, the job and what it cost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from finetune_lib import catalog
from finetune_lib.evaluation.report import RunRecord
from finetune_lib.evaluation.running.run import Plan
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.platforms import LOCAL, OPENAI, Platform
from finetune_lib.platforms.asking import Session
from finetune_lib.records import JobRecord

MILLION = 1_000_000


class Job(Protocol):
    """What the record of an evaluation asks of a fine-tuning job: what it was, and where it ran."""

    @property
    def record(self) -> JobRecord:
        """What the platform answered."""
        ...

    @property
    def platform(self) -> Platform:
        """Where the job runs."""
        ...


def run_record(plan: Plan, session: Session, job: Job | None, *, started: float, seconds: float) -> RunRecord:
    """The record of a finished run."""
    spent = session.purse.spent
    record = RunRecord(
        id=f"eval-{uuid.uuid4().hex[:12]}",
        started=started,
        seconds=seconds,
        golden=plan.contents.digest,
        models=_models(plan.candidates),
        judge_models=_models(plan.judges),
        paid_calls=spent.calls,
        reused=spent.reused,
        usd=spent.usd,
    )
    if job is None:
        return record
    return replace(record, job=job.record.id, training_file=job.record.training_file, training_usd=_training_usd(job))


def _models(things: Mapping[str, object]) -> dict[str, str]:
    return {name: str(model) for name, one in things.items() if (model := getattr(one, "model", None))}


def _training_usd(job: Job) -> float | None:
    """What the training cost by the catalogue; nothing on one's own machine, None where it is not known."""
    if job.platform.name == LOCAL:
        return 0.0
    facts, tokens = catalog.find(job.record.model), job.record.trained_tokens
    if job.platform.name != OPENAI or tokens is None or facts is None or facts.price is None:
        return None
    return facts.price.training * tokens / MILLION


def signatures(scorers: Mapping[str, Scorer]) -> dict[str, str]:
    """How exactly scorers measure, where they say so."""
    return {name: str(told) for name, one in scorers.items() if (told := getattr(one, "signature", None))}

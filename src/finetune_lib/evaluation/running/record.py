"""How an evaluation was run, for its report and the history: models, spending, the job and what it cost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from finetune_lib.evaluation.report import RunRecord
from finetune_lib.evaluation.running.run import Plan
from finetune_lib.evaluation.running.settings import settings_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.evaluation.scorers.scorer import scale_of
from finetune_lib.platforms.asking import Session
from finetune_lib.records import JobRecord


class Job(Protocol):
    """What the record of an evaluation asks of a fine-tuning job: what it was, and what it cost."""

    @property
    def record(self) -> JobRecord:
        """What the platform answered."""
        ...

    def cost(self) -> float | None:
        """US dollars of the training; None where they are not known."""
        ...


def run_record(
    plan: Plan, session: Session, golden: object, job: Job | None, *, started: float, seconds: float
) -> RunRecord:
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
        golden_name=str(getattr(golden, "name", "") or ""),
        golden_date=getattr(golden, "dated", None),
        settings=_settings(plan),
        answered={
            name: share.models for name in plan.candidates if (share := session.shares.get(name)) and share.models
        },
        judging={name: share.usd for name, share in session.shares.items() if name.startswith(("judge ", "scorer "))},
    )
    if job is None:
        return record
    return replace(record, job=job.record.id, training_file=job.record.training_file, training_usd=job.cost())


def _settings(plan: Plan) -> dict[str, dict[str, Any]]:
    named = {
        **plan.candidates,
        **{f"scorer {name}": one for name, one in plan.scorers.items()},
        **{f"judge {name}": one for name, one in plan.judges.items()},
    }
    return {name: told for name, one in named.items() if (told := settings_of(one))}


def _models(things: Mapping[str, object]) -> dict[str, str]:
    return {name: str(model) for name, one in things.items() if (model := getattr(one, "model", None))}


def scales(scorers: Mapping[str, Scorer]) -> dict[str, tuple[float, float]]:
    """The least and the greatest score of the scorers that declare them.

    Raises:
        ValueError: A scale is none; its scorer is named.
    """
    found: dict[str, tuple[float, float]] = {}
    for name, one in scorers.items():
        try:
            found |= {name: ends} if (ends := scale_of(one)) else {}
        except (TypeError, ValueError) as error:
            raise ValueError(f"range of scorer {name}: {error}") from error
    return found


def signatures(scorers: Mapping[str, Scorer]) -> dict[str, str]:
    """How exactly scorers measure, where they say so."""
    return {name: str(told) for name, one in scorers.items() if (told := getattr(one, "signature", None))}

"""A job as a notebook shows it."""

from __future__ import annotations

from collections.abc import Mapping

from finetune_lib.pages.markup import Markup, table, tag
from finetune_lib.pages.style import style
from finetune_lib.records import JobRecord, clock_time


def job_html(record: JobRecord, *, status: str, platform: str, reason: str, cost: float | None) -> Markup:
    """Its status, and below it what is known of it."""
    moments = {"created": record.created_at, "ended": record.finished_at, "probably ends": record.estimated_finish}
    told: Mapping[str, str | None] = {
        "base": record.model,
        "model": record.fine_tuned_model,
        "platform": platform,
        **{name: None if at is None else clock_time(at) for name, at in moments.items()},
        "cost": None if cost is None else f"${cost:,.2f}",
        "reason": reason,
    }
    rows = [(name, value) for name, value in told.items() if value]
    head = tag("p", tag("strong", record.id), " ", tag("span", status, class_="badge"))
    return tag("div", style(), head, table(("", ""), rows), class_="ftl")

"""The table of metrics of a job, with the columns that OpenAI's result files have."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "full_valid_loss",
    "valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}


def results_csv(events: Iterable[Mapping[str, Any]]) -> bytes:
    """One row a step; empty where a step was not validated."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = (event["data"] for event in events if event["type"] == "metrics")
    writer.writerows([row.get(name, "") for name in COLUMNS.values()] for row in rows)
    return text.getvalue().encode()

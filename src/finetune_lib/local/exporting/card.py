"""The model card of an export: what it was made of and how to ask it, in the form that hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def card(name: str, base: str, job: Mapping[str, Any] | None, *, is_adapter: bool) -> str:
    """The text of README.md.

    Args:
        name: The model.
        base: What it was trained from; only the last part of a path is told.
        job: The job that trained it, where it is known.
        is_adapter: It is an adapter, to be put on its base.
    """
    shown = Path(base).name if Path(base).is_absolute() else base
    head = {"base_model": shown, "library_name": "peft" if is_adapter else "transformers", "tags": ["fine-tuned"]}
    front = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in head.items())
    rows = {"Model": name, "Base": shown, **(_training(job) if job else {})}
    table = "".join(f"| {key} | {value} |\n" for key, value in rows.items())
    return (
        f"---\n{front}pipeline_tag: text-generation\n---\n\n# {name}\n\n| | |\n|---|---|\n{table}\n"
        "The licence of the base holds for this model, too.\n\n"
        "The chat template and the tokens that end a turn are in this folder: use `apply_chat_template`, and nothing "
        "else to write the prompt.\n"
    )


def _training(job: Mapping[str, Any]) -> dict[str, Any]:
    day = datetime.fromtimestamp(job["finished_at"], UTC).date() if job.get("finished_at") else None
    return {
        "Method": job["method"]["type"],
        **{name.replace("_", " "): value for name, value in job["hyperparameters"].items()},
        "Seed": job["seed"],
        "Trained tokens": job["trained_tokens"],
        "Day": day,
    }

"""All formats; the first whose sign a row has is the row's own."""

from __future__ import annotations

from typing import Final, Literal

from finetune_lib.data.formats import (
    alpaca,
    anthropic,
    evals,
    gemini,
    llamafactory,
    masks,
    openai,
    pairs,
    placeholders,
    questions,
    services,
    sharegpt,
    stored,
    swift,
    trl,
    unsayable,
)
from finetune_lib.data.formats.format import Format

FormatName = Literal["openai", "trl", "sharegpt", "alpaca", "completion", "together", "mistral", "llamafactory"]
"""The formats that are written."""

FORMATS: Final[tuple[Format, ...]] = (
    sharegpt.SHAREGPT,
    gemini.GEMINI,
    llamafactory.LLAMAFACTORY,
    openai.OPENAI,
    alpaca.ALPACA,
    trl.TRL,
    stored.STORED,
    evals.EVALS,
    swift.SWIFT,
    questions.QUESTIONS,
    unsayable.TEXT,
    unsayable.KTO,
    placeholders.PLACEHOLDERS,
    anthropic.ANTHROPIC,
    pairs.COMPLETION,
    services.TOGETHER,
    services.MISTRAL,
    masks.MASKS,
)

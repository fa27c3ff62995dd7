"""What is known of models: encoding, training limit, dates; each with its source and the day it was read."""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from finetune_lib.files import packaged_text
from finetune_lib.pictures import PictureRule

DATED = re.compile(r"-\d{4}(-\d{2}-\d{2})?$")


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a model in US dollars per million tokens.

    Attributes:
        training: A token learned once.
        input: A token that a fine-tune reads.
        output: A token that a fine-tune writes.
        source: Where the prices are from.
        checked: The day they were read there.
        base_input: A token that the base itself reads.
        base_output: A token that the base itself writes.
    """

    training: float
    input: float
    output: float
    source: str
    checked: datetime.date
    base_input: float | None = None
    base_output: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model of the catalogue.

    Attributes:
        encoding: The tokenizer's vocabulary: `o200k_base`, `cl100k_base` or `bytes`.
        training_limit: Tokens of one example that are learned; the rest is cut.
        source: Where the numbers are from.
        checked: The day they were read there.
        platform: Whose model it is: `openai` or `local`.
        last_new_job: From this day the platform takes no new job on it; None where none is announced.
        shutdown: The day it and its fine-tunes stop answering.
        price: What training and calls cost; None where that is not known.
        pictures: How it counts pictures; None where it reads none or that is not known.
    """

    encoding: str
    training_limit: int
    source: str
    checked: datetime.date
    platform: Literal["openai", "local"] = "openai"
    last_new_job: datetime.date | None = None
    shutdown: datetime.date | None = None
    price: Price | None = None
    pictures: PictureRule | None = None


def today() -> datetime.date:
    """The day that announced ends and the age of prices are held against.

    `FINETUNE_LIB_TODAY` names another one, as `2026-12-01`, for pipelines and tests that must say tomorrow what they
    say now.

    Raises:
        ValueError: It is no day.
    """
    given = os.environ.get("FINETUNE_LIB_TODAY")
    try:
        return datetime.date.fromisoformat(given) if given else datetime.date.today()
    except ValueError as error:
        raise ValueError(f"FINETUNE_LIB_TODAY is a day as 2026-12-01, not {given!r}") from error


@cache
def models() -> Mapping[str, ModelFacts]:
    """All models of the catalogue."""
    text = packaged_text("finetune_lib", "catalog.toml")
    return {name: _facts(**entry) for name, entry in tomllib.loads(text).items()}


def _facts(
    price: Mapping[str, Any] | None = None, pictures: Mapping[str, Any] | None = None, **entry: Any
) -> ModelFacts:
    counted = PictureRule(**pictures) if pictures else None
    return ModelFacts(**entry, price=Price(**price) if price else None, pictures=counted)


def find(model: str) -> ModelFacts | None:
    """The facts of a model by its name, its dated snapshot, or a fine-tune of it (`ft:…`)."""
    name = base_of(model)
    return models().get(name) or models().get(DATED.sub("", name))


def base_of(model: str) -> str:
    """The base that a fine-tuned model's name carries: `ft:gpt-4.1-mini-2025-04-14:org::id` → its second part."""
    return model.split(":")[1] if model.startswith("ft:") else model

"""The table of targets, `rules.toml`, read once: what each asks of training data, with its sources and their date."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

from finetune_lib.data.diagnostics import Severity
from finetune_lib.files import packaged_text
from finetune_lib.records import Kind

Form = Kind | Literal["text"]
SETS = frozenset(
    {"roles", "row_keys", "weighted_roles", "refused_repeats", "image_methods", "image_sources", "image_types"}
)


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of training at a target.

    Attributes:
        models: The models it is about; empty for all of them.
        day: No new job from this day on.
        firm: Whether the day is announced as the end; otherwise it is the earliest one.
        stop: The day on which fine-tuned models stop answering.
    """

    models: tuple[str, ...]
    day: date
    firm: bool
    stop: date | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one target.

    Attributes:
        name: What findings call it.
        read: The day its sources were read.
        source: Where the rules are from.
        minimum: The fewest examples it trains on.
        maximum: The most, by method; none where no limit is known.
        upload_bytes: The largest file that it takes in one request; 0 where no limit is known.
        file_bytes: The largest file it takes at all; 0 where no limit is known.
        bom: Whether a byte order mark is `refused`, `asked` for, or may stand (`any`).
        formats: The forms of a row that each method learns from; a method that is missing is not offered.
        roles: The roles that its messages may have.
        row_keys: The keys that a chat row may have.
        weighted_roles: The roles whose `weight` means something.
        refused_repeats: The roles that may not have two turns in a row.
        arguments: Whether the arguments of a tool call are JSON `text` or an `object`.
        call_ids: Whether calls and their results name each other by ids.
        call_id_form: What such an id must look like; empty where any text will do.
        image_methods: The methods that learn from images.
        image_sources: Where an image may be: `http`, `https`, or in a `data` URL.
        image_types: Its formats.
        images_per_example: The most images of one example.
        image_bytes: The largest image.
        image_examples: The most examples with images; 0 where no limit is known.
        closing: Announced ends of training.
        severity: What a code weighs here where that is not what it weighs elsewhere; `off` leaves it out.
    """

    name: str
    read: date
    source: tuple[str, ...]
    minimum: int
    maximum: Mapping[str, int]
    upload_bytes: int
    file_bytes: int
    bom: Literal["refused", "asked", "any"]
    formats: Mapping[str, tuple[Form, ...]]
    roles: frozenset[str]
    row_keys: frozenset[str]
    weighted_roles: frozenset[str]
    refused_repeats: frozenset[str]
    arguments: Literal["text", "object"]
    call_ids: bool
    call_id_form: str
    image_methods: frozenset[str]
    image_sources: frozenset[str]
    image_types: frozenset[str]
    images_per_example: int
    image_bytes: int
    image_examples: int
    closing: tuple[Closing, ...]
    severity: Mapping[str, Severity | Literal["off"]]


@cache
def profiles() -> Mapping[str, Profile]:
    """The rules of all targets; `default` are those that hold where no target is said."""
    table = tomllib.loads(packaged_text("finetune_lib.data.checks", "rules.toml"))
    return {target: _profile(_inherited(section, table)) for target, section in table.items()}


def _inherited(section: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """A section with what it takes over from the one it is `like`."""
    base = _inherited(table[section["like"]], table) if "like" in section else {}
    own = {key: value for key, value in section.items() if key != "like"}
    severity = {**base.get("severity", {}), **own.get("severity", {})}
    return {**base, **own, "severity": severity}


def _profile(section: Mapping[str, Any]) -> Profile:
    values: dict[str, Any] = {key: frozenset(value) if key in SETS else value for key, value in section.items()}
    values["source"] = tuple(section["source"])
    values["formats"] = {method: tuple(forms) for method, forms in section["formats"].items()}
    ends = ((tuple(end["models"]), end["day"], end["firm"], end.get("stop")) for end in section["closing"])
    values["closing"] = tuple(Closing(*end) for end in ends)
    return Profile(**values)

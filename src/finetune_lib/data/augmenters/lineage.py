"""Lineage: which example a child was made from, by which operation, with which seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from finetune_lib.records import Example


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a child comes from.

    Attributes:
        parent: The content hash of the example that it was made from.
        operation: The augmenter's name and what it did, as `noise:width+typos`.
        seed: The seed of the run.
        family: The content hash of the first ancestor; all rows of one family belong into one part of a split.
    """

    parent: str
    operation: str
    seed: int
    family: str


def content_hash(data: Mapping[str, Any]) -> str:
    """A row's content as 32 hexadecimal digits; the order of its keys does not matter."""
    text = json.dumps(data, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def family_of(example: Example) -> str:
    """The family that an example hands on to its children: the one it has, else its own content."""
    return example.family or content_hash(example.data)

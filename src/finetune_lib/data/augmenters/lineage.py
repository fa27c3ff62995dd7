"""Lineage: which example a child was made from, by which operation, with which seed."""

from __future__ import annotations

from dataclasses import dataclass

from finetune_lib.records import Example
from finetune_lib.rows.identity import content_hash
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class Lineage(Shown):
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


def family_of(example: Example) -> str:
    """The family that an example hands on to its children: the one it has, else its own content."""
    return example.family or content_hash(example.data)

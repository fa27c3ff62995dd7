"""Which examples go where: by their question and a seed, never by their row; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from finetune_lib.converting import messages_of, role_of
from finetune_lib.records import Example


def split_places(
    examples: Sequence[Example], *, validation: float | int, golden: float | int, seed: int
) -> tuple[list[int], list[int], list[int]]:
    """The places of the training, the validation and the golden examples.

    Raises:
        ValueError: Nothing is left for training.
    """
    sizes = [_size(share, len(examples)) for share in (golden, validation)]
    if sum(sizes) >= len(examples):
        raise ValueError(f"golden and validation take {sum(sizes)} of {len(examples)} examples: none is left")
    groups = iter(_by_question(examples, seed))
    kept, held_out = (_take(groups, size) for size in sizes)
    rest = [place for group in groups for place in group]
    if not rest:
        raise ValueError("golden and validation take every question, as equal ones stay together: none is left")
    return rest, held_out, kept


def _by_question(examples: Sequence[Example], seed: int) -> list[list[int]]:
    """Places of the examples, those with one question together, in an order that content and seed decide."""
    groups: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        groups.setdefault(_question(example, seed), []).append(place)
    return [groups[key] for key in sorted(groups)]


def _question(example: Example, seed: int) -> str:
    asked = [message for message in messages_of(example) if role_of(message) == "user"]
    question = asked or example.data.get("prompt") or example.data.get("input") or example.data
    text = json.dumps(question, sort_keys=True, default=repr)
    return hashlib.sha256(f"{seed}\n{text}".encode()).hexdigest()


def _take(groups: Iterator[list[int]], count: int) -> list[int]:
    """Take whole groups until `count` examples are reached."""
    taken: list[int] = []
    while len(taken) < count and (group := next(groups, None)):
        taken += group
    return taken


def _size(share: float | int, total: int) -> int:
    if share < 0 or (isinstance(share, float) and share >= 1):
        raise ValueError(f"a part is a share below 1.0 or a count of examples, not {share!r}")
    return share if isinstance(share, int) else max(1, round(share * total)) if share else 0

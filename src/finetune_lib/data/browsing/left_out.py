"""The list that a page of examples saves: which of them somebody who read them leaves out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune_lib.errors import DataError
from finetune_lib.records import Example
from finetune_lib.rows.identity import content_hash


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    example: int
    row: str


class _LeftOut(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    left_out: tuple[_Row, ...]


def kept_places(examples: Sequence[Example], path: Path) -> list[int]:
    """The places of what the list does not leave out.

    A row is the one of its number; where rows have moved since, the only one with its content.

    Raises:
        DataError: The file is no such list, or rows of it are not in the data.
    """
    try:
        listed = _LeftOut.model_validate_json(path.read_text(encoding="utf-8")).left_out
    except (OSError, UnicodeDecodeError, ValidationError, json.JSONDecodeError) as error:
        raise DataError(
            f"{path} is no list of examples to leave out, as the page of browse() saves it: {error}"
        ) from error
    places = defaultdict[str, list[int]](list)
    for place, example in enumerate(examples):
        places[content_hash(example.data)].append(place)
    found = {one: _place(one, places[one.row]) for one in listed}
    if lost := [one.example for one, place in found.items() if place is None]:
        raise DataError(
            f"{path}: {len(lost)} of {len(listed)} examples are not in this data as they were read "
            f"(numbers {', '.join(map(str, lost[:10]))}). Leave them out of the data that the page showed."
        )
    return [place for place in range(len(examples)) if place not in set(found.values())]


def _place(one: _Row, places: Sequence[int]) -> int | None:
    if one.example - 1 in places:
        return one.example - 1
    return places[0] if len(places) == 1 else None

"""A dataset for the notebook: its first examples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.rendering.markup import Markup, table, tag
from finetune_lib.rendering.page import style

if TYPE_CHECKING:
    from finetune_lib.records import Example

SHOWN = 10


def dataset_html(name: str, examples: Sequence[Example]) -> Markup:
    """The number of examples and the conversations of the first ones, as they are, sound or not."""
    rows = [[str(n), _turns(example)] for n, example in enumerate(islice(examples, SHOWN), start=1)]
    title = tag("p", f"{name}: {len(examples)} examples", class_="soft")
    return tag("div", style(), title, table(["#", "conversation"], rows), class_="ftl list")


def _turns(example: Example) -> Markup:
    messages = example.data.get("messages")
    turns = cast("list[Any]", messages) if isinstance(messages, list) else [example.data]
    return tag("div", *(tag("p", _turn(turn)) for turn in turns))


def _turn(turn: Any) -> str:
    fields = cast("dict[str, Any]", turn) if isinstance(turn, dict) else {}
    return f"{fields['role']}: {fields.get('content', '')}" if "role" in fields else str(cast("object", turn))

"""What a row means: metadata beside it, a foreign format, a pair that is to be a chat; pure and picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from finetune_lib.data.formats import OWN_DIALECTS, UNSAYABLE_DIALECTS, as_chat, dialect_of, translated
from finetune_lib.records import Example, Kind
from finetune_lib.rows.messages import fields_of, items_of

METADATA = "_ftl"
WIRE_KEYS: Mapping[Kind, frozenset[str]] = {
    "chat": frozenset({"messages", "tools", "parallel_tool_calls", "functions"}),
    "preference": frozenset({"input", "preferred_output", "non_preferred_output"}),
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """From the row that stands in a file to the example that is wished.

    Attributes:
        system: The system message of every example that has none.
        pairs: Whether prompt/completion pairs become chats.
        bare: Whether what all pairs of a table have for the sake of older models is taken off first.
    """

    system: str | None = None
    pairs: bool = False
    bare: bool = False

    @property
    def keeps_plain(self) -> bool:
        """Whether a plain chat stays as it is."""
        return self.system is None

    def __call__(self, example: Example) -> Example:
        """The example."""
        if METADATA in example.data:
            example = _with_metadata(example)
        if dialect := dialect_of(example.data):
            example = _without_rest(replace(translated(example), dialect=dialect))
        return as_chat(example, self.system, pairs=self.pairs)


def _with_metadata(example: Example) -> Example:
    """The row without the metadata that an earlier `save(metadata=True)` or a person put there."""
    data = {key: value for key, value in example.data.items() if key != METADATA}
    beside = fields_of(example.data[METADATA])
    return replace(
        example,
        data=data,
        category=_text(beside.get("category")) or example.category,
        family=_text(beside.get("family")),
        operation=_text(beside.get("operation")),
        ignore=_codes(beside.get("ignore")),
    )


def _without_rest(example: Example) -> Example:
    """The row without what its format carries beside the conversation, as an id."""
    known = WIRE_KEYS.get(example.kind)
    rest = tuple(key for key in example.data if known and key not in known)
    if not rest or example.dialect in UNSAYABLE_DIALECTS | OWN_DIALECTS:
        return example
    data = {key: value for key, value in example.data.items() if key not in rest}
    return replace(example, data=data, left_out=rest)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _codes(value: object) -> tuple[str, ...]:
    return tuple(code for code in items_of(value) if isinstance(code, str))


def metadata_of(example: Example) -> dict[str, Any]:
    """What stands beside an example, as `save(metadata=True)` writes it; empty where there is nothing."""
    given = {
        "category": example.category,
        "family": example.family,
        "operation": example.operation,
        "ignore": list(example.ignore),
    }
    return {name: value for name, value in given.items() if value}

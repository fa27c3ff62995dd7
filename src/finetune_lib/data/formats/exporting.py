"""Rows in the formats of other projects and services."""

from __future__ import annotations

from typing import Any, Final, get_args

from finetune_lib.data.formats.features import features, refuse
from finetune_lib.data.formats.known import FORMATS, FormatName
from finetune_lib.data.formats.translating import translated
from finetune_lib.records import Example
from finetune_lib.rows.messages import OUTPUTS, fields_of, is_list

WRITTEN: Final = {known.name: known for known in FORMATS if known.write}


def exported(example: Example, *, format: FormatName) -> dict[str, Any]:
    """The example's row in another format; reading it back gives the same content.

    Nothing is left out silently. A weight of 1 is what every format does, so it needs no field; parts of text
    become one text, ids of calls may change together with their results, and arguments keep their value but not
    their spacing.

    Args:
        example: A chat, a preference, a prompt/completion pair, or a row that `translated` makes one.
        format: `openai`; `trl` (arguments as objects); `sharegpt` and `alpaca` as LLaMA-Factory reads them;
            `llamafactory` for its v1 shape, which has weights; `completion` for pairs; `together`; `mistral`.

    Raises:
        ValueError: The format has no place for something in the row, all of which the message lists; or the
            row is not sound, so that it should be validated first.
    """
    known = WRITTEN.get(format)
    if known is None or known.write is None:
        raise ValueError(f'format must be one of {", ".join(get_args(FormatName))}, not "{format}"')
    row = translated(example)
    if row.kind == "unknown" or not _is_whole(row):
        raise ValueError("the row is not a chat, a preference or a pair; validate the data first")
    if row.kind not in known.kinds:
        raise ValueError(f"{format} has no place for a row of the kind {row.kind}")
    if (carried := known.carries) is not None:
        refuse(format, [f"{what} ({path})" for what, path in features(row.data, row.kind) if what not in carried])
    return known.write(row.data, row.kind)


def _is_whole(example: Example) -> bool:
    """Whether the fields that its kind needs are there, of the type they have."""
    data = example.data
    match example.kind:
        case "chat":
            return is_list(data["messages"]) and bool(data["messages"])
        case "preference":
            sides = (data.get(side) for side in OUTPUTS)
            return all(is_list(part) and part for part in (fields_of(data.get("input")).get("messages"), *sides))
        case "completion":
            return isinstance(data.get("prompt"), str) and isinstance(data.get("completion"), str)
        case "unknown":
            return False

"""Examples that stand in the data more than once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin


def exact_duplicates(examples: Sequence[Example]) -> Iterator[Diagnostic]:
    """Each repetition of an earlier example, with the place of the first."""
    seen: dict[bytes, Origin] = {}
    for example in examples:
        text = json.dumps(example.data, sort_keys=True, default=repr)
        key = blake2b(text.encode(), digest_size=16).digest()
        if key in seen:
            yield diagnose("D801", example.origin, first=_place(seen[key]))
        else:
            seen[key] = example.origin


def _place(origin: Origin) -> str:
    where = (
        origin.cells.get("")
        or (origin.line and f"line {origin.line}")
        or (origin.row and f"row {origin.row}")
        or "an earlier row"
    )
    return str(where)

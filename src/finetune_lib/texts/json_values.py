"""JSON as models write it: among words, in fences, more than once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

MOST_STARTS = 50  # brackets that are tried: a text of brackets alone must not take long


def json_values(text: str, *, brackets: str = "{[") -> Iterator[Any]:
    r"""Each outermost JSON value in a text that begins with one of the brackets.

    Example:
        >>> list(json_values('Sure! ```json\n{"level": "same"}\n``` [1]', brackets="{"))
        [{'level': 'same'}]
    """
    decoder, end = json.JSONDecoder(), 0
    for found in islice(re.finditer(f"[{re.escape(brackets)}]", text), MOST_STARTS):
        if found.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        yield value

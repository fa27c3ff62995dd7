"""Examples as lines of JSONL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from finetune_lib.errors import DataError


def json_line(data: Mapping[str, Any], number: int) -> bytes:
    """One object as a line of UTF-8.

    Raises:
        DataError: It holds a value that JSON has no form for, as a date or NaN.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half a character: only its escape can be written
        return json.dumps(data).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise DataError(f"example {number} holds a value that JSON has no form for: {error}") from error

"""Which row is which: by its content, wherever it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_hash(data: Mapping[str, Any]) -> str:
    """A row's content as 32 hexadecimal digits; the order of its keys does not matter."""
    text = json.dumps(data, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""Ids in the shapes that OpenAI gives them."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """A random id: `new_id("ftjob-")`."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def model_name(base: str, suffix: str | None) -> str:
    """The name of a new fine-tuned model: `ft:<base>:<organisation>:<suffix>:<8 characters>`."""
    return f"ft:{base}:local:{suffix or ''}:{new_id('', 8)}"

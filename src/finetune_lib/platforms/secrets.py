"""Keys: held so that nothing shows or carries them, and wiped from the words of others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "***"
SHORTEST = 6  # characters: what is shorter is no key, and would be found in ordinary words
# Keys of others that a service may echo: those of OpenAI's form, and whatever stands as a bearer.
_KEYS = re.compile(r"\b(?:sk|rk|pk)-[\w-]{8,}|(?<=[Bb]earer )[\w.~+/-]{8,}=*")
_IN_ADDRESS = re.compile(r"(?<=[?&])((?:api[-_]?)?key|token|sig|code)=[^&\s\"']+", re.IGNORECASE)


class Secret:
    """A text that no repr, copy into another form, pickle or log carries; `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str | None:
        """The text; None where it did not travel, as through a pickle."""
        return self._text or None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: Any) -> Secret:
        return self

    def __reduce__(self) -> tuple[type[Secret], tuple[()]]:
        return Secret, ()


def cleaned(key: str | None) -> str | None:
    """The key without the spaces and line ends that come with reading it from a file.

    Raises:
        ValueError: It has characters that no key has; they are not shown.
    """
    if key is None:
        return None
    stripped = key.strip()
    if not (stripped.isascii() and stripped.isprintable()):
        raise ValueError("the API key has characters that no key has: copy it again")
    return stripped


def scrubbed(text: str, secrets: Iterable[str | None] = ()) -> str:
    """A text of others without keys: those that are given, and whatever has the form of one."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return _IN_ADDRESS.sub(rf"\1={HIDDEN}", _KEYS.sub(HIDDEN, text))

"""Keys: held so that nothing shows or carries them, and wiped from the words of others."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

HIDDEN = "***"
SHORTEST = 6  # characters: what is shorter is no key, and would be found in ordinary words
# So long a key is in no name by chance; and so much of its beginning in no text.
LONG, HEAD = 16, 12
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


def scrubbed(text: str, secrets: Iterable[str | None] = (), *, names: bool = False) -> str:
    """A text of others without keys: those that are given, in whatever form, and whatever has the form of one.

    Args:
        text: The text.
        secrets: The keys.
        names: It is a name or an id, which may have the form of a key, or a short one in it.
    """
    for secret in secrets:
        if secret and len(secret) >= (LONG if names else SHORTEST):
            text = _echoed(secret).sub(HIDDEN, text)
    return text if names else _IN_ADDRESS.sub(rf"\1={HIDDEN}", _KEYS.sub(HIDDEN, text))


@lru_cache(maxsize=16)
def _echoed(secret: str) -> re.Pattern[str]:
    """A key as it may come back: as it is, escaped as in an address or JSON; a long one also cut off, or in base64."""
    units = [re.escape(c) if c.isalnum() else rf"(?:\\?{re.escape(c)}|(?i:(?:%|\\u00){ord(c):02x}))" for c in secret]
    if len(secret) < LONG:
        return re.compile("".join(units))
    cut = "".join(units[:HEAD]) + f"(?:{'|'.join(sorted(set(units)))})*"
    return re.compile("|".join([cut, *_in_base64(secret)]))


def _in_base64(secret: str) -> Iterator[str]:
    """Where it begins within a group of three bytes tells what of the text is its own; all of the word goes."""
    for before in range(3):
        whole = b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        own = re.escape(whole[-(-before * 4 // 3) :][:HEAD]).replace(r"\+", "[+-]").replace("/", "[/_]")
        yield rf"[\w+/-]*{own}[\w+/=-]*"

"""connect(): from a word or an address to a Platform."""

from __future__ import annotations

import os
from os import PathLike
from urllib.parse import urlsplit

from finetune_lib.platforms.platform import LOCAL, OPENAI, Platform


def connect(
    where: str | None = None, *, api_key: str | None = None, root: str | PathLike[str] | None = None
) -> Platform:
    """Connect to a platform.

    Args:
        where: `"openai"`, `"local"`, or the base URL of a service that speaks OpenAI's protocol. By default
            OpenAI where `OPENAI_API_KEY` is set, else the embedded local platform.
        api_key: The key. For OpenAI by default `OPENAI_API_KEY`, which is sent nowhere else.
        root: The folder of the local platform: its files, jobs and models. By default `FINETUNE_LIB_HOME`,
            else `~/.finetune_lib`. The server of that folder is started, or joined where it already runs.

    Raises:
        ValueError: `where` is neither a known word nor an http address, or an address comes without a key.
        MissingExtraError: The local platform without `pip install "finetune_lib[local]"`.
        PlatformError: The local server does not start.
    """
    api_key = _clean(api_key)
    key = api_key or _clean(os.environ.get("OPENAI_API_KEY"))
    where = where or (OPENAI if key else LOCAL)
    if where == LOCAL:
        from finetune_lib import local  # the one place that reaches up, and only when asked to

        return local.connect(root)
    if where == OPENAI:
        return Platform(OPENAI, os.environ.get("OPENAI_BASE_URL"), key)
    address = urlsplit(where)
    if address.scheme not in {"http", "https"} or not address.hostname or address.username is not None:
        # What was given is not repeated: it may be a key, or carry a password.
        raise ValueError('connect() takes "openai", "local" or an http address without a user; a key goes to api_key=')
    if api_key is None:
        raise ValueError(f"connect({where!r}) needs api_key=…: OpenAI's own key is not sent to another service")
    return Platform(address.hostname, where, api_key)


def _clean(key: str | None) -> str | None:
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


def default_platform() -> Platform:
    """The platform of a call that names none: as `connect()` chooses."""
    return connect()

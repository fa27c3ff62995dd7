"""connect(): from a word, an address, a client or the environment to a Platform."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from finetune_lib.platforms.kinds import AZURE, LOCAL, OPENAI, kind_at
from finetune_lib.platforms.platform import Platform
from finetune_lib.platforms.policy import policy
from finetune_lib.platforms.secrets import cleaned

if TYPE_CHECKING:
    from openai import OpenAI as Client

WORDS = (OPENAI.name, AZURE.name, LOCAL.name)
PLATFORM = "FINETUNE_LIB_PLATFORM"
AZURE_ADDRESS, AZURE_KEY = "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"
OPENAI_ADDRESS, OPENAI_KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"
VERSIONS = ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
# Versions of Azure's address without a date, which is spoken to as OpenAI is.
UNDATED = ("", "v1", "preview", "latest")
NEEDS = (
    'connect() takes "openai", "azure", "local", an http address without a user, or a client; a key goes to api_key='
)


def connect(
    where: str | Client | None = None,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    root: str | PathLike[str] | None = None,
    local_only: bool = False,
) -> Platform:
    """Connect to a platform; nothing is sent yet. `platform.chosen` tells why it is this one.

    Args:
        where: `"openai"`, `"azure"`, `"local"`, the base URL of a service that speaks OpenAI's protocol, or an
            `OpenAI` or `AzureOpenAI` client of your own, whose key, proxy and certificates are then used. By default
            `FINETUNE_LIB_PLATFORM`; else Azure where both `AZURE_OPENAI_ENDPOINT` and `AZURE_OPENAI_API_KEY` are
            set; else OpenAI where `OPENAI_API_KEY` or `OPENAI_BASE_URL` is; else the embedded local platform.
        base_url: The same as an address in `where`.
        api_key: The key. For OpenAI by default `OPENAI_API_KEY`, which is sent nowhere else.
        root: The folder of the local platform: its files, jobs and models. By default `FINETUNE_LIB_HOME`,
            else `~/.finetune_lib`. The server of that folder is started, or joined where it already runs.
        local_only: Refuse every platform beyond this machine, and downloads from a hub.

    Raises:
        ValueError: `where` is neither a known word nor an http address, or an address comes without a key.
        TypeError: `where` is an asynchronous client, or no client at all.
        PolicyError: The policy forbids the platform.
        MissingExtraError: The local platform without `pip install "finetune_lib[local]"`.
        PlatformError: The local server does not start.
    """
    api_key = cleaned(api_key)
    where, chosen = (where or base_url, "") if where or base_url else _from_environment(api_key, local_only)
    if where == LOCAL.name:
        from finetune_lib.local import connection  # the one place that reaches up, and only when asked to

        policy(local_only=local_only).admit_address(LOCAL, "http://localhost")
        return connection.connect(root, chosen=chosen, local_only=local_only)
    if where == OPENAI.name:
        address = _set(OPENAI_ADDRESS)
        key = api_key or _set(OPENAI_KEY)
        name = OPENAI.name if address is None or kind_at(address) is OPENAI else urlsplit(address).hostname or ""
        return Platform(name, address, key, chosen=chosen, local_only=local_only)
    if where == AZURE.name:
        return _azure(api_key, chosen, local_only)
    if isinstance(where, str):
        return _service(where, api_key, chosen, local_only)
    return _of_client(where, local_only)


def _set(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _from_environment(api_key: str | None, local_only: bool) -> tuple[str, str]:
    """The platform that the environment names, and why it is that one."""
    if local_only:
        return LOCAL.name, "local_only=True"
    if named := _set(PLATFORM):
        return named, f"{PLATFORM} is set"
    openai = next((name for name in (OPENAI_KEY, OPENAI_ADDRESS) if _set(name)), None)
    if api_key:
        return OPENAI.name, "a key was given"
    if _set(AZURE_ADDRESS) and _set(AZURE_KEY):
        beside = f'; {openai} is set too, which connect("openai") takes' if openai else ""
        return AZURE.name, f"{AZURE_ADDRESS} and {AZURE_KEY} are set{beside}"
    if openai:
        return OPENAI.name, f"{openai} is set"
    return LOCAL.name, f"neither {OPENAI_KEY} nor {AZURE_ADDRESS} with {AZURE_KEY} is set"


def _azure(api_key: str | None, chosen: str, local_only: bool) -> Platform:
    endpoint, key = _set(AZURE_ADDRESS), api_key or _set(AZURE_KEY)
    if endpoint is None:
        raise ValueError(f'connect("azure") needs {AZURE_ADDRESS}, as https://NAME.openai.azure.com')
    version = next(filter(None, map(_set, VERSIONS)), "")
    base_url, version = _azures(endpoint, version)
    return Platform(AZURE.name, base_url, key, chosen=chosen, api_version=version, local_only=local_only)


def _azures(endpoint: str, version: str) -> tuple[str, str | None]:
    """Azure's address for an endpoint: the v1 one, or the one that wants a date."""
    parts = urlsplit(endpoint)
    version = parse_qs(parts.query).get("api-version", [version])[0]
    path = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/openai")
    dated = version not in UNDATED
    address = urlunsplit((parts.scheme, parts.netloc, f"{path}/openai" if dated else f"{path}/openai/v1/", "", ""))
    return address, version if dated else None


def _service(where: str, api_key: str | None, chosen: str, local_only: bool) -> Platform:
    address = urlsplit(where)
    if address.scheme not in {"http", "https"} or not address.hostname or address.username is not None:
        raise ValueError(NEEDS)  # what was given is not repeated: it may be a key, or carry a password
    if set(parse_qs(address.query)) - {"api-version"}:
        raise ValueError(f"an address has no query but api-version: {NEEDS}")
    if kind_at(where) is AZURE:
        base_url, version = _azures(where, "")
        return Platform(
            AZURE.name, base_url, _given(where, api_key), chosen=chosen, api_version=version, local_only=local_only
        )
    name = OPENAI.name if kind_at(where) is OPENAI else address.hostname
    return Platform(name, where, _given(where, api_key), chosen=chosen, local_only=local_only)


def _given(where: str, api_key: str | None) -> str:
    if api_key is None:
        shown = urlsplit(where).hostname
        raise ValueError(f"connect({where!r}) needs api_key=…: OpenAI's own key is not sent to {shown}")
    return api_key


def _of_client(client: Any, local_only: bool) -> Platform:
    import openai

    if not isinstance(client, openai.OpenAI):
        kind = type(client).__name__
        hint = "; give the synchronous one, whose proxy and certificates asynchronous calls use too"
        raise TypeError(f"{NEEDS}, not {kind!r}{hint if isinstance(client, openai.AsyncOpenAI) else ''}")
    address = str(client.base_url)
    azure = isinstance(client, openai.AzureOpenAI)
    name = AZURE.name if azure else kind_at(address).name if kind_at(address).hosts else urlsplit(address).hostname
    return Platform(str(name), address, chosen="a client was given", local_only=local_only, own=client)


def default_platform() -> Platform:
    """The platform of a call that names none: as `connect()` chooses."""
    return connect()

"""Platform: an address and a key, the kind of service that answers there, and the clients that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from finetune_lib.errors import FinetuneError, PlatformError, PolicyError
from finetune_lib.platforms.kinds import KINDS, OPENAI, Kind, kind_at
from finetune_lib.platforms.policy import Policy, policy
from finetune_lib.platforms.secrets import Secret, cleaned, scrubbed
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    from ssl import SSLContext

    from httpx2 import AsyncClient, Request
    from openai import APIStatusError, AsyncOpenAI, OpenAI

    from finetune_lib.platforms.rejoining import Rejoin

TOO_MANY = 429
NOT_THE_PROTOCOL = (ValidationError, ValueError, AttributeError, TypeError, IndexError, KeyError)
RETRYABLE = frozenset({408, 409, 429})
# A 429 that no waiting helps: the account has no money, or its limit of jobs is reached.
FINAL_CODES = frozenset({"insufficient_quota", "exceeded_quota", "billing_hard_limit_reached"})
NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
NO_HUB = "x-finetune-lib-no-hub"
SHOWN = 200  # characters of a refusal that has no form of its own


@dataclass(frozen=True, init=False)
class Platform(Shown):
    """Where models are trained and asked; `connect` makes one.

    Attributes:
        name: `openai`, `azure`, `local`, or the host of another service.
        base_url: The address that speaks OpenAI's protocol; None is OpenAI's own.
        kind: What the platform takes and tells.
        chosen: Why it is this one, in words.

    Example:
        >>> import finetune_lib as ft
        >>> ft.connect("https://llm.example.com/v1", api_key="secret")
        Platform(name='llm.example.com', base_url='https://llm.example.com/v1')
    """

    name: str
    base_url: str | None
    _secret: Secret = field(repr=False, hash=False)
    kind: Kind = field(repr=False, compare=False)
    chosen: str = field(repr=False, compare=False)
    api_version: str | None = field(repr=False)
    policy: Policy = field(repr=False, compare=False)
    _own: OpenAI | None = field(repr=False, compare=False)
    _rejoin: Callable[[], tuple[str, str]] | None = field(repr=False, compare=False)

    def __init__(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        chosen: str = "",
        api_version: str | None = None,
        local_only: bool = False,
        own: OpenAI | None = None,
        rejoin: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        """Of these, `api_key` is shown nowhere, and neither copied by `asdict` nor carried by a pickle.

        Args:
            name: As the attribute.
            base_url: As the attribute.
            api_key: The key.
            chosen: As the attribute.
            api_version: Of Azure's dated addresses, as `2025-04-01-preview`; None is its v1 address.
            local_only: Refuse to send anything to another machine.
            own: A client of the user's, whose key, proxy and certificates are used.
            rejoin: Finds the address and the key of a server again that has stopped because nobody called.

        Raises:
            PolicyError: The policy forbids this platform.
            ValueError: The key has characters that no key has.
        """
        known = KINDS.get(name) or (kind_at(base_url) if base_url else OPENAI)
        values: dict[str, Any] = {
            "name": name,
            "base_url": base_url,
            "_secret": Secret(cleaned(api_key) or ""),
            "kind": known,
            "chosen": chosen,
            "api_version": api_version,
            "policy": policy(local_only=local_only),
            "_own": own,
            "_rejoin": rejoin,
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)
        self.policy.admit_address(known, base_url)

    @property
    def api_key(self) -> str | None:
        """The key; None where there is none, or where the platform came through a pickle."""
        return self._secret.reveal()

    def __repr__(self) -> str:
        why = f", chosen={self.chosen!r}" if self.chosen else ""
        return f"Platform(name={self.name!r}, base_url={self.base_url and scrubbed(self.base_url)!r}{why})"

    def __copy__(self) -> Platform:
        return self  # it does not change, and a copy would lack the key

    def __deepcopy__(self, _memo: Any) -> Platform:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"chosen": self.chosen, "api_version": self.api_version, "local_only": self.policy.local_only}
        return _again, (self.name, self.base_url, options)

    @property
    def identity(self) -> str:
        """What tells its answers from those of other platforms, without a key that stands in the address.

        The local one is the same on whatever port it runs.
        """
        hosted = self.kind is OPENAI and self.base_url is None
        return self.name if hosted or not self.kind.proxied else scrubbed(self.base_url or self.name)

    @property
    def signs_each_call(self) -> bool:
        """Whether the client must make each request: it puts the deployment into the path, or renews a token."""
        return self.api_version is not None or self._own is not None

    @cached_property
    def client(self) -> OpenAI:
        """The synchronous `openai` client; to the local platform it goes past any proxy of the environment."""
        from openai import AzureOpenAI, DefaultHttpx2Client, OpenAI

        if self._own is not None:
            return self._own
        options: dict[str, Any] = {"event_hooks": {"request": [self._admit]}}
        if self._rejoining:
            from finetune_lib.platforms.rejoining import RejoiningTransport

            options["transport"] = RejoiningTransport(self._rejoining, verify=_certificates(), trust_env=False)
        http = DefaultHttpx2Client(trust_env=self.kind.proxied, verify=_certificates(), **options)
        client: OpenAI
        if self.api_version:
            client = AzureOpenAI(
                base_url=self.base_url or "", api_key=self.api_key, api_version=self.api_version, http_client=http
            )
        else:
            client = OpenAI(base_url=self.base_url, api_key=self.api_key, http_client=http)
        self._forget_account(client)
        return client

    def async_client(self, http: AsyncClient | None = None) -> AsyncOpenAI:
        """A new asynchronous client: it belongs to the event loop that it is first used in; close it there."""
        from openai import AsyncAzureOpenAI, AsyncOpenAI

        http = http or self.async_http()
        own: Any = self._own
        client: AsyncOpenAI
        if own is not None:
            return _twin(own, http)
        if self.api_version:
            client = AsyncAzureOpenAI(
                base_url=self.base_url or "", api_key=self.api_key, api_version=self.api_version, http_client=http
            )
        else:
            client = AsyncOpenAI(base_url=self.base_url, api_key=self.api_key, http_client=http)
        self._forget_account(client)
        return client

    def async_http(self) -> AsyncClient:
        """A new client of HTTP alone, as the `openai` client has one."""
        from openai import DefaultAsyncHttpx2Client

        hooks: dict[str, Any] = {"request": [self._admit_async]}
        if self._own is not None:
            from finetune_lib.platforms.threaded import ThreadedTransport

            return DefaultAsyncHttpx2Client(transport=ThreadedTransport(self._own), event_hooks=hooks)
        options: dict[str, Any] = {"event_hooks": hooks}
        if self._rejoining:
            from finetune_lib.platforms.rejoining import AsyncRejoiningTransport

            options["transport"] = AsyncRejoiningTransport(self._rejoining, verify=_certificates(), trust_env=False)
        return DefaultAsyncHttpx2Client(trust_env=self.kind.proxied, verify=_certificates(), **options)

    @cached_property
    def _rejoining(self) -> Rejoin | None:
        """What all clients share, so that one that stopped is found again once for all."""
        if self._rejoin is None:
            return None
        from finetune_lib.platforms.rejoining import Rejoin

        return Rejoin(self.base_url or "", self._rejoin)

    def _admit(self, request: Request) -> None:
        """Each request is held against the policy, wherever a client was turned to since, or a service redirects."""
        allowed = policy(local_only=self.policy.local_only)
        allowed.admit_address(self.kind, str(request.url))
        if self.kind.takes == "any" and not allowed.hub:
            request.headers[NO_HUB] = "1"  # a server that was started without this policy is bound, too

    async def _admit_async(self, request: Request) -> None:
        self._admit(request)

    def _forget_account(self, client: OpenAI | AsyncOpenAI) -> None:
        """Organisation and project, which the client takes from the environment, are told to OpenAI alone."""
        if not self.kind.account:
            client.organization = client.project = None

    def model_id(self, model: str) -> str:
        """The name of a model on this platform: on the local one, a folder goes by its full path."""
        folder = Path(model)
        return str(folder.resolve()) if self.kind.takes == "any" and folder.is_dir() else model

    def scrub(self, text: str, *, names: bool = False) -> str:
        """A text of the platform's without keys; in names and ids only long ones are looked for."""
        own = getattr(self._own, "api_key", None)
        return scrubbed(text, [self.api_key, own if isinstance(own, str) else None], names=names)

    @contextmanager
    def calls(self, doing: str) -> Generator[None]:
        """Turn the client's errors into `PlatformError`, saying what was being done."""
        try:
            with self._told(doing):
                yield
        except PlatformError as error:
            if error.__cause__ is None:
                error.__context__ = None  # it may show the key, and goes along where tracebacks are pickled, as by dask
            raise

    @contextmanager
    def _told(self, doing: str) -> Generator[None]:
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise self._refused(doing, error) from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, PolicyError):
                raise error.__cause__ from None
            raise PlatformError(
                f"could not {doing}: no answer from {self.name} ({self.scrub(str(error.__cause__ or error))}). "
                "Check the address and the network, then try again.",
                code="not_sent" if type(error.__cause__).__name__ in NOT_SENT else None,
                retryable=True,
            ) from None  # what it came from may show the key, as in a header that cannot be sent
        except openai.OpenAIError as error:
            raise PlatformError(f"could not {doing} on {self.name}: {self.scrub(str(error))}") from None
        except FinetuneError:
            raise  # said already, and better
        except NOT_THE_PROTOCOL as error:
            raise PlatformError(
                f"could not {doing}: {self.name} answered with something that is not OpenAI's protocol "
                f"({type(error).__name__}). Check the address; it usually ends in /v1."
            ) from None

    @contextmanager
    def paid_call(self, doing: str) -> Generator[None]:
        """As `calls`, for what may have been done although no answer came: it never says that a retry is safe."""
        try:
            with self.calls(doing):
                yield
        except PlatformError as error:
            if error.retryable and error.status_code != TOO_MANY:
                error.retryable = False
                error.args = (f"{error} It may have been done all the same: look before you do it again.",)
            raise

    def _refused(self, doing: str, error: APIStatusError) -> PlatformError:
        code, param, request_id = (
            said and self.scrub(str(said)) for said in (error.code, error.param, error.request_id)
        )
        status = error.status_code
        return PlatformError(
            f"could not {doing}: {self.name} answered {status}{f' {code}' if code else ''}: "
            f"{self.scrub(_reason(error))[:SHOWN]}",
            status_code=status,
            code=code or None,
            param=param,
            request_id=request_id,
            retry_after=_retry_after(error.response.headers),
            retryable=(status in RETRYABLE or status >= 500) and code not in FINAL_CODES,
        )


def _again(name: str, base_url: str | None, options: Mapping[str, Any]) -> Platform:
    """A platform that came through a pickle: without its key, which OpenAI's client then takes from the environment."""
    return Platform(name, base_url, **options)


@cache
def _certificates() -> SSLContext:
    """Made once: it costs more than all else of a client."""
    import httpx2

    return httpx2.create_ssl_context()


def _twin(own: Any, http: AsyncClient) -> AsyncOpenAI:
    """The asynchronous client that asks as the user's own one does."""
    from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI

    shared: dict[str, Any] = {
        "base_url": own.base_url,
        "http_client": http,
        "timeout": own.timeout,
        "default_headers": {name: value for name, value in own.default_headers.items() if isinstance(value, str)},
        "default_query": dict(own.default_query),
    }
    if isinstance(own, AzureOpenAI):
        azures: Any = own  # its token and version have no public names

        return AsyncAzureOpenAI(
            api_key=own.api_key,
            api_version=azures._api_version,
            azure_ad_token=azures._azure_ad_token,
            azure_ad_token_provider=azures._azure_ad_token_provider,
            **shared,
        )
    return AsyncOpenAI(api_key=own.api_key, organization=own.organization, project=own.project, **shared)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, as the platform asks for them; a date or anything else is left to the caller's own patience."""
    for name, unit in {"retry-after-ms": 1000, "retry-after": 1}.items():
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None


def _reason(error: APIStatusError) -> str:
    """The platform's own words: in OpenAI's envelope or in another form (FastAPI's `detail`, a text, a page)."""
    told = cast("object", error.body)
    if isinstance(told, dict):
        body = cast("dict[str, Any]", told)
        told = next((body[name] for name in ("message", "detail", "error", "errors", "title") if body.get(name)), body)
    text = str(told) if told else error.response.text
    return "a page for people, as a proxy or a sign-in gives" if text.lstrip().startswith("<") else text

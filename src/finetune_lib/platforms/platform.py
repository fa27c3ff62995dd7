"""Platform: an address and a key, and the clients that speak to it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from finetune_lib.errors import FinetuneError, PlatformError

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from openai import APIStatusError, AsyncOpenAI, OpenAI

LOCAL, OPENAI = "local", "openai"
TOO_MANY = 429
NOT_THE_PROTOCOL = (ValidationError, ValueError, AttributeError, TypeError, IndexError, KeyError)
RETRYABLE = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Platform:
    """Where models are trained and asked; `connect` makes one.

    Attributes:
        name: `openai`, `local`, or the host of a compatible service.
        base_url: The address that speaks OpenAI's protocol; None is OpenAI's own.
        api_key: The key; it is shown nowhere.

    Example:
        >>> import finetune_lib as ft
        >>> ft.connect("https://llm.example.com/v1", api_key="secret")
        Platform(name='llm.example.com', base_url='https://llm.example.com/v1')
    """

    name: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """What tells its answers from those of other platforms; the local one is the same on whatever port it runs."""
        return self.name if self.name in {LOCAL, OPENAI} and not self._elsewhere else self.base_url or self.name

    @property
    def _elsewhere(self) -> bool:
        return self.name == OPENAI and self.base_url is not None

    @cached_property
    def client(self) -> OpenAI:
        """The synchronous `openai` client; to the local platform it goes past any proxy of the environment."""
        from openai import DefaultHttpx2Client, OpenAI

        direct = DefaultHttpx2Client(trust_env=False) if self.name == LOCAL else None
        client = OpenAI(base_url=self.base_url, api_key=self.api_key, http_client=direct)
        self._forget_account(client)
        return client

    def async_client(self, http: AsyncClient | None = None) -> AsyncOpenAI:
        """A new asynchronous client: it belongs to the event loop that it is first used in; close it there."""
        from openai import AsyncOpenAI

        client = AsyncOpenAI(base_url=self.base_url, api_key=self.api_key, http_client=http or self.async_http())
        self._forget_account(client)
        return client

    def async_http(self) -> AsyncClient:
        """A new client of HTTP alone, as the `openai` client has one."""
        from openai import DefaultAsyncHttpx2Client

        return DefaultAsyncHttpx2Client(trust_env=self.name != LOCAL)

    def _forget_account(self, client: OpenAI | AsyncOpenAI) -> None:
        """Organisation and project, which the client takes from the environment, are told to OpenAI alone."""
        if self.name != OPENAI:
            client.organization = client.project = None

    def model_id(self, model: str) -> str:
        """The name of a model on this platform: on the local one, a folder goes by its full path."""
        folder = Path(model)
        return str(folder.resolve()) if self.name == LOCAL and folder.is_dir() else model

    @contextmanager
    def calls(self, doing: str) -> Generator[None]:
        """Turn the client's errors into `PlatformError`, saying what was being done."""
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            raise _refused(self.name, doing, error) from error
        except openai.APIConnectionError as error:
            raise PlatformError(
                f"could not {doing}: no answer from {self.name} ({error.__cause__ or error}). "
                "Check the address and the network, then try again.",
                retryable=True,
            ) from error
        except openai.OpenAIError as error:
            raise PlatformError(f"could not {doing} on {self.name}: {error}") from error
        except FinetuneError:
            raise  # said already, and better
        except NOT_THE_PROTOCOL as error:
            raise PlatformError(
                f"could not {doing}: {self.name} answered with something that is not OpenAI's protocol "
                f"({type(error).__name__}). Check the address; it usually ends in /v1."
            ) from error

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


def _refused(name: str, doing: str, error: APIStatusError) -> PlatformError:
    code = error.code
    return PlatformError(
        f"could not {doing}: {name} answered {error.status_code}{f' {code}' if code else ''}: {_reason(error)}",
        status_code=error.status_code,
        code=code,
        param=error.param,
        request_id=error.request_id,
        retry_after=_retry_after(error),
        retryable=error.status_code in RETRYABLE or error.status_code >= 500,
    )


def _retry_after(error: APIStatusError) -> float | None:
    """Seconds, as the platform asks for them; a date or anything else is left to the caller's own patience."""
    headers = error.response.headers
    for name, unit in {"retry-after-ms": 1000, "retry-after": 1}.items():
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None


def _reason(error: APIStatusError) -> str:
    """The platform's own words, where it has some in OpenAI's envelope."""
    body = error.body
    told = cast("dict[str, object]", body).get("message") if isinstance(body, dict) else None
    return str(told or error.message)

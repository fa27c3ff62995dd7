"""Chat completions on the wire: bytes go out and come back, and one connection serves many calls at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.platforms.platform import Platform

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response
    from openai import APIStatusError

CLIENTS_TIMEOUT = 600.0  # seconds; the client's own limit, which would end a longer call
WIDTH = 8  # calls under way in one pool of connections
SHOWN = 200  # characters of an answer that is no error of OpenAI's form


@dataclass(slots=True)
class Lane:
    """A client of HTTP with few connections: for each call a pool looks at all that it has."""

    http: AsyncClient
    under_way: int = 0


class Connection:
    """The asynchronous client of a platform, for one event loop; a call that fails is not made again by itself.

    The client's models of what is asked and what is answered cost more time than all else in a call, and refuse
    fields that other platforms know. So `complete` sends and gives bytes, with the client's address and headers. Only
    Azure's dated addresses and users' own clients, which may renew a token for each call, go through the client.

    Args:
        platform: Where.
        timeout: Seconds that a call may take.
    """

    def __init__(self, platform: Platform, *, timeout: float) -> None:
        self._platform, self._timeout = platform, timeout
        self._lanes: list[Lane] = []
        client = platform.async_client(self._lane().http).with_options(max_retries=0)
        self.client, self._by_client = client, platform.signs_each_call
        told = {**client.default_headers, **client.auth_headers}
        self._headers = {name: value for name, value in told.items() if isinstance(value, str)}
        self._url = f"{str(client.base_url).rstrip('/')}/chat/completions"

    async def complete(self, body: bytes) -> bytes:
        """The body of the answer to the body of a call.

        Raises:
            openai.APIError: As the client; `Platform.calls` says it in words.
        """
        import httpx2
        import openai

        if self._by_client:
            options: Any = {"timeout": self._timeout}
            given = json.loads(body)
            answer = await self.client.post("/chat/completions", body=given, options=options, cast_to=httpx2.Response)
            return answer.content
        lane = self._lane()
        request = lane.http.build_request("POST", self._url, content=body, headers=self._headers)
        lane.under_way += 1
        try:
            response = await lane.http.send(request)
        except httpx2.HTTPError as error:
            raise openai.APIConnectionError(request=request) from error
        finally:
            lane.under_way -= 1
        if response.is_error:
            raise _refusal(response)
        return response.content

    async def close(self) -> None:
        """Close it."""
        await self.client.close()
        for lane in self._lanes[1:]:
            await lane.http.aclose()

    def _lane(self) -> Lane:
        """The first that has a place, so that connections stay in use; else a new one."""
        free = next((lane for lane in self._lanes if lane.under_way < WIDTH), None)
        if free is None:
            free = Lane(self._platform.async_http())
            if self._timeout > CLIENTS_TIMEOUT:
                free.http.timeout = self._timeout
            self._lanes.append(free)
        return free


def _refusal(response: Response) -> APIStatusError:
    from openai import APIStatusError

    try:
        body: Any = response.json()
    except ValueError:
        body = None
    told = cast("dict[str, Any]", body).get("error", body) if isinstance(body, dict) else None
    shown = response.text[:SHOWN] if told is None else ""
    return APIStatusError(f"status {response.status_code} {shown}".rstrip(), response=response, body=told)

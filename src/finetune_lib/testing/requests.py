"""Requests as they came, and what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.shown import Shown
from finetune_lib.testing.faults import Fault

BELOW = re.compile(r"^/(openai/v1|openai|v1)(?=/)")
PART = re.compile(rb'name="([^"]*)"(?:; filename="([^"]*)")?.*?\r\n\r\n(.*)\r\n$', re.DOTALL)


@dataclass
class Request(Shown):
    """A request as it came.

    Attributes:
        method: Of HTTP.
        path: Below the platform's address, as `/files`.
        query: What stood behind `?`.
        headers: By their names in small letters.
        raw: The body.
        fault: What went wrong with it.
        status: Of the answer; None where the platform did not carry it out.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)
    fault: Fault | None = None
    status: int | None = None

    @property
    def call(self) -> str:
        """The method and the path, as `GET /files`."""
        return f"{self.method} {self.path}"

    @property
    def key(self) -> str:
        """Carried as OpenAI's clients do, or as Azure's."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or self.headers.get("api-key", "")

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the body; empty where it is none."""
        is_json = self.headers.get("content-type", "").startswith("application/json")
        return json.loads(self.raw) if is_json and self.raw else {}

    @property
    def form(self) -> dict[str, tuple[str, bytes]]:
        """The fields of a form, each with the name of its file and its content."""
        boundary = b"--" + self.headers.get("content-type", "").partition("boundary=")[2].strip('"').encode()
        found = [PART.search(part) for part in self.raw.split(boundary)[1:-1]]
        return {one[1].decode(): ((one[2] or b"").decode(), one[3]) for one in found if one}


@dataclass(frozen=True)
class Answer:
    """What a platform answers: JSON, or bytes as they are."""

    content: Any
    status: int = 200
    retry_after: float | None = None

    @property
    def raw(self) -> bytes:
        """The body."""
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()

    @property
    def type(self) -> str:
        """Of the body."""
        if not isinstance(self.content, bytes):
            return "application/json"
        return "text/html" if self.content.startswith(b"<") else "application/octet-stream"


def refusal(status: int, message: str, *, code: str | None = None, param: str | None = None) -> Answer:
    """An error in OpenAI's envelope."""
    told = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Answer({"error": told}, status)


def below(path: str) -> str:
    """A path without the platform's own part."""
    return BELOW.sub("", path)

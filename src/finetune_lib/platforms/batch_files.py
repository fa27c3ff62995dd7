"""The files of a batch: what is uploaded, and what comes back; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.platform import RETRYABLE

if TYPE_CHECKING:
    from openai.types import Batch

ENDPOINT = "/v1/chat/completions"
# OpenAI takes 50,000 requests and 200 MB; the second leaves room for how a megabyte is counted.
MOST_REQUESTS, LARGEST_BYTES = 50_000, 190_000_000
PASSING = frozenset({"batch_expired", "batch_cancelled", "request_timeout", "token_limit_exceeded"})
MOST_REASONS = 3

Body = Mapping[str, Any]
Outcome = dict[str, Any] | PlatformError


@dataclass(frozen=True, slots=True)
class Part:
    """The requests of one batch, as the file that is uploaded."""

    ids: tuple[str, ...]
    content: bytes

    @property
    def fingerprint(self) -> str:
        """The same for the same requests, whatever their order."""
        return hashlib.sha256(self.content).hexdigest()


def parts_of(requests: Mapping[str, Body]) -> tuple[Part, ...]:
    """Cut requests into what one batch takes.

    Raises:
        ValueError: As `Batches.run`.
    """
    models = {str(body.get("model")) for body in requests.values()}
    if len(models) > 1 or "None" in models:
        raise ValueError(f"a batch has one model, named in each request; here are {', '.join(sorted(models))}")
    return tuple(Part(tuple(ids), b"".join(lines)) for ids, lines in _cut(_lines(requests)))


def _lines(requests: Mapping[str, Body]) -> Iterator[tuple[str, bytes]]:
    for id in sorted(requests):
        request = {"custom_id": id, "method": "POST", "url": ENDPOINT, "body": dict(requests[id])}
        line = json.dumps(request, ensure_ascii=False).encode() + b"\n"
        if len(line) > LARGEST_BYTES:
            raise ValueError(f"request {id!r} has {len(line):,} bytes; a batch takes {LARGEST_BYTES:,} in all")
        yield id, line


def _cut(lines: Iterable[tuple[str, bytes]]) -> Iterator[tuple[list[str], list[bytes]]]:
    ids: list[str] = []
    kept: list[bytes] = []
    size = 0
    for id, line in lines:
        if ids and (len(ids) == MOST_REQUESTS or size + len(line) > LARGEST_BYTES):
            yield ids, kept
            ids, kept, size = [], [], 0
        ids.append(id)
        kept.append(line)
        size += len(line)
    if ids:
        yield ids, kept


def outcomes_of(lines: Iterable[bytes]) -> dict[str, Outcome]:
    """What the lines of answers and errors say, by the ids of the requests; the first line of an id counts."""
    found: dict[str, Outcome] = {}
    for custom_id, outcome in filter(None, map(_read, lines)):
        found.setdefault(custom_id, outcome)
    return found


def _read(line: bytes) -> tuple[str, Outcome] | None:
    """None where the line says nothing about a request."""
    try:
        entry: Any = json.loads(line)
        response: Any = entry.get("response") or {}
        body = cast("dict[str, Any]", response.get("body") or {})
        if response.get("status_code") == 200 and body.get("choices"):
            return entry["custom_id"], body
        return entry["custom_id"], _refusal(response, entry.get("error") or body.get("error") or {})
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def _refusal(response: Mapping[str, Any], told: Mapping[str, Any]) -> PlatformError:
    status, code = response.get("status_code"), told.get("code")
    answered = " ".join(str(part) for part in (status, code) if part)
    return PlatformError(
        f"the request of the batch was refused{f' with {answered}' if answered else ''}: {told.get('message')}",
        status_code=status,
        code=code,
        param=told.get("param"),
        request_id=response.get("request_id"),
        retryable=code in PASSING or status in RETRYABLE or (status or 0) >= 500,
    )


def unanswered(batch: Batch) -> PlatformError:
    """Why a request has no line in the files of a batch that has ended."""
    problems = (batch.errors and batch.errors.data) or []
    reasons = [f"{f'line {p.line}: ' if p.line else ''}{p.message or p.code}" for p in problems[:MOST_REASONS]]
    more = f"; and {len(problems) - MOST_REASONS} more" if len(problems) > MOST_REASONS else ""
    told = f": {'; '.join(reasons)}{more}" if reasons else ""
    codes = {str(problem.code) for problem in problems} or {f"batch_{batch.status}"}
    ended = f"the batch {batch.id} is {batch.status} without an answer to this request{told}"
    return PlatformError(ended, code=min(codes), retryable=codes <= PASSING)

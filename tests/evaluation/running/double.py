"""An HTTP double of a platform: chat completions and batches, with answers that depend on the question alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests import doubles
from tests.doubles import Asked, Outcome, tokens

Body = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call: its number from 1, its body, what is asked in it, and how often that was asked until now."""

    number: int
    body: Body
    question: str
    times: int


def drawn(text: str, most: int) -> int:
    """A number that depends on the text alone."""
    return int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8], 16) % most


def said(body: Body) -> str:
    """A judge's verdict, a grader's scores, or else an answer that contains 42 for three of four questions."""
    text = json.dumps(body["messages"], ensure_ascii=False)
    asked = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    if "level" in asked or "both_bad" in text:
        levels = asked["level"]["enum"] if asked else ["tie", "both_bad"]
        return json.dumps({"reason": "Because.", "level": levels[drawn(text, len(levels))]})
    if asked:
        return json.dumps({key: {"reason": "So.", "score": 1 + drawn(text + key, 5)} for key in asked})
    known = drawn(body["model"] + text, 4)
    return f"{body['model']} says {'42' if known else 'nothing'} to {body['messages'][-1]['content']}"


def completion(body: Body, text: str | None = None, **message: Any) -> bytes:
    """The body of a completion."""
    told = {"content": said(body) if text is None else text, **message}
    return doubles.completion(told, model=body["model"], usage=tokens(100, 50))


def fine(call: Call) -> Outcome:
    """A sound answer."""
    return Outcome(body=completion(call.body), seconds=0.01)


@dataclass
class Double:
    """What was asked and answered; `answer` makes the outcome of each call to chat completions."""

    answer: Callable[[Call], Outcome] = fine
    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    answered: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    most: int = 0
    under_way: int = 0
    batched: Counter[str] = field(default_factory=Counter)
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Body] = field(default_factory=dict)
    batch_seconds: float = 0.2
    refuse_in_batch: Callable[[Body], Outcome | None] = lambda _: None

    def begun(self, body: Body) -> Call:
        question = json.dumps([body["model"], body["messages"], body.get("response_format") is not None])
        call = Call(len(self.asked) + 1, body, question, self.asked.count(question) + 1)
        self.asked.append(question)
        self.bodies.append(body)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return call

    async def reply(self, asked: Asked) -> Outcome:
        if asked.call != "POST /chat/completions":
            return Outcome(body=self.other(asked))
        call = self.begun(asked.body)
        try:
            outcome = self.answer(call)
            await asyncio.sleep(outcome.seconds)
        finally:
            self.under_way -= 1
        if not outcome.cut:
            self.statuses[outcome.status] += 1
        if outcome.status == 200 and not outcome.cut:
            self.answered[call.question] += 1
        return outcome

    @property
    def paid(self) -> int:
        """Answers that were sent."""
        return sum(self.answered.values())

    @property
    def paid_twice(self) -> int:
        """Answers that were sent although the same question had been answered before."""
        return sum(times - 1 for times in self.answered.values())

    # --- batches

    def upload(self, raw: bytes) -> Body:
        id = f"file-{len(self.files)}"
        begin = raw.index(b'{"custom_id"')
        self.files[id] = raw[begin : raw.index(b"\r\n--", begin)]
        return {"id": id, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}

    def create(self, body: Body) -> Body:
        id = f"batch-{len(self.batches)}"
        common = {"object": "batch", "endpoint": body["endpoint"], "completion_window": "24h"}
        started = {
            "id": id,
            "status": "in_progress",
            "created_at": int(time.time()),
            "input_file_id": body["input_file_id"],
        }
        self.batches[id] = {**common, **started, "metadata": body["metadata"], "begun": time.monotonic()}
        return self.batch(id)

    def batch(self, id: str) -> Body:
        batch = self.batches[id]
        if batch["status"] == "in_progress" and time.monotonic() - batch["begun"] > self.batch_seconds:
            self.files[f"{id}-out"] = b"".join(map(self.line, self.files[batch["input_file_id"]].splitlines()))
            batch |= {"status": "completed", "output_file_id": f"{id}-out"}
        return {name: value for name, value in batch.items() if name != "begun"}

    def line(self, line: bytes) -> bytes:
        entry = json.loads(line)
        refused = self.refuse_in_batch(entry["body"])
        if not refused:
            self.batched[entry["custom_id"]] += 1
        body = json.loads(refused.body if refused else completion(entry["body"]))
        response = {"status_code": refused.status if refused else 200, "request_id": "r", "body": body}
        return json.dumps({"custom_id": entry["custom_id"], "response": response}).encode() + b"\n"

    def other(self, asked: Asked) -> bytes:
        method, path = asked.call.split(" /")
        match method, *path.split("/"):
            case "POST", "files":
                found = self.upload(asked.raw)
            case "POST", "batches":
                found = self.create(asked.body)
            case "GET", "batches":
                found = {"object": "list", "data": [self.batch(id) for id in reversed(self.batches)], "has_more": False}
            case "GET", "batches", id:
                found = self.batch(id)
            case "GET", "files", id, "content":
                return self.files[id]
            case "GET", "files", id:
                found = {"id": id, "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch"}
            case _:
                raise AssertionError(f"nobody serves {asked.call}")
        return json.dumps(found).encode()

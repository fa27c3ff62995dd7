"""The input file of a batch: one request a line, all checked before the first is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from finetune_lib.local.objects import Object

MOST_REQUESTS, LARGEST_BYTES = 50_000, 200 * 1024 * 1024
# Every answer about a failed batch carries its problems: beyond this many, one more entry counts the rest.
MOST_PROBLEMS = 1_000

# Code, message and the field of the request.
Complaint = tuple[str, str, str | None]
UNREADABLE: Complaint = ("invalid_json_line", "This line is not parseable as valid JSON.", None)


def parsed(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None where it is not one, or has halves of characters that no file can keep."""
    try:
        value = json.loads(line.decode())
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def problem(code: str, message: str, *, param: str | None = None, line: int | None = None) -> Object:
    """An entry of a batch's `errors.data`."""
    return {"code": code, "message": message, "param": param, "line": line}


@dataclass(slots=True)
class Examination:
    """What is found while the lines are read.

    Attributes:
        endpoint: Where all requests must go.
        exists: Whether there is a model of this name.
    """

    endpoint: str
    exists: Callable[[str], bool]
    model: str | None = None
    total: int = 0
    problems: list[Object] = field(default_factory=list[Object])
    _lines: dict[str, int] = field(default_factory=dict[str, int])

    def read(self, path: Path) -> Examination:
        """Read the whole file, whatever is wrong on the way, unless it is too large to be read at all."""
        if (size := path.stat().st_size) > LARGEST_BYTES:
            self.problems.append(problem("file_too_large", f"The file has {size} bytes; at most {LARGEST_BYTES}."))
            return self
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    self._take(number, line)
        found = [problem(code, message, param=param) for code, message, param in self._whole()]
        self.problems = [*self.problems[:MOST_PROBLEMS], *found]
        return self

    def _take(self, number: int, line: bytes) -> None:
        self.total += 1
        request = parsed(line)
        found = self._of(request, number) if request is not None else [UNREADABLE]
        self.problems += [problem(code, message, param=param, line=number) for code, message, param in found]

    def _of(self, request: Mapping[str, Any], number: int) -> Iterator[Complaint]:
        yield from self._custom_id(request.get("custom_id"), number)
        yield from self._address(request)
        body = request.get("body")
        if isinstance(body, dict):
            yield from self._model(cast("dict[str, Any]", body).get("model"))
        else:
            yield _missing("body", "an object")

    def _custom_id(self, id: object, number: int) -> Iterator[Complaint]:
        if not isinstance(id, str) or not id:
            yield _missing("custom_id", "text")
        elif (first := self._lines.setdefault(id, number)) != number:
            yield "duplicate_custom_id", f"Line {first} has the same custom_id.", "custom_id"

    def _address(self, request: Mapping[str, Any]) -> Iterator[Complaint]:
        if request.get("method") != "POST":
            yield "invalid_method", "The method must be 'POST'.", "method"
        if request.get("url") != self.endpoint:
            yield "url_mismatch", f"The url must be the endpoint of the batch, {self.endpoint!r}.", "url"

    def _model(self, model: object) -> Iterator[Complaint]:
        if not isinstance(model, str) or not model:
            yield _missing("body.model", "text")
        elif self.model is None:
            self.model = model
            if not self.exists(model):
                yield "model_not_found", f"The model `{model}` does not exist.", "body.model"
        elif model != self.model:
            yield "model_mismatch", f"The requests before use {self.model!r}: a batch has one model.", "body.model"

    def _whole(self) -> Iterator[Complaint]:
        if not self.total:
            yield "empty_file", "The file has no request.", None
        if (more := len(self.problems) - MOST_PROBLEMS) > 0:
            yield "too_many_errors", f"There are {more} more problems like these.", None
        if self.total > MOST_REQUESTS:
            yield "too_many_tasks", f"The file has {self.total} requests; at most {MOST_REQUESTS}.", None


def _missing(param: str, wanted: str) -> Complaint:
    return "missing_required_parameter", f"Missing required parameter: '{param}' ({wanted}).", param

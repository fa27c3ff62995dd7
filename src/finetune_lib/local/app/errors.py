"""Errors on the wire: OpenAI's envelope `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse

from finetune_lib.local.disk import is_full


class WireError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


def envelope(
    status: int, message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> JSONResponse:
    """The error as an answer."""
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


async def answer(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the framework's shape
    """The handler of `WireError`."""
    assert isinstance(error, WireError)  # noqa: S101 - registered for nothing else
    return envelope(error.status, str(error), param=error.param, code=error.code)


async def failed(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the framework's shape
    """The handler of what nobody foresaw; a full disk is told as such, and clients are asked not to try again."""
    if not is_full(error):
        return envelope(500, f"the server failed: {type(error).__name__}", kind="server_error")
    message = (
        "The disk of the platform is full: nothing was kept. Delete files or models, or run `finetune-lib local gc`, "
        "then try again."
    )
    told = envelope(507, message, kind="server_error", code="insufficient_storage")
    told.headers["x-should-retry"] = "false"
    return told


async def unknown_route(request: Request, error: Exception) -> JSONResponse:
    """The handler of what the framework itself refuses: paths and methods that are not served."""
    status = getattr(error, "status_code", 500)
    if status == 404:
        return envelope(404, f"Invalid URL ({request.method} {request.url.path})", code="unknown_url")
    answered = envelope(status, str(getattr(error, "detail", "")) or "refused")
    answered.headers.update(getattr(error, "headers", None) or {})
    return answered


def missing(name: str) -> WireError:
    """A parameter that a request needs is not there."""
    return WireError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def invalid(param: str, wanted: str, value: object) -> WireError:
    """A parameter has a value that it may not have."""
    return WireError(400, f"Invalid {param}: it must be {wanted}, not {value!r}.", param=param, code="invalid_value")


def not_found(what: str, id: str, *, param: str = "id") -> WireError:
    """There is no such object."""
    return WireError(404, f"No such {what} object: {id}", param=param, code="not_found")


async def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        WireError: It is not one.
    """
    try:
        body = json.loads(await request.body() or b"{}")
        json.dumps(body, ensure_ascii=False).encode()  # halves of characters can be told and kept nowhere
    except (ValueError, RecursionError) as error:
        raise WireError(400, f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise WireError(400, "The body of the request must be a JSON object")
    return cast("dict[str, Any]", body)


def part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside a request's body; empty where it is absent or null.

    Raises:
        WireError: It is something else.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise WireError(400, f"'{name}' must be an object, not {value!r}.", param=name, code="invalid_type")
    return cast("dict[str, Any]", value or {})

"""/v1/embeddings: vectors by the mean of the last layer of the model that is named."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import Mapping
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.chat import refusals, source_ready
from finetune_lib.local.app.chat_request import text_of
from finetune_lib.local.app.errors import WireError, invalid, json_body
from finetune_lib.local.app.services import services
from finetune_lib.local.embedding import TextTooLongError

MOST_TEXTS = 2048


async def create(request: Request) -> JSONResponse:
    """POST /embeddings"""
    body = await json_body(request)
    texts, form, size = _texts(body), body.get("encoding_format") or "float", body.get("dimensions")
    if form not in ("float", "base64"):
        raise invalid("encoding_format", "'float' or 'base64'", form)
    source = await source_ready(request, text_of(body, "model"))
    try:
        with refusals(TextTooLongError):
            vectors, tokens = await run_in_threadpool(services(request).engine.embed, source, texts)
    except TextTooLongError as error:
        raise WireError(400, f"Invalid input: {error}.", param="input", code="context_length_exceeded") from error
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= len(vectors[0])):
        raise invalid("dimensions", f"a whole number from 1 to {len(vectors[0])}", size)
    shown = [_shown(_first(vector, size), form) for vector in vectors]
    data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(shown)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})


def _texts(body: Mapping[str, Any]) -> list[str]:
    given: Any = body.get("input")
    texts = cast("list[object]", given) if isinstance(given, list) else [given]
    if not 1 <= len(texts) <= MOST_TEXTS or not all(isinstance(one, str) and one for one in texts):
        message = f"'input' must be text, or 1 to {MOST_TEXTS} texts; tokens of another model mean nothing here."
        raise WireError(400, message, param="input", code="invalid_value")
    return cast("list[str]", texts)


def _first(vector: list[float], size: int | None) -> list[float]:
    """The first so many numbers, of length one again."""
    if size is None:
        return vector
    length = math.hypot(*vector[:size]) or 1.0
    return [number / length for number in vector[:size]]


def _shown(vector: list[float], form: str) -> list[float] | str:
    return vector if form == "float" else base64.b64encode(array("f", vector).tobytes()).decode()


routes = [Route("/embeddings", create, methods=["POST"])]

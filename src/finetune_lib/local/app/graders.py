"""/v1/fine_tuning/alpha/graders: OpenAI's graders by the library's own scorers.

All kinds are validated. Those that compare texts are run; those that ask a model or run code are not, on a server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.concurrency import call
from finetune_lib.errors import DataError
from finetune_lib.local.app.errors import WireError, json_body, missing, part
from finetune_lib.local.objects import Object
from finetune_lib.records import Case

ASKS_MODEL = frozenset({"score_model", "label_model"})
RUN_HERE = frozenset({"string_check", "text_similarity", "multi"})
ERRORS = (
    *("formula_parse_error", "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error"),
    *("invalid_variable_error", "other_error", "python_grader_server_error", "python_grader_runtime_error"),
    *("model_grader_server_error", "model_grader_refusal_error", "model_grader_parse_error"),
)
DETAILS = (
    *("python_grader_server_error_type", "python_grader_runtime_error_details"),
    "model_grader_server_error_details",
)


async def validate(request: Request) -> JSONResponse:
    """POST /fine_tuning/alpha/graders/validate"""
    grader = part(await json_body(request), "grader")
    await run_in_threadpool(scorer_of, grader)
    return JSONResponse({"grader": grader})


async def run(request: Request) -> JSONResponse:
    """POST /fine_tuning/alpha/graders/run: the reward of one answer"""
    body = await json_body(request)
    grader, item, answer = part(body, "grader"), part(body, "item"), body.get("model_sample")
    if not isinstance(answer, str):
        raise missing("model_sample")
    scorer = await run_in_threadpool(scorer_of, grader)
    if others := sorted(set(kinds_of(grader)) - RUN_HERE):
        message = f"This platform runs no grader that asks a model or runs code: {', '.join(others)}."
        raise WireError(400, message, param="grader.type", code="unsupported_value")
    return JSONResponse(await _graded(scorer, grader, item, answer))


def scorer_of(grader: Object) -> Any:
    """A scorer by a grader.

    Raises:
        WireError: There is none, or it has problems.
    """
    from finetune_lib.evaluation.scorers import from_openai

    if not grader:
        raise missing("grader")
    try:
        return from_openai(grader)
    except DataError as error:
        raise WireError(400, f"Invalid grader: {error}", param="grader", code="invalid_grader") from error


async def _graded(scorer: Any, grader: Object, item: Mapping[str, Any], answer: str) -> Object:
    """The reward; a field that the item lacks makes it 0, and is told."""
    began = time.monotonic()
    try:
        reward = (await call(scorer, answer, Case("1", (), metadata=item))).value
    except ValueError:
        reward = None
    errors: Object = {**dict.fromkeys(ERRORS, False), **dict.fromkeys(DETAILS)}
    errors["invalid_variable_error"] = reward is None
    metadata = {"name": grader["name"], "type": grader["type"], "errors": errors, "scores": {}, "token_usage": None}
    metadata |= {"execution_time": time.monotonic() - began, "sampled_model_name": None}
    told = {"metadata": metadata, "sub_rewards": {}, "model_grader_token_usage_per_model": {}}
    return {"reward": 0.0 if reward is None else reward, **told}


def kinds_of(grader: Mapping[str, Any]) -> Iterator[str]:
    """The types of a grader and of those in it."""
    yield grader["type"]
    inner: Any = grader.get("graders") or {}
    listed = cast("list[Object]", inner if isinstance(inner, list) else list(cast("Object", inner).values()))
    for one in listed if grader["type"] == "multi" else []:
        yield from kinds_of(one if "type" in one else {"type": "multi", "graders": one})


routes = [
    Route("/fine_tuning/alpha/graders/validate", validate, methods=["POST"]),
    Route("/fine_tuning/alpha/graders/run", run, methods=["POST"]),
]

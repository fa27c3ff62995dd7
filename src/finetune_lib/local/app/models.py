"""/v1/models"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.aliases import load
from finetune_lib.local.app.errors import WireError
from finetune_lib.local.app.services import services
from finetune_lib.local.base_models import HUB_ID, TINY, find_base
from finetune_lib.local.deleting import InUseError, delete_model
from finetune_lib.local.gguf_bases import SMOLLM2, smollm2_file
from finetune_lib.local.objects import Object, model_object
from finetune_lib.platforms.platform import NO_HUB

MADE_HERE: Object = {**model_object(TINY, path="", owner="finetune_lib"), "created": 1_795_132_800}


async def list_models(request: Request) -> JSONResponse:
    """GET /models: the bases that are made here, and every fine-tuned model and checkpoint."""
    tuned, _ = services(request).store.page("model")
    return JSONResponse(
        {"object": "list", "data": [_shown(model) for model in [*tuned, *_aliases(request), *_made_here().values()]]}
    )


async def retrieve(request: Request) -> JSONResponse:
    """GET /models/{id}"""
    id = request.path_params["id"]
    model = _made_here().get(id) or services(request).store.get("model", id)
    if model is None and (base := find_base(id, services(request).root)) and base.name == id != base.source:
        model = _alias(id)
    if model is None:
        raise unknown_model(id)
    return JSONResponse(_shown(model))


async def delete(request: Request) -> JSONResponse:
    """DELETE /models/{id}: its weights and checkpoints are gone; its job stays."""
    platform, id = services(request), request.path_params["id"]
    try:
        deleted = await run_in_threadpool(delete_model, platform.root, platform.store, id)
    except InUseError as error:
        raise WireError(409, f"{id} cannot be deleted: {error}.", param="model", code="model_in_use") from error
    if deleted is None:
        raise unknown_model(id)
    freed, folders = deleted
    await run_in_threadpool(platform.engine.forget, folders)
    return JSONResponse({"id": id, "object": "model", "deleted": True, "freed_bytes": freed})


def unknown_model(id: str) -> WireError:
    """There is no such model."""
    message = f"The model `{id}` does not exist or you do not have access to it."
    return WireError(404, message, param="model", code="model_not_found")


def source_of(request: Request, id: str) -> str:
    """Where a model is loaded from, be it tuned, a folder or a hub id.

    Raises:
        WireError: There is no such model.
    """
    platform = services(request)
    if known := platform.store.get("model", id):
        return known["path"]
    if base := find_base(id, platform.root):
        require_here(request, base.source)
        return base.source
    raise unknown_model(id)


def require_here(request: Request, id: str) -> None:
    """A caller whose policy forbids downloads gets no model of a hub from a server that may download it.

    Raises:
        WireError: It would.
    """
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if NO_HUB in request.headers and HUB_ID.fullmatch(id) and not HF_HUB_OFFLINE:
        message = (
            f"The policy of the caller forbids the download of {id!r}, and this server, which was started without it, "
            "may download. Stop it (finetune_lib.local.stop()): the next one is bound by the policy."
        )
        raise WireError(403, message, param="model", code="forbidden_by_policy")


def _made_here() -> dict[str, Object]:
    """`tiny`, and `smollm2` where its package is installed."""
    names = [TINY, *([SMOLLM2] if smollm2_file() else [])]
    return {name: {**MADE_HERE, "id": name} for name in names}


def _aliases(request: Request) -> list[Object]:
    """Those that are written out; names that a `*` would fit are not known."""
    return [_alias(name) for name in load(services(request).root) if "*" not in name]


def _alias(name: str) -> Object:
    return {**MADE_HERE, "id": name, "owned_by": "alias"}


def _shown(model: Object) -> Object:
    return {key: value for key, value in model.items() if key != "path"}


routes = [
    Route("/models", list_models),
    Route("/models/{id:path}", delete, methods=["DELETE"]),
    Route("/models/{id:path}", retrieve),
]

"""/v1/fine_tuning/checkpoints/{model}/permissions: kept and told; one platform for one owner has no other projects."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.local.app.errors import json_body, not_found
from finetune_lib.local.app.fields import texts
from finetune_lib.local.app.models import unknown_model
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import services
from finetune_lib.local.objects import new_id, now

OBJECT = "checkpoint.permission"


async def create(request: Request) -> JSONResponse:
    """POST …/permissions: one for each project; those that are there stay."""
    store, model = services(request).store, _model(request)
    projects = texts(await json_body(request), "project_ids")
    with store.transaction():
        for project in projects:
            permission = {"id": new_id("cp_"), "object": OBJECT, "created_at": now(), "project_id": project}
            store.add("permission", permission, parent=f"permissions of {model}", mark=project)
    given = [store.marked(f"permissions of {model}", project) for project in projects]
    return JSONResponse({"object": "list", "data": given, "has_more": False})


async def list_permissions(request: Request) -> JSONResponse:
    """GET …/permissions, also of one `project_id`"""
    project = request.query_params.get("project_id")
    where = {"$.project_id": project} if project else None
    return page(request, "permission", default=10, parent=f"permissions of {_model(request)}", where=where)


async def delete(request: Request) -> JSONResponse:
    """DELETE …/permissions/{id}"""
    store, id = services(request).store, request.path_params["id"]
    _model(request)
    if not store.delete("permission", id):
        raise not_found("CheckpointPermission", id, param="permission_id")
    return JSONResponse({"id": id, "object": OBJECT, "deleted": True})


def _model(request: Request) -> str:
    model = request.path_params["model"]
    if not services(request).store.get("model", model):
        raise unknown_model(model)
    return model


routes = [
    Route("/fine_tuning/checkpoints/{model:path}/permissions", create, methods=["POST"]),
    Route("/fine_tuning/checkpoints/{model:path}/permissions", list_permissions),
    Route("/fine_tuning/checkpoints/{model:path}/permissions/{id}", delete, methods=["DELETE"]),
]

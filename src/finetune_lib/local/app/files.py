"""/v1/files"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from finetune_lib.files import write_atomically
from finetune_lib.local.app.errors import WireError, not_found
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import services
from finetune_lib.local.objects import Object, file_object, new_id

PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")
LARGEST_BYTES = 512 * 1024 * 1024
HINT_CHARACTERS = 4
CHUNK = 1 << 20


async def create(request: Request) -> JSONResponse:
    """POST /files: keep an upload; a file for training must be JSONL."""
    form = await request.form()
    purpose, upload = form.get("purpose"), form.get("file")
    if purpose not in PURPOSES:
        raise WireError(400, f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    if any(field.startswith("expires_after") for field in form):
        raise WireError(400, "Files do not expire here: delete them instead.", param="expires_after")
    if not isinstance(upload, UploadFile):
        raise WireError(400, "'file' is a required property", param="file")
    kept = await run_in_threadpool(_keep, request, upload, str(purpose))
    return JSONResponse(kept)


def _keep(request: Request, upload: UploadFile, purpose: str) -> Object:
    """Write beside the target, rename, then register: a file that is listed is whole."""
    if (upload.size or 0) > LARGEST_BYTES:
        raise WireError(413, f"the file has {upload.size} bytes; the limit is {LARGEST_BYTES}", param="file")
    if purpose == "fine-tune":
        for complaint in _complaints(upload.file):
            raise WireError(400, complaint)
    if purpose == "batch" and not _is_utf8(upload.file):
        raise WireError(400, "Invalid file for Batch API. Must be utf-8 encoded", param="file")
    upload.file.seek(0)
    store, id = services(request).store, new_id("file-", 22)
    size = write_atomically(store.blob(id), iter(partial(upload.file.read, CHUNK), b"")).stat().st_size
    described = file_object(id, filename=Path(upload.filename or "upload").name, purpose=purpose, size=size)
    store.add("file", described)
    return described


def _complaints(file: BinaryIO) -> Iterator[str]:
    """What is wrong with lines that shall be JSON dictionaries, in OpenAI's words."""
    number = 0
    for number, line in enumerate(file, start=1):
        if line.strip() and not _is_object(line):
            start = line.decode(errors="replace")[:HINT_CHARACTERS]
            yield (
                "Expected file to have JSONL format, where every line is a JSON dictionary. "
                f'Line {number} is not a dictionary (HINT: line starts with: "{start}...").'
            )
    if not number:
        yield "The file is empty: expected JSONL, where every line is a JSON dictionary."


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_utf8(file: BinaryIO) -> bool:
    try:
        for line in file:
            line.decode()
    except UnicodeDecodeError:
        return False
    return True


async def list_files(request: Request) -> JSONResponse:
    """GET /files"""
    purpose = request.query_params.get("purpose")
    where = {"$.purpose": purpose} if purpose else None
    return page(request, "file", default=10_000, largest=10_000, where=where)


async def retrieve(request: Request) -> JSONResponse:
    """GET /files/{id}"""
    return JSONResponse(_file(request))


async def delete(request: Request) -> JSONResponse:
    """DELETE /files/{id}"""
    store, id = services(request).store, request.path_params["id"]
    if not store.delete("file", id):
        raise not_found("File", id)
    store.blob(id).unlink(missing_ok=True)
    return JSONResponse({"id": id, "object": "file", "deleted": True})


async def content(request: Request) -> Response:
    """GET /files/{id}/content"""
    described = _file(request)
    blob = services(request).store.blob(described["id"])
    return FileResponse(blob, media_type="application/octet-stream", filename=described["filename"])


def _file(request: Request) -> Object:
    id = request.path_params["id"]
    found = services(request).store.get("file", id)
    if found is None:
        raise not_found("File", id)
    return found


routes = [
    Route("/files", create, methods=["POST"]),
    Route("/files", list_files),
    Route("/files/{id}/content", content),
    Route("/files/{id}", delete, methods=["DELETE"]),
    Route("/files/{id}", retrieve),
]

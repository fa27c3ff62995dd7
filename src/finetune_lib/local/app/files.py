"""/v1/files"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from finetune_lib.files import write_atomically
from finetune_lib.local.app.errors import WireError, not_found
from finetune_lib.local.app.fields import expiry_of, told
from finetune_lib.local.app.pages import page
from finetune_lib.local.app.services import Services, drop_expired, file_of, services
from finetune_lib.local.deleting import delete_file
from finetune_lib.local.objects import Object, file_object, new_id

PURPOSES = ("fine-tune", "assistants", "batch", "vision", "user_data", "evals")
LARGEST_BYTES = 512 * 1024 * 1024
HINT_CHARACTERS, LONGEST_NUMBER = 4, 9
CHUNK = 1 << 20


async def create(request: Request) -> JSONResponse:
    """POST /files: keep an upload; a file for training must be JSONL."""
    form = await request.form()
    purpose, upload = form.get("purpose"), form.get("file")
    if purpose not in PURPOSES:
        raise WireError(400, f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    if not isinstance(upload, UploadFile):
        raise WireError(400, "'file' is a required property", param="file")
    lives = expiry_of(_policy(form))
    kept = await run_in_threadpool(keep, services(request), upload.file, _name(upload.filename), str(purpose), lives)
    return JSONResponse(told(kept))


def _policy(form: FormData) -> dict[str, Any] | None:
    """The policy of expiry, whose fields a form names `expires_after[anchor]` and `expires_after[seconds]`."""
    given = {name[14:-1]: value for name, value in form.items() if name.startswith("expires_after[")}
    seconds = given.get("seconds")
    whole = isinstance(seconds, str) and seconds.isdecimal() and len(seconds) <= LONGEST_NUMBER
    return {**given, "seconds": int(str(seconds)) if whole else seconds} if given else None


def _name(given: str | None) -> str:
    return Path(given or "upload").name


def keep(platform: Services, upload: BinaryIO, filename: str, purpose: str, lives: int | None) -> Object:
    """Write beside the target, rename, then register: a file that is listed is whole.

    Raises:
        WireError: It is too large, or not of the form that its purpose asks for.
    """
    size = upload.seek(0, SEEK_END)
    upload.seek(0)
    if size > LARGEST_BYTES:
        raise WireError(413, f"the file has {size} bytes; the limit is {LARGEST_BYTES}", param="file")
    if purpose == "fine-tune":
        for complaint in _complaints(upload):
            raise WireError(400, complaint)
    if purpose == "batch" and not _is_utf8(upload):
        raise WireError(400, "Invalid file for Batch API. Must be utf-8 encoded", param="file")
    upload.seek(0)
    store, id = platform.store, new_id("file-", 22)
    size = write_atomically(store.blob(id), iter(partial(upload.read, CHUNK), b"")).stat().st_size
    described = file_object(id, filename=filename, purpose=purpose, size=size, lives=lives)
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
    drop_expired(services(request))
    return page(request, "file", default=10_000, largest=10_000, where=where, shown=told)


async def retrieve(request: Request) -> JSONResponse:
    """GET /files/{id}"""
    return JSONResponse(told(_file(request)))


async def delete(request: Request) -> JSONResponse:
    """DELETE /files/{id}: with the copies that ended jobs hold of it"""
    platform, id = services(request), request.path_params["id"]
    freed = await run_in_threadpool(delete_file, platform.root, platform.store, id)
    if freed is None:
        raise not_found("File", id)
    return JSONResponse({"id": id, "object": "file", "deleted": True, "freed_bytes": freed})


async def content(request: Request) -> Response:
    """GET /files/{id}/content"""
    described = _file(request)
    blob = services(request).store.blob(described["id"])
    return FileResponse(blob, media_type="application/octet-stream", filename=described["filename"])


def _file(request: Request) -> Object:
    id = request.path_params["id"]
    found = file_of(services(request), id)
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

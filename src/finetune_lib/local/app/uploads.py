"""/v1/uploads: a file in parts, which may come in any order and side by side, and one list orders."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from finetune_lib.files import write_atomically
from finetune_lib.local.app.errors import WireError, invalid, json_body, missing, not_found
from finetune_lib.local.app.fields import expiry_of, refuse_unknown, texts, told
from finetune_lib.local.app.files import CHUNK, LARGEST_BYTES, PURPOSES, keep
from finetune_lib.local.app.services import Services, services
from finetune_lib.local.objects import Object, now, part_object, upload_object

FIELDS = frozenset({"filename", "purpose", "bytes", "mime_type", "expires_after"})
LARGEST_PART = 64 * 1024 * 1024
_COMPLETING = threading.Lock()  # an answer that was lost makes a client ask again, while the first request is at work


async def create(request: Request) -> JSONResponse:
    """POST /uploads: announce a file; an hour later it is too late for its parts."""
    body, platform = await json_body(request), services(request)
    refuse_unknown(body, FIELDS)
    for name in ("filename", "mime_type"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise missing(name)
    if body.get("purpose") not in PURPOSES:
        raise invalid("purpose", f"one of {list(PURPOSES)}", body.get("purpose"))
    size = body.get("bytes")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST_BYTES:
        raise invalid("bytes", f"a whole number from 0 to {LARGEST_BYTES}", size)
    upload = upload_object(
        filename=Path(body["filename"]).name,
        purpose=body["purpose"],
        size=size,
        lives=expiry_of(body.get("expires_after")),
    )
    _drop_expired(platform)
    platform.store.add("upload", upload)
    return _answer(upload)


async def add_part(request: Request) -> JSONResponse:
    """POST /uploads/{id}/parts"""
    platform, upload = services(request), _pending(request)
    data = (await request.form()).get("data")
    if not isinstance(data, UploadFile):
        raise missing("data")
    if (data.size or 0) > LARGEST_PART:
        raise WireError(413, f"the part has {data.size} bytes; the limit is {LARGEST_PART}", param="data")
    part = part_object(upload["id"])
    path = _folder(platform, upload) / part["id"]
    path.parent.mkdir(parents=True, exist_ok=True)
    await run_in_threadpool(write_atomically, path, iter(partial(data.file.read, CHUNK), b""))
    platform.store.add("part", part, parent=upload["id"])
    return JSONResponse(part)


async def complete(request: Request) -> JSONResponse:
    """POST /uploads/{id}/complete: the parts in the order that the list gives, as one file."""
    body = await json_body(request)
    ids = texts(body, "part_ids")
    return _answer(await run_in_threadpool(_completed, request, ids, body.get("md5")))


def _completed(request: Request, ids: list[str], md5: object) -> Object:
    platform = services(request)
    with _COMPLETING:
        upload = _found(request)
        if upload["status"] == "completed":
            return upload
        paths = [_folder(platform, _pending(request)) / id for id in ids]
        known = {part["id"] for part in platform.store.page("part", parent=upload["id"])[0]}
        if unknown := [id for id in ids if id not in known]:
            raise WireError(
                400, f"Upload {upload['id']} has no part {unknown[0]}.", param="part_ids", code="invalid_value"
            )
        whole = write_atomically(_folder(platform, upload) / "whole", _chunks(paths))
        _check(whole, upload, md5)
        with whole.open("rb") as file:
            kept = keep(platform, file, upload["filename"], upload["purpose"], upload["lives"])
        changed = platform.store.update("upload", upload["id"], {"status": "completed", "file": told(kept)})
        _drop_parts(platform, upload)
    return changed


def _chunks(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            yield from iter(partial(file.read, CHUNK), b"")


def _check(whole: Path, upload: Object, md5: object) -> None:
    size = whole.stat().st_size
    if size != upload["bytes"]:
        message = f"The parts have {size} bytes together, {upload['bytes']} were announced."
        raise WireError(400, message, param="part_ids", code="upload_size_mismatch")
    if md5 is not None:
        with whole.open("rb") as file:
            found = hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
        if found != str(md5).lower():
            message = f"The MD5 checksum of the parts is {found}, not {md5}."
            raise WireError(400, message, param="md5", code="checksum_mismatch")


async def cancel(request: Request) -> JSONResponse:
    """POST /uploads/{id}/cancel: its parts are deleted"""
    platform, upload = services(request), _pending(request)
    changed = platform.store.update("upload", upload["id"], {"status": "cancelled"})
    await run_in_threadpool(_drop_parts, platform, upload)
    return _answer(changed)


def _found(request: Request) -> Object:
    platform, id = services(request), request.path_params["id"]
    _drop_expired(platform)
    upload = platform.store.get("upload", id)
    if upload is None:
        raise not_found("Upload", id, param="upload_id")
    return upload


def _pending(request: Request) -> Object:
    upload = _found(request)
    if upload["status"] != "pending":
        message = f"Upload {upload['id']} takes nothing any more: its status is {upload['status']!r}."
        raise WireError(400, message, param="upload_id", code="invalid_upload_status")
    return upload


def _drop_expired(platform: Services) -> None:
    for upload in platform.store.page("upload", where={"$.status": "pending"})[0]:
        if upload["expires_at"] <= now():
            platform.store.update("upload", upload["id"], {"status": "expired"})
            _drop_parts(platform, upload)


def _drop_parts(platform: Services, upload: Object) -> None:
    for part in platform.store.page("part", parent=upload["id"])[0]:
        platform.store.delete("part", part["id"])
    shutil.rmtree(_folder(platform, upload), ignore_errors=True)


def _folder(platform: Services, upload: Object) -> Path:
    return platform.root / "uploads" / upload["id"]


def _answer(upload: Object) -> JSONResponse:
    return JSONResponse(told({name: value for name, value in upload.items() if name != "lives"}))


routes = [
    Route("/uploads", create, methods=["POST"]),
    Route("/uploads/{id}/parts", add_part, methods=["POST"]),
    Route("/uploads/{id}/complete", complete, methods=["POST"]),
    Route("/uploads/{id}/cancel", cancel, methods=["POST"]),
]

"""What a batch ends with: a file of answers, a file of errors, the counts and the tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain

from finetune_lib.files import write_atomically
from finetune_lib.local.batches.directory import BatchDirectory
from finetune_lib.local.objects import Object, file_object, new_id
from finetune_lib.local.store import Store

CANCELLED = {"code": "batch_cancelled", "message": "The batch was cancelled before this request executed."}


def answer_line(custom_id: str, status: int, body: object) -> Object:
    """A request that was answered, be it with an error."""
    response = {"status_code": status, "request_id": new_id("req_"), "body": body}
    return {"id": new_id("batch_req_"), "custom_id": custom_id, "response": response, "error": None}


def succeeded(answer: Object) -> bool:
    """Whether an answer belongs into the file of answers."""
    return answer["response"]["status_code"] == 200


def write_outputs(store: Store, batch: Object, directory: BatchDirectory) -> tuple[list[Object], Object]:
    """Write both files, under the same ids however often it is begun: the files to register, and the batch's changes.

    Returns:
        The files that have a line, and what changes in the batch.
    """
    good = _write(store, batch, "output", (line for line, answer in directory.answers() if succeeded(answer)))
    bad = (line for line, answer in directory.answers() if not succeeded(answer))
    files = {"output_file_id": good, "error_file_id": _write(store, batch, "error", chain(bad, _left(directory)))}
    changes = {name: file["id"] if file else None for name, file in files.items()}
    return [file for file in files.values() if file], {**changes, "usage": _usage(directory)}


def _left(directory: BatchDirectory) -> Iterator[bytes]:
    """The requests that a cancelled batch did not come to."""
    answered = {answer["custom_id"] for _, answer in directory.answers()}
    for request in directory.requests():
        if request["custom_id"] not in answered:
            line = {"id": new_id("batch_req_"), "custom_id": request["custom_id"], "response": None}
            yield json.dumps({**line, "error": CANCELLED}, ensure_ascii=False).encode() + b"\n"


def _write(store: Store, batch: Object, kind: str, lines: Iterable[bytes]) -> Object | None:
    """One file, listed later; None, and no file, where it would be empty."""
    name = f"{batch['id']}_{kind}.jsonl"
    id = f"file-{hashlib.sha256(name.encode()).hexdigest()[:22]}"
    blob = write_atomically(store.blob(id), lines)
    if size := blob.stat().st_size:
        expiry: Object = batch.get("output_expires_after") or {}
        return file_object(id, filename=name, purpose="batch_output", size=size, lives=expiry.get("seconds"))
    blob.unlink()
    return None


def _usage(directory: BatchDirectory) -> Object:
    counted = [answer["response"]["body"]["usage"] for _, answer in directory.answers() if succeeded(answer)]
    asked, answered = (sum(usage.get(f"{kind}_tokens", 0) for usage in counted) for kind in ("prompt", "completion"))
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + answered,
    }

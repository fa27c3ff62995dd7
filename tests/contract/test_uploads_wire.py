"""/v1/uploads through the plain `openai` client: parts in any order and side by side, checked, expiring, cancelled."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart
from tests.contract import specification

LINES = [
    json.dumps({"messages": [{"role": "user", "content": f"問 {n}"}, {"role": "assistant", "content": "答" * 200}]})
    for n in range(40)
]
WHOLE = "".join(line + "\n" for line in LINES).encode()
SIZE = len(WHOLE)
PARTS = [WHOLE[at : at + 3000] for at in range(0, len(WHOLE), 3000)]


@pytest.fixture
def begin(client):
    def begin(size=SIZE, purpose="fine-tune", **more):
        return client.uploads.create(
            bytes=size, filename="資料.jsonl", mime_type="application/jsonl", purpose=purpose, **more
        )

    return begin


@pytest.fixture
def send(client):
    """Sends the parts, the last one first and several at once; gives their ids in the order of the file."""

    def send(upload, parts=PARTS):
        def one(part):
            return client.uploads.parts.create(upload.id, data=part).id

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, parts[::-1]))[::-1]

    return send


def test_parts_that_come_in_any_order_are_one_file_that_trains(client, begin, send):
    upload = begin()
    md5 = hashlib.md5(WHOLE, usedforsecurity=False).hexdigest()
    done = client.uploads.complete(upload.id, part_ids=send(upload), md5=md5)
    assert (upload.status, done.status, done.file.filename) == ("pending", "completed", "資料.jsonl")
    assert (done.file.bytes, done.file.purpose) == (len(WHOLE), "fine-tune")
    assert client.files.content(done.file.id).read() == WHOLE
    assert done.file.id in [file.id for file in client.files.list()]
    job = client.fine_tuning.jobs.create(model="tiny", training_file=done.file.id)
    client.fine_tuning.jobs.cancel(job.id)


def test_the_clients_own_helper_works(client):
    done = client.uploads.upload_file_chunked(
        file=WHOLE,
        filename="a.jsonl",
        bytes=len(WHOLE),
        mime_type="application/jsonl",
        purpose="fine-tune",
        part_size=4000,
    )
    assert client.files.content(done.file.id).read() == WHOLE


@specification.needed
def test_answers_are_valid_against_the_specification(http, begin, send):
    upload = begin()
    ids = send(upload)
    done = http.post(f"uploads/{upload.id}/complete", json={"part_ids": ids}).json()
    other = begin()
    part = http.post(f"uploads/{other.id}/parts", files={"data": b"x"}).json()
    cancelled = http.post(f"uploads/{other.id}/cancel").json()
    pending = http.post("uploads", json={"filename": "f", "purpose": "batch", "bytes": 1, "mime_type": "m"}).json()
    for body in (done, cancelled, pending):
        Upload.model_validate(body, strict=True)
        assert specification.faults("Upload", body) == []
    UploadPart.model_validate(part, strict=True)
    assert specification.faults("UploadPart", part) == []


def test_completing_twice_gives_the_same_file(client, begin, send):
    upload = begin()
    ids = send(upload)
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: client.uploads.complete(upload.id, part_ids=ids).file.id, range(3)))
    assert len(set(done)) == 1


def test_what_does_not_fit_together_is_refused_and_can_be_mended(client, begin, send, server):
    upload = begin()
    ids = send(upload)
    wrong = [
        ({"part_ids": ids[:-1]}, "part_ids", "upload_size_mismatch"),
        ({"part_ids": [*ids, "part_none"]}, "part_ids", "invalid_value"),
        ({"part_ids": ["../../platform.db"]}, "part_ids", "invalid_value"),
        ({"part_ids": ids, "md5": "0" * 32}, "md5", "checksum_mismatch"),
    ]
    for given, param, code in wrong:
        with pytest.raises(openai.BadRequestError) as caught:
            client.uploads.complete(upload.id, **given)
        assert (caught.value.param, caught.value.code) == (param, code)
    assert client.uploads.complete(upload.id, part_ids=ids).status == "completed"
    assert not (server.root / "uploads" / upload.id).exists()


def test_a_file_that_is_no_jsonl_is_refused_whole(client, begin, send):
    upload = begin(size=7)
    with pytest.raises(openai.BadRequestError, match="JSONL"):
        client.uploads.complete(upload.id, part_ids=send(upload, [b"no ", b"json"]))


def test_a_cancelled_upload_takes_nothing_and_leaves_nothing(client, begin, send, server):
    upload = begin()
    ids = send(upload, PARTS[:2])
    assert client.uploads.cancel(upload.id).status == "cancelled"
    for call in (
        lambda: client.uploads.parts.create(upload.id, data=b"x"),
        lambda: client.uploads.complete(upload.id, part_ids=ids),
        lambda: client.uploads.cancel(upload.id),
    ):
        with pytest.raises(openai.BadRequestError, match="cancelled"):
            call()
    assert not (server.root / "uploads" / upload.id).exists()


def test_an_upload_expires_after_an_hour(client, begin, send, server):
    upload = begin()
    assert upload.expires_at == upload.created_at + 3600
    send(upload, PARTS[:1])
    with sqlite3.connect(server.root / "platform.db") as db:  # as if an hour had passed
        over = int(time.time()) - 1
        db.execute("UPDATE objects SET body = json_set(body, '$.expires_at', ?) WHERE id = ?", (over, upload.id))
    with pytest.raises(openai.BadRequestError, match="expired"):
        client.uploads.parts.create(upload.id, data=b"x")
    assert not (server.root / "uploads" / upload.id).exists()


def test_the_file_of_an_upload_expires_where_it_is_asked(client, begin, send):
    upload = begin(expires_after={"anchor": "created_at", "seconds": 3600})
    file = client.uploads.complete(upload.id, part_ids=send(upload)).file
    assert file.expires_at == file.created_at + 3600


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"bytes": -1}, "bytes"),
        ({"bytes": True}, "bytes"),
        ({"bytes": 2**40}, "bytes"),
        ({"purpose": "training"}, "purpose"),
        ({"filename": ""}, "filename"),
        ({"mime_type": None}, "mime_type"),
        ({"colour": "red"}, "colour"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds"),
    ],
    ids=str,
)
def test_a_wrong_upload_is_refused_by_its_field(http, changes, param):
    body = {"filename": "f", "purpose": "fine-tune", "bytes": 1, "mime_type": "text/plain"}
    answer = http.post("uploads", json={**body, **changes})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_unknown_upload_is_404(client):
    with pytest.raises(openai.NotFoundError):
        client.uploads.parts.create("upload_none", data=b"x")

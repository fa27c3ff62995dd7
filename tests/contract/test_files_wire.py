"""/v1/files through the plain `openai` client."""

from __future__ import annotations

import openai
import pytest

LINE = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


def uploaded(client, content=LINE, name="data.jsonl", purpose="fine-tune"):
    return client.files.create(file=(name, content), purpose=purpose)


def test_open_file_is_uploaded_as_tutorials_do(client, write_rows, rows):
    path = write_rows(rows, "tutorial.jsonl")
    with path.open("rb") as opened:
        file = client.files.create(file=opened, purpose="fine-tune")
    assert file.id.startswith("file-")
    assert len(file.id) == len("file-") + 22
    assert (file.object, file.filename, file.purpose) == ("file", "tutorial.jsonl", "fine-tune")
    assert (file.status, file.bytes) == ("processed", path.stat().st_size)
    assert client.files.content(file.id).read() == path.read_bytes()


def test_path_is_uploaded(client, write_rows, rows):
    path = write_rows(rows, "by-path.jsonl")
    assert client.files.create(file=path, purpose="fine-tune").filename == "by-path.jsonl"


def test_file_name_loses_its_folders(client):
    assert uploaded(client, name="../../etc/data.jsonl").filename == "data.jsonl"


def test_retrieve_gives_what_create_gave(client):
    file = uploaded(client)
    assert client.files.retrieve(file.id).to_dict() == file.to_dict()


def test_deleted_file_is_gone(client):
    file = uploaded(client)
    deleted = client.files.delete(file.id)
    assert (deleted.id, deleted.object, deleted.deleted) == (file.id, "file", True)
    for ask in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            ask(file.id)
    assert file.id not in [listed.id for listed in client.files.list()]


def test_files_are_listed_newest_first(client):
    ids = [uploaded(client).id for _ in range(3)]
    assert [file.id for file in client.files.list()][:3] == ids[::-1]
    assert [file.id for file in client.files.list(order="asc")][-3:] == ids


def test_pages_of_files_give_each_once(client):
    for _ in range(5):
        uploaded(client)
    first = client.files.list(limit=2)
    assert len(first.data) == 2
    assert first.has_more
    whole = [file.id for file in client.files.list()]
    assert [file.id for file in first] == whole
    assert [file.id for file in client.files.list(limit=2, order="asc")] == whole[::-1]


def test_files_are_filtered_by_purpose(client):
    chosen = uploaded(client, b"anything", "notes.txt", "user_data")
    others = [uploaded(client).id, uploaded(client, b"x", "b.jsonl", "batch").id]
    listed = list(client.files.list(purpose="user_data"))
    assert chosen.id in [file.id for file in listed]
    assert {file.purpose for file in listed} == {"user_data"}
    assert not {file.id for file in listed} & set(others)


def test_content_comes_back_byte_for_byte(client):
    content = bytes(range(256)) * 5000
    assert client.files.content(uploaded(client, content, "blob.bin", "user_data").id).read() == content


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (LINE + b"not json\n", "Line 2 is not a dictionary"),
        (LINE * 3 + b"[1, 2]\n", "Line 4 is not a dictionary"),
        (b'"text"\n', "Line 1 is not a dictionary"),
        (b"\xff\xfe\n", "Line 1 is not a dictionary"),
        (b"", "empty"),
    ],
)
def test_file_for_training_must_be_json_lines(client, content, complaint):
    before = [file.id for file in client.files.list()]
    with pytest.raises(openai.BadRequestError, match=complaint):
        uploaded(client, content)
    assert [file.id for file in client.files.list()] == before


def test_unknown_purpose_is_refused(client):
    with pytest.raises(openai.BadRequestError, match="nonsense") as caught:
        uploaded(client, purpose="nonsense")
    assert caught.value.param == "purpose"


def test_upload_without_a_file_is_refused(http):
    answer = http.post("files", data={"purpose": "fine-tune"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "file"


async def test_async_client_uploads_and_reads(server):
    async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:
        file = await client.files.create(file=("async.jsonl", LINE), purpose="fine-tune")
        assert (await client.files.content(file.id)).read() == LINE
        assert file.id in [listed.id async for listed in client.files.list(limit=3)]

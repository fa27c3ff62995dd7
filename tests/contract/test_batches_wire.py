"""/v1/batches through the plain `openai` client, and its answers in the shapes of OpenAI's specification."""

from __future__ import annotations

import json

import openai
import pytest
from openai.types import Batch
from tests.contract import specification

CHAT = "/v1/chat/completions"
ENDED = {"completed", "failed", "cancelled"}
STAMPS = ("created_at", "in_progress_at", "finalizing_at", "completed_at")


def request(id, content="x", model="tiny", **options):
    body = {"model": model, "messages": [{"role": "user", "content": content}], "temperature": 0, "max_tokens": 4}
    return {"custom_id": id, "method": "POST", "url": CHAT, "body": {**body, **options}}


def lines_of(requests):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in requests).encode()


@pytest.fixture
def begin(client):
    def begin(requests, **options):
        content = requests if isinstance(requests, bytes) else lines_of(requests)
        file = client.files.create(file=("requests.jsonl", content), purpose="batch")
        return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h", **options)

    return begin


@pytest.fixture
def finish(client, until):
    def finish(batch):
        return until(lambda: (now := client.batches.retrieve(batch.id)).status in ENDED and now)

    return finish


def read(client, file):
    return {line["custom_id"]: line for line in map(json.loads, client.files.content(file).text.splitlines())}


def test_every_request_has_its_answer(client, trained, begin, finish):
    requests = [request(f"要求 {q}", q, trained.model, max_tokens=60) for q in trained.questions]
    created = begin(requests, metadata={"run": "一"})
    assert created.id.startswith("batch_")
    assert (created.status, created.request_counts.total, created.output_file_id) == ("validating", 0, None)
    done = finish(created)
    assert (done.status, done.model, done.metadata) == ("completed", trained.model, {"run": "一"})
    assert done.request_counts.to_dict() == {"total": 12, "completed": 12, "failed": 0}
    assert (done.errors, done.error_file_id, done.failed_at, done.cancelled_at) == (None, None, None, None)
    stamps = [getattr(done, name) for name in STAMPS]
    assert stamps == sorted(stamps)
    answers = read(client, done.output_file_id)
    told = {id: line["response"]["body"]["choices"][0]["message"]["content"] for id, line in answers.items()}
    assert told == {f"要求 {question}": answer for question, answer in trained.questions.items()}
    used = [line["response"]["body"]["usage"] for line in answers.values()]
    assert done.usage.input_tokens == sum(usage["prompt_tokens"] for usage in used)
    assert done.usage.output_tokens == sum(usage["completion_tokens"] for usage in used)
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens


def test_answer_is_that_of_the_same_call(client, begin, finish):
    (line,) = read(client, finish(begin([request("a", "hello", seed=3)])).output_file_id).values()
    assert set(line) == {"id", "custom_id", "response", "error"}
    assert line["id"].startswith("batch_req_")
    assert line["error"] is None
    assert line["response"]["status_code"] == 200
    alone = client.chat.completions.create(**request("a", "hello", seed=3)["body"]).to_dict()
    assert {**line["response"]["body"], "id": 0, "created": 0} == {**alone, "id": 0, "created": 0}


def test_outputs_are_files(client, begin, finish):
    done = finish(begin([request("a")]))
    file = client.files.retrieve(done.output_file_id)
    assert (file.purpose, file.filename) == ("batch_output", f"{done.id}_output.jsonl")
    assert file.bytes == len(client.files.content(file.id).read())
    assert file.id in [listed.id for listed in client.files.list(purpose="batch_output")]


def test_refused_requests_are_in_the_file_of_errors(client, begin, finish):
    wrong = {"tools": [{}], "stream": True, "temperature": 9, "messages": []}
    requests = [request("good"), *(request(name, **{name: value}) for name, value in wrong.items())]
    done = finish(begin(requests))
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 1, 4)
    assert set(read(client, done.output_file_id)) == {"good"}
    errors = read(client, done.error_file_id)
    assert set(errors) == set(wrong)
    for name, line in errors.items():
        assert (line["error"], line["response"]["status_code"]) == (None, 400)
        assert line["response"]["body"]["error"]["param"] == name


def test_batch_of_refused_requests_alone_has_no_answers(begin, finish):
    done = finish(begin([request("a", functions=[{"name": "f"}])]))
    assert (done.status, done.output_file_id, done.request_counts.failed) == ("completed", None, 1)
    assert done.usage.total_tokens == 0
    assert done.error_file_id


BROKEN = [
    request("first"),
    request("first"),
    {**request("get"), "method": "GET"},
    {**request("elsewhere"), "url": "/v1/embeddings"},
    request("other", model="other"),
    {"custom_id": 5, "method": "POST", "url": CHAT},
    {**request("bodiless"), "body": {"messages": []}},
]


def test_broken_input_fails_with_every_line_at_once(client, begin, finish):
    done = finish(begin(lines_of(BROKEN) + b"no json\n\n[1]\n" + lines_of([request("last")])))
    assert done.status == "failed"
    assert done.failed_at
    assert (done.in_progress_at, done.output_file_id, done.error_file_id) == (None, None, None)
    assert [(e.line, e.code, e.param) for e in done.errors.data] == [
        (2, "duplicate_custom_id", "custom_id"),
        (3, "invalid_method", "method"),
        (4, "url_mismatch", "url"),
        (5, "model_mismatch", "body.model"),
        (6, "missing_required_parameter", "custom_id"),
        (6, "missing_required_parameter", "body"),
        (7, "missing_required_parameter", "body.model"),
        (8, "invalid_json_line", None),
        (10, "invalid_json_line", None),
    ]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "empty_file", None),
        (b"\n \n", "empty_file", None),
        (lines_of([request("a", model="gpt-4.1")]), "model_not_found", 1),
        (b"\xef\xbb\xbf" + lines_of([request("a")]), "invalid_json_line", 1),
        (lines_of([request("a")]).replace(b"tiny", rb"\ud800"), "invalid_json_line", 1),
        (b"[" * 100_000 + b"\n" + lines_of([request("a")]), "invalid_json_line", 1),
        (lines_of(request(str(i)) for i in range(50_001)), "too_many_tasks", None),
    ],
    ids=["empty", "blank", "unknown model", "byte order mark", "half a character", "deep", "many"],
)
def test_input_that_is_no_batch_fails(begin, finish, content, code, line):
    done = finish(begin(content))
    assert (done.status, [(e.code, e.line) for e in done.errors.data]) == ("failed", [(code, line)])


def test_input_must_be_utf8(client):
    with pytest.raises(openai.BadRequestError, match="utf-8"):
        client.files.create(file=("a.jsonl", "日".encode("big5")), purpose="batch")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"endpoint": "/v1/responses"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"endpoint": ["/v1/embeddings"]}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"input_file_id": None}, "input_file_id"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}}, "output_expires_after.seconds"),
    ],
)
def test_wrong_batch_is_refused_by_its_field(client, http, changes, param):
    file = client.files.create(file=("a.jsonl", lines_of([request("a")])), purpose="batch")
    body = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h", **changes}
    answer = http.post("batches", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_file_of_another_purpose_is_refused(client, training_file):
    with pytest.raises(openai.BadRequestError, match="purpose 'fine-tune', not 'batch'"):
        client.batches.create(input_file_id=training_file.id, endpoint=CHAT, completion_window="24h")


def test_unknown_batch_is_not_found(client):
    for call in (client.batches.retrieve, client.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            call("batch_none")


def test_batches_are_listed_newest_first_in_pages(client, begin):
    ids = [begin([request("a")]).id for _ in range(3)][::-1]
    first = client.batches.list(limit=2)
    assert [batch.id for batch in first.data] == ids[:2]
    assert first.has_more
    whole = [batch.id for batch in client.batches.list()]
    assert [batch.id for batch in client.batches.list(limit=2)] == whole
    assert whole[:3] == ids


def test_deleted_input_harms_no_batch(client, begin, finish):
    batch = begin([request(str(n)) for n in range(5)])
    client.files.delete(batch.input_file_id)
    assert finish(batch).request_counts.completed == 5


def test_cancelled_batch_keeps_what_is_answered(client, begin, finish, until):
    ids = [str(n) for n in range(500)]
    batch = begin([request(id, max_tokens=30) for id in ids])
    until(lambda: client.batches.retrieve(batch.id).request_counts.completed)
    assert client.batches.cancel(batch.id).status == "cancelling"
    done = finish(batch)
    assert (done.status, done.completed_at) == ("cancelled", None)
    assert done.cancelling_at <= done.cancelled_at
    answered, errors = read(client, done.output_file_id), read(client, done.error_file_id)
    assert 0 < len(answered) == done.request_counts.completed < 500
    assert done.request_counts.failed == 0
    assert sorted([*answered, *errors]) == sorted(ids)
    assert {(line["error"]["code"], line["response"]) for line in errors.values()} == {("batch_cancelled", None)}
    with pytest.raises(openai.BadRequestError, match="status 'cancelled'"):
        client.batches.cancel(batch.id)


def test_chats_need_not_wait_for_a_batch(client, begin, finish, until):
    batch = begin([request(str(n), max_tokens=30) for n in range(200)])
    until(lambda: client.batches.retrieve(batch.id).request_counts.completed)
    for _ in range(5):
        client.chat.completions.create(**request("a")["body"])
    now = client.batches.retrieve(batch.id)
    assert (now.status, now.request_counts.completed < 150) == ("in_progress", True)
    client.batches.cancel(batch.id)
    finish(batch)


def test_broken_batch_is_told_while_another_runs(client, begin, finish, until):
    long = begin([request(str(n), max_tokens=30) for n in range(200)])
    until(lambda: client.batches.retrieve(long.id).status == "in_progress")
    assert finish(begin(b"no json\n")).status == "failed"
    assert client.batches.retrieve(long.id).status == "in_progress"
    client.batches.cancel(long.id)
    finish(long)


async def test_async_client_runs_a_batch(server, begin, finish):
    async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:
        file = await client.files.create(file=("a.jsonl", lines_of([request("a")])), purpose="batch")
        batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        done = finish(batch)
        assert json.loads((await client.files.content(done.output_file_id)).text)["custom_id"] == "a"
        assert batch.id in [listed.id async for listed in client.batches.list(limit=3)]


@pytest.fixture
def answers(http, begin, finish):
    """The JSON of batches in every state, and of their list."""
    created = begin([request("a"), request("b", n=2)], metadata={"a": "b"})
    failed, done = finish(begin(b"no json\n")), finish(created)
    bodies = [http.get(f"batches/{batch.id}").raise_for_status().json() for batch in (failed, done)]
    return [created.to_dict(), *bodies], http.get("batches?limit=1").raise_for_status().json()


def test_answers_are_of_the_clients_type(answers):
    for body in answers[0]:
        assert not Batch.model_validate(body, strict=True).model_extra


@specification.needed
def test_answers_are_valid_against_the_specification(answers):
    batches, page = answers
    assert [fault for body in batches for fault in specification.faults("Batch", body)] == []
    assert specification.faults("ListBatchesResponse", page) == []
    assert (page["first_id"], page["last_id"], page["has_more"]) == (page["data"][0]["id"],) * 2 + (True,)


def test_the_files_of_a_batch_expire_where_it_is_asked(client, begin, finish):
    done = finish(begin([request("a")], output_expires_after={"anchor": "created_at", "seconds": 7200}))
    file = client.files.retrieve(done.output_file_id)
    assert file.expires_at == file.created_at + 7200


@pytest.mark.parametrize(
    ("endpoint", "asked"), [("/v1/completions", {"prompt": "x"}), ("/v1/embeddings", {"input": "x"})]
)
def test_a_batch_of_another_endpoint_is_answered_as_that_is(client, http, finish, endpoint, asked):
    body = {"model": "tiny", **asked, **({"temperature": 0} if "prompt" in asked else {})}
    line = {"custom_id": "a", "method": "POST", "url": endpoint, "body": body}
    file = client.files.create(file=("b.jsonl", lines_of([line])), purpose="batch")
    done = finish(client.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h"))
    (told,) = client.files.content(done.output_file_id).text.splitlines()
    said, alone = json.loads(told)["response"]["body"], http.post(endpoint.removeprefix("/v1/"), json=body).json()
    kept = ("choices", "data", "usage", "model")
    assert {name: said.get(name) for name in kept} == {name: alone.get(name) for name in kept}
    assert done.usage.total_tokens == alone["usage"]["total_tokens"]

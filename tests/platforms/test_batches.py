"""The client side of batches, against the local platform and against OpenAI's answers replayed over HTTP."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doubles import Scripted, serving

import finetune_lib as ft
from finetune_lib.platforms import batch_files
from finetune_lib.platforms.batch_files import parts_of
from finetune_lib.platforms.batches import FINGERPRINT, FIRST_DELAY, LONGEST_DELAY, Batches

NO_RETRY = {"x-should-retry": "false"}  # the client's own retries sleep; ours are what is tested
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def body(content="x", model="tiny", **options):
    messages = [{"role": "user", "content": content}]
    return {"model": model, "messages": messages, "temperature": 0, "max_tokens": 4, **options}


async def all_of(outcomes):
    found = [pair async for pair in outcomes]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_requests_are_cut_by_number_and_size(monkeypatch):
    requests = {f"{n:03}": body("x" * n) for n in range(100)}
    monkeypatch.setattr(batch_files, "MOST_REQUESTS", 30)
    assert [len(part.ids) for part in parts_of(requests)] == [30, 30, 30, 10]
    monkeypatch.setattr(batch_files, "LARGEST_BYTES", 2_000)
    parts = parts_of(requests)
    assert all(len(part.content) <= 2_000 for part in parts)
    assert [id for part in parts for id in part.ids] == list(requests)
    with pytest.raises(ValueError, match="request '000' has"):
        parts_of({"000": body("x" * 2_000)})


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1), st.randoms())
def test_same_requests_have_the_same_fingerprint_in_any_order(contents, chance):
    ids = list(contents)
    chance.shuffle(ids)
    (first,) = parts_of({id: body(contents[id]) for id in contents})
    (again,) = parts_of({id: body(contents[id]) for id in ids})
    (other,) = parts_of({id: body(contents[id] + "!") for id in ids})
    assert first == again
    assert first.fingerprint == again.fingerprint != other.fingerprint
    read = [json.loads(line) for line in first.content.split(b"\n")[:-1]]
    assert {one["custom_id"]: one["body"] for one in read} == {id: body(contents[id]) for id in contents}


def test_order_inside_a_request_is_kept():
    """It means something: a schema's properties are answered in their order."""
    schema = {"reason": {}, "answer": {}}
    (part,) = parts_of({"a": body(schema=schema)})
    assert list(json.loads(part.content)["body"]["schema"]) == ["reason", "answer"]


@pytest.mark.parametrize("requests", [{"a": body(), "b": body(model="other")}, {"a": {"messages": []}}])
async def test_requests_of_no_model_or_several_are_refused(platform, requests):
    with pytest.raises(ValueError, match="one model"):
        await all_of(Batches(platform).run(requests))


async def test_local_platform_answers_each_request(platform, trained):
    requests = {f"問 {q}": body(q, trained.model, max_tokens=60) for q in trained.questions}
    ids = []
    outcomes = await all_of(
        Batches(platform, on_batch=ids.append).run({**requests, "bad": body("x", trained.model, audio={"voice": "x"})})
    )
    assert len(ids) == 1
    refused = outcomes.pop("bad")
    assert isinstance(refused, ft.PlatformError)
    assert (refused.status_code, refused.code, refused.param) == (400, "unsupported_parameter", "audio")
    assert not refused.retryable
    told = {id: outcome["choices"][0]["message"]["content"] for id, outcome in outcomes.items()}
    assert told == {f"問 {question}": answer for question, answer in trained.questions.items()}


async def test_same_requests_are_answered_by_the_batch_that_is_there(platform, client):
    requests = {str(n): body("again?", seed=n) for n in range(3)}
    ids = []
    batches = Batches(platform, on_batch=ids.append)
    first = await all_of(batches.run(requests))
    assert await all_of(batches.run(dict(reversed(requests.items())))) == first
    assert len(set(ids)) == 1
    assert await all_of(batches.run({**requests, "3": body("new")})) != first
    assert len(set(ids)) == 2
    client.files.delete(client.batches.retrieve(ids[0]).output_file_id)  # what is there no more is asked again
    await all_of(batches.run(requests))
    assert len(set(ids)) == 3


async def test_batch_is_taken_up_by_its_id(platform, client):
    requests = {str(n): body("resume", seed=n) for n in range(3)} | {"bad": body(n=2)}
    ids = []
    run = Batches(platform, on_batch=ids.append).run(requests)
    first = {}
    async for id, outcome in run:  # the first process ends early
        first[id] = outcome
        break
    await run.aclose()
    outcomes = await all_of(Batches(platform).resume(ids))
    assert set(outcomes) == set(requests)
    assert first.items() <= outcomes.items() or isinstance(next(iter(first.values())), ft.PlatformError)
    client.files.delete(client.batches.retrieve(ids[0]).input_file_id)
    assert set(await all_of(Batches(platform).resume(ids))) == set(requests)


async def test_batch_that_does_not_exist_is_told(platform):
    with pytest.raises(ft.PlatformError, match="batch_none") as caught:
        await all_of(Batches(platform).resume(["batch_none"]))
    assert caught.value.status_code == 404


async def test_cancelled_batch_gives_a_reason_for_what_is_missing(platform, client, until):
    requests = {str(n): body("cancel", max_tokens=30, seed=n) for n in range(300)}

    def cancel(id):
        until(lambda: client.batches.retrieve(id).request_counts.completed)
        client.batches.cancel(id)

    outcomes = await all_of(Batches(platform, on_batch=cancel).run(requests))
    errors = [one for one in outcomes.values() if isinstance(one, ft.PlatformError)]
    assert set(outcomes) == set(requests)
    assert 0 < len(errors) < 300
    assert {(error.code, error.retryable) for error in errors} == {("batch_cancelled", True)}


async def test_broken_batch_says_why_for_each_request(platform):
    outcomes = await all_of(Batches(platform).run({str(n): body(model="gpt-none") for n in range(2)}))
    assert set(outcomes) == {"0", "1"}
    for error in outcomes.values():
        assert (error.code, error.retryable) == ("model_not_found", False)
        assert "line 1: The model `gpt-none` does not exist" in str(error)


@pytest.fixture
def service():
    with serving(Scripted()) as service:
        service.answers("GET /batches", page())
        service.answers("POST /files", file("file-in"))
        yield service


@pytest.fixture
def openai(service):
    return ft.connect(service.url, api_key="k")


@pytest.fixture
def waited():
    return []


@pytest.fixture
def batches(openai, waited):
    async def sleep(seconds):
        waited.append(seconds)

    return Batches(openai, sleep=sleep)


def page(*batches):
    return {"object": "list", "data": list(batches), "has_more": False}


def file(id):
    return {"id": id, "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch", "status": "x"}


def batch(status, id="batch_1", **fields):
    body = {"id": id, "object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return {**body, "input_file_id": "file-in", "status": status, "created_at": int(time.time()), **fields}


def refusal(message, code=None):
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def answer(id, text="yes", status=200):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice], "usage": USAGE}
    response = {"status_code": status, "request_id": "req_1", "body": body}
    return json.dumps({"id": "batch_req_1", "custom_id": id, "response": response, "error": None}, ensure_ascii=False)


def error(id, code, message):
    told = {"code": code, "message": message}
    return json.dumps({"id": "batch_req_2", "custom_id": id, "response": None, "error": told})


def content(*lines):
    return "\n".join(lines).encode()


async def test_refused_for_haste_is_tried_again(service, batches, waited):
    hasty = refusal("Too many batches.", "rate_limit_exceeded")
    service.answers("POST /batches", hasty, hasty, status=429, headers={"retry-after": "0"})
    service.answers("POST /batches", batch("validating"))
    service.answers("GET /batches/batch_1", batch("in_progress"), batch("completed", output_file_id="file-out"))
    service.answers("GET /files/file-out/content", content(answer("a"), ""))
    outcomes = await all_of(batches.run({"a": body()}))
    assert outcomes["a"]["choices"][0]["message"]["content"] == "yes"
    assert service.calls.count("POST /batches") == 3
    assert service.calls.count("POST /files") == 1
    assert len(waited) == 3
    asked = next(asked.body for asked in service.asked if b"input_file_id" in asked.raw)
    (part,) = parts_of({"a": body()})
    assert asked.pop("metadata") == {FINGERPRINT: part.fingerprint}
    window = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    assert asked == {"input_file_id": "file-in", **window}


async def test_empty_purse_is_told_at_once(service, batches, waited):
    service.answers("POST /batches", refusal("You exceeded your quota.", "insufficient_quota"), status=429)
    with pytest.raises(ft.PlatformError, match="exceeded your quota"):
        await all_of(batches.run({"a": body()}))
    assert service.calls.count("POST /batches") == 1
    assert waited == []


async def test_expired_batch_gives_its_partial_output(service, batches):
    service.answers("POST /batches", batch("validating"))
    expired = batch("expired", output_file_id="file-out", error_file_id="file-err")
    service.answers("GET /batches/batch_1", expired)
    window = "This request could not be executed before the completion window expired."
    service.answers("GET /files/file-out/content", content(answer("b", "one\u2028line"), "{half", answer("stranger")))
    service.answers("GET /files/file-err/content", content(error("a", "batch_expired", window), "[]", '"x"'))
    outcomes = await all_of(batches.run({id: body() for id in "abc"}))
    assert set(outcomes) == {"a", "b", "c"}
    assert outcomes["b"]["choices"][0]["message"]["content"] == "one\u2028line"
    assert (outcomes["a"].code, outcomes["a"].retryable) == ("batch_expired", True)
    assert window in str(outcomes["a"])
    assert (outcomes["c"].code, outcomes["c"].retryable) == ("batch_expired", True)


async def test_failed_validation_is_told_for_each_request(service, batches):
    problem = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "param": None, "line": None}
    service.answers("POST /batches", batch("validating"))
    service.answers("GET /batches/batch_1", batch("failed", errors={"object": "list", "data": [problem]}))
    outcomes = await all_of(batches.run({id: body() for id in "ab"}))
    for told in outcomes.values():
        assert (told.code, told.retryable) == ("token_limit_exceeded", True)
        assert re.search("batch_1 is failed .*: Enqueued token limit reached.", str(told))


async def test_errors_of_single_requests_keep_their_words(service, batches):
    refused = {
        "custom_id": "a",
        "response": {"status_code": 400, "body": refusal("Too long.", "context_length_exceeded")},
    }
    broken = {"custom_id": "b", "response": {"status_code": 500, "body": {}}, "error": None}
    empty = {"custom_id": "c", "response": {"status_code": 200, "body": None}, "error": None}
    service.answers("POST /batches", batch("validating"))
    service.answers("GET /batches/batch_1", batch("completed", error_file_id="file-err"))
    service.answers("GET /files/file-err/content", content(*map(json.dumps, (refused, broken, empty))))
    outcomes = await all_of(batches.run({id: body() for id in "abc"}))
    assert (outcomes["a"].status_code, outcomes["a"].code) == (400, "context_length_exceeded")
    assert "Too long." in str(outcomes["a"])
    assert [outcomes[id].retryable for id in "abc"] == [False, True, False]


async def test_lost_answer_of_create_starts_no_second_batch(service, batches):
    (part,) = parts_of({"a": body()})
    service.scripts["GET /batches"] = []
    service.answers("GET /batches", page(), page(batch("in_progress", metadata={FINGERPRINT: part.fingerprint})))
    service.answers("POST /batches", refusal("Bad gateway."), status=502, headers=NO_RETRY)
    service.answers("GET /batches/batch_1", batch("completed", output_file_id="file-out"))
    service.answers("GET /files/file-out/content", content(answer("a")))
    assert (await all_of(batches.run({"a": body()})))["a"]["usage"] == USAGE
    assert service.calls.count("POST /batches") == 1


async def test_lost_answer_without_a_batch_says_to_look(service, batches):
    service.answers("POST /batches", refusal("Bad gateway."), status=502, headers=NO_RETRY)
    with pytest.raises(ft.PlatformError, match="look before you do it again") as caught:
        await all_of(batches.run({"a": body()}))
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("fields", "reused"),
    [
        ({"status": "in_progress"}, True),
        ({"status": "completed", "output_file_id": "file-out"}, True),
        ({"status": "completed", "output_file_id": "file-gone"}, False),
        ({"status": "completed", "error_file_id": "file-err"}, False),
        ({"status": "failed"}, False),
        ({"status": "cancelling"}, False),
        ({"status": "expired", "output_file_id": "file-out"}, False),
        ({"status": "in_progress", "created_at": 1}, False),
        ({"status": "in_progress", "metadata": {FINGERPRINT: "another"}}, False),
        ({"status": "in_progress", "metadata": None}, False),
    ],
)
async def test_only_a_batch_that_gives_answers_is_used_again(service, openai, fields, reused):
    (part,) = parts_of({"a": body()})
    known = batch(**{"id": "batch_old", "metadata": {FINGERPRINT: part.fingerprint}, **fields})
    service.scripts["GET /batches"] = []
    service.answers("GET /batches", page(batch("completed", id="batch_x"), known))
    service.answers("GET /files/file-out", file("file-out"))
    service.answers("GET /files/file-gone", refusal("No such File object."), status=404)
    service.answers("POST /batches", batch("validating"))
    for id in ("batch_1", "batch_old"):
        service.answers(f"GET /batches/{id}", batch("completed", id=id, output_file_id="file-out"))
    service.answers("GET /files/file-out/content", content(answer("a")))
    ids = []
    await all_of(Batches(openai, on_batch=ids.append).run({"a": body()}))
    assert ids == (["batch_old"] if reused else ["batch_1"])


async def test_each_batch_is_told_before_the_next_is_begun(service, openai, monkeypatch):
    monkeypatch.setattr(batch_files, "MOST_REQUESTS", 1)
    service.answers("POST /batches", batch("validating"), batch("validating", id="batch_2"))
    service.answers("GET /batches/batch_1", batch("completed", output_file_id="file-1"))
    service.answers("GET /batches/batch_2", batch("completed", output_file_id="file-2"))
    service.answers("GET /files/file-1/content", content(answer("a")))
    service.answers("GET /files/file-2/content", content(answer("b")))
    told = []
    batches = Batches(openai, on_batch=lambda id: told.append((id, service.calls.count("POST /batches"))))
    assert set(await all_of(batches.run({"a": body(), "b": body()}))) == {"a", "b"}
    assert told == [("batch_1", 1), ("batch_2", 2)]


async def test_questions_come_ever_more_seldom_and_bear_short_breaks(service, batches, waited):
    service.answers("GET /batches/batch_1", *[batch("in_progress")] * 12)
    service.answers("GET /batches/batch_1", *[refusal("Overloaded.")] * 5, status=503, headers=NO_RETRY)
    service.answers("GET /batches/batch_1", batch("completed", output_file_id="file-out"))
    service.answers("GET /files/file-out/content", content(answer("a")))
    service.answers("GET /files/file-in/content", parts_of({"a": body(), "b": body()})[0].content)
    outcomes = await all_of(batches.resume(["batch_1"]))
    assert outcomes["a"]["usage"] == USAGE
    assert "without an answer" in str(outcomes["b"])
    assert len(waited) == 17
    assert waited == sorted(waited)
    assert (waited[0], waited[-1]) == (FIRST_DELAY, LONGEST_DELAY)


async def test_long_break_is_told(service, batches):
    service.answers("GET /batches/batch_1", refusal("Overloaded."), status=503, headers=NO_RETRY)
    with pytest.raises(ft.PlatformError, match="Overloaded"):
        await all_of(batches.resume(["batch_1"]))


async def test_no_requests_ask_nothing(service, batches):
    assert await all_of(batches.run({})) == {}
    assert service.calls == []

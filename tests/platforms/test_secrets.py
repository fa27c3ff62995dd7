"""A planted key: it appears in nothing that is shown, written, logged or raised, also where a server echoes it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import logging
import pickle
import traceback
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import openai
import pytest
from tests.doubles import Outcome, Scripted, serving
from tests.jobs.scripts import hasten

import finetune_lib as ft

KEYS = ["sk-planted-0123456789abcdef", "9f3e5a7b1c2d4e6f8a0b1c2d3e4f5a6b"]  # of OpenAI's form, and of no form
ROWS = [
    {"messages": [{"role": "user", "content": f"What is {n} and {n}?"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(1, 13)
]


class Echo(Scripted):
    """Answers every call with what it was sent in the header that carries the key."""

    shape = "openai"
    status = 400

    def reply(self, asked):
        self.asked.append(asked)
        told = asked.headers.get("authorization") or asked.headers["api-key"]
        pad = "x" * 150  # a cut in the middle of the key must not leave a part of it
        body = {
            "openai": {"error": {"message": f"Incorrect key: {told}", "code": told, "param": told}},
            "detail": {"detail": [{"msg": f"bad {told}"}]},
            "text": f"{pad}{told}",
            "page": f"{pad}{told} is no JSON",
            "list": {"errors": [told], "data": told},
        }[self.shape]
        raw = body.encode() if self.shape == "page" else json.dumps(body).encode()
        return Outcome(self.status, raw, {"x-request-id": told})


@pytest.fixture(params=KEYS, ids=["of OpenAI's form", "of no form"])
def key(request):
    return request.param


@pytest.fixture
def echo():
    with serving(Echo()) as server:
        yield server


def pieces(key):
    """The key, and what a cut would leave of it."""
    return [key, key[:14], key[-14:]]


def shows(text, key):
    return [piece for piece in pieces(key) if piece in str(text)]


@pytest.mark.parametrize("own", [False, True], ids=["a key", "a client"])
def test_a_platform_carries_no_key_anywhere(key, own):
    where = openai.OpenAI(base_url="https://llm.example/v1", api_key=key) if own else "https://llm.example/v1"
    platform = ft.connect(where) if own else ft.connect(where, api_key=key)
    model = ft.ChatModel("m", platform=platform)
    for one in (platform, model, copy.copy(platform), copy.deepcopy(model)):
        assert not shows(repr(one), key)
        assert not shows(f"{one}", key)
        assert key.encode() not in pickle.dumps(one)
    assert not shows(vars(platform), key)
    if not own:
        assert not shows(dataclasses.asdict(platform), key)
        assert not shows(dataclasses.asdict(model), key)


def test_a_copy_still_has_its_key():
    platform = ft.connect("https://llm.example/v1", api_key=KEYS[0])
    assert copy.deepcopy(platform).api_key == copy.copy(platform).api_key == KEYS[0]
    assert pickle.loads(pickle.dumps(platform)).api_key is None


def test_an_address_with_a_key_is_shown_without_it(key):
    platform = ft.Platform("mine", f"https://llm.example/v1?key={key}", "another")
    assert not shows(repr(platform), key)
    with pytest.raises(ValueError, match="no query") as caught:
        ft.connect(f"https://llm.example/v1?key={key}", api_key="another")
    assert not shows(caught.value, key)


def ask(platform):
    candidate = ft.ChatModel("m", platform=platform)
    return asyncio.run(candidate(ft.Case("1", (ft.Message(role="user", content="?"),), "a")))


def get(platform):
    return ft.Job.get("ftjob-1", platform=platform)


def create(platform):
    return ft.Job.create(ft.Dataset.from_rows(ROWS), model="m", platform=platform)


@pytest.mark.parametrize("work", [ask, get, create])
@pytest.mark.parametrize(("shape", "status"), [(shape, 401) for shape in ("openai", "detail", "text", "list")])
def test_a_server_that_echoes_it(echo, key, caplog, tmp_path, monkeypatch, work, shape, status):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    echo.shape, echo.status = shape, status
    with caplog.at_level(logging.DEBUG), pytest.raises(ft.PlatformError) as caught:
        work(ft.connect(echo.url, api_key=key))
    assert echo.asked
    error = caught.value
    assert not shows("".join(traceback.format_exception(error)), key)
    assert not shows(vars(error), key)
    assert len(str(error)) < 400
    assert not [record for record in caplog.records if record.name.startswith("finetune_lib") and shows(record, key)]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.encode() not in written


def test_no_page_that_echoes_it_is_quoted(echo, key):
    echo.shape, echo.status = "page", 200
    with pytest.raises(ft.PlatformError) as caught:
        ft.Job.list(platform=ft.connect(echo.url, api_key=key))
    assert not shows("".join(traceback.format_exception(caught.value)), key)


def test_logs_at_debug_carry_no_key(key, caplog):
    with serving(Scripted()) as server, caplog.at_level(logging.DEBUG):
        server.answers("GET /fine_tuning/jobs/ftjob-1", {"id": "ftjob-1", "status": "running", "model": "m"})
        get(ft.connect(server.url, api_key=key))
    assert [record for record in caplog.records if record.name.startswith("openai")]
    assert not shows(caplog.text, key)


def test_a_key_that_no_header_can_carry_is_refused_at_once(key):
    with pytest.raises(ValueError, match="copy it again") as caught:
        ft.Platform("mine", "https://llm.example/v1", f"{key}\nmore")
    assert not shows("".join(traceback.format_exception(caught.value)), key)


def test_settings_that_carry_one_are_not_written_down(key, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    with serving(Scripted()) as server:
        file = {"id": "file-1", "status": "processed", "filename": "x"}
        job = {"id": "ftjob-1", "status": "queued", "model": "m"}
        server.answers("GET /models", {"data": []})
        server.answers("GET /files", {"data": []})
        server.answers("GET /fine_tuning/jobs", {"data": []})
        server.answers("POST /files", file)
        server.answers("GET /files/file-1", file)
        server.answers("POST /fine_tuning/jobs", job)
        platform = ft.connect(server.url, api_key=key)
        extra = {"logging": {"address": f"https://logs.example/?key={key}", "header": key}}
        made = ft.Job.create(ft.Dataset.from_rows(ROWS), model="m", platform=platform, extra=extra)
        assert key in server.asked[-1].raw.decode()  # it is sent, as it was asked for
    (run,) = ft.Run.list(job=made.id)
    assert not shows(run, key)
    assert not shows(run.card(), key)
    assert key.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_what_a_job_and_its_events_say_carries_no_key(key, caplog, tmp_path, monkeypatch):
    """A platform that echoes the header in its events, in their data, and as the reason of a failure."""
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    said = f"the call with Authorization: Bearer {key} at https://a.example/v1?api_key={key}&x=1 failed"
    told = list[ft.JobEvent]()

    def echoing(request, answer):
        if request.path.endswith("/events"):
            events = [
                {**one, "message": said, "data": {"why": [said], "step": n}} for n, one in enumerate(answer["data"])
            ]
            return {**answer, "data": events}
        return answer

    reason = {"code": "server_error", "message": said, "param": None}
    with ft.testing.ScriptedPlatform(key=key, alter=echoing, failure=reason) as server:
        job = ft.Job.create(ft.Dataset.from_rows(ROWS), model="gpt-4.1-mini", platform=server.connect())
        with caplog.at_level(logging.DEBUG), pytest.raises(ft.JobFailedError) as caught:
            job.wait(on_event=told.append)
        ended = job.refresh()
    assert told
    for one in (*told, ended, ended.record, caught.value, vars(caught.value), [event.data for event in told]):
        assert not shows(one, key)
        assert not shows(repr(one), key)
    assert key.encode() not in pickle.dumps((told, ended, ended.record))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.encode() not in written


def test_a_key_that_is_an_ordinary_word_changes_no_name():
    """As people give a server of their own that wants none."""
    with ft.testing.ScriptedPlatform("compatible", key="gpt-4.1", models=("gpt-4.1-mini",)) as server:
        job = ft.Job.create(ft.Dataset.from_rows(ROWS), model="gpt-4.1-mini", platform=server.connect())
        assert job.model == "gpt-4.1-mini"
        while not job.done:
            job = job.refresh()
        assert str(job.fine_tuned_model).startswith("ft:gpt-4.1-mini:")


FORMS = {
    "as it is": lambda key: key,
    "in an address": lambda key: quote(key, safe=""),
    "in a path, in small letters": lambda key: quote(key).lower() if key.islower() else quote(key),
    "in JSON within a text": lambda key: json.dumps(key).replace("/", "\\/").replace("=", "\\u003d"),
    "as Basic": lambda key: f"Basic {b64encode(f'user:{key}'.encode()).decode()}",
    "as Basic without a user": lambda key: f"Basic {b64encode(f':{key}'.encode()).decode()}",
    "in base64": lambda key: b64encode(key.encode()).decode(),
    "in base64 of addresses": lambda key: urlsafe_b64encode(f"??{key}??".encode()).decode(),
    "cut off": lambda key: key[: len(key) * 2 // 3],
}
ODD_KEYS = [*KEYS, "sk-planted/KEY+0123456789=abcdef", "Zm9v~bar%20_planted.0123456789=="]


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_key_is_shown(form, key, tmp_path, monkeypatch):
    """In each field that a platform has for words, and as the name of the model."""
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    hasten(monkeypatch.setattr)
    echoed = FORMS[form](key)
    body = {"error": {"message": f"bad: '{echoed}'.", "code": echoed, "param": echoed}}
    with ft.testing.ScriptedPlatform(key=key, steps=1) as server:
        job = ft.Job.create(ft.Dataset.from_rows(ROWS), model="gpt-4.1-mini", platform=server.connect())
        server.fault("GET /fine_tuning/jobs/*", ft.testing.Fault(status=400, body=body))
        with pytest.raises(ft.PlatformError) as caught:
            job.refresh()
        server.alter = lambda request, answer: {**answer, "fine_tuned_model": echoed, "organization_id": echoed}
        while not job.done:
            job = job.refresh()
        ended = job.wait()
    shown = ["".join(traceback.format_exception(caught.value)), vars(caught.value), ended.record, ended, ended.platform]
    shown += [ft.Run.list(), *(run.card() for run in ft.Run.list())]
    for one in shown:
        assert echoed[3:-3] not in f"{one!r}{one}"
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert echoed.encode() not in written
    assert echoed.encode() not in pickle.dumps((ended, ended.record, caught.value))


def test_ordinary_words_are_left_as_they_are():
    said = "File 9f3e5a is bad: see https://a.example/sketch-0123?page=2 and ask sk for help, user 100% planted"
    for key in ODD_KEYS:
        assert ft.Platform("mine", "https://llm.example/v1", key).scrub(said) == said

"""Every answer has the shape of the `openai` package's own types and of OpenAI's specification."""

from __future__ import annotations

import json

import pytest
from openai.types import FileDeleted, FileObject, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from tests.contract import specification

LINE = b'{"messages": []}\n'


@pytest.fixture(scope="module")
def answers(http, trained):
    """The JSON of each kind of answer, one list a kind, as it came over the wire."""

    def get(path):
        return http.get(path).raise_for_status().json()

    def uploaded():
        upload = {"file": ("shape.jsonl", LINE)}
        return http.post("files", data={"purpose": "fine-tune"}, files=upload).raise_for_status().json()

    question = {"model": trained.model, "messages": [{"role": "user", "content": "日本?"}], "temperature": 0}
    streamed = {**question, "stream": True, "stream_options": {"include_usage": True}}
    lines = http.post("chat/completions", json=streamed).raise_for_status().text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    file = uploaded()
    job = f"fine_tuning/jobs/{trained.job.id}"
    short = http.post("fine_tuning/jobs", json={"model": "tiny", "training_file": file["id"]}).json()
    return {
        "file": [file, get(f"files/{file['id']}"), *get("files?limit=50")["data"]],
        "file deleted": [http.delete(f"files/{uploaded()['id']}").json()],
        "job": [short, get(job), *get("fine_tuning/jobs")["data"]],
        "event": get(f"{job}/events?limit=1000")["data"],
        "checkpoint": get(f"{job}/checkpoints")["data"],
        "model": [get(f"models/{trained.model}"), *get("models")["data"]],
        "completion": [http.post("chat/completions", json=question).json()],
        "chunk": [json.loads(line.removeprefix("data: ")) for line in lines[:-2]],
        "files": [get("files?limit=2"), get("files?purpose=vision")],
        "jobs": [get("fine_tuning/jobs?limit=1")],
        "events": [get(f"{job}/events?limit=2")],
        "checkpoints": [get(f"{job}/checkpoints?limit=1")],
        "models": [get("models")],
        "error": [http.get("nothing").json(), http.get("files/none").json()],
    }


TYPES = {
    "file": FileObject,
    "file deleted": FileDeleted,
    "job": FineTuningJob,
    "event": FineTuningJobEvent,
    "checkpoint": FineTuningJobCheckpoint,
    "model": Model,
    "completion": ChatCompletion,
    "chunk": ChatCompletionChunk,
}


@pytest.mark.parametrize("kind", TYPES)
def test_answers_are_of_the_clients_types(answers, kind):
    assert answers[kind]
    for body in answers[kind]:
        read = TYPES[kind].model_validate(body, strict=True)
        assert set(read.model_extra or {}) <= {"user_provided_suffix", "freed_bytes"}


def test_lists_say_whether_more_follow(answers):
    for kind in ("files", "jobs", "events", "checkpoints"):
        for page in answers[kind]:
            ids = [body["id"] for body in page["data"]]
            assert page["object"] == "list"
            assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else ("", ""))
            assert page["has_more"] is bool(ids)


SCHEMAS = {
    "file": "OpenAIFile",
    "file deleted": "DeleteFileResponse",
    "job": "FineTuningJob",
    "event": "FineTuningJobEvent",
    "checkpoint": "FineTuningJobCheckpoint",
    "model": "Model",
    "completion": "CreateChatCompletionResponse",
    "chunk": "CreateChatCompletionStreamResponse",
    "files": "ListFilesResponse",
    "jobs": "ListPaginatedFineTuningJobsResponse",
    "events": "ListFineTuningJobEventsResponse",
    "checkpoints": "ListFineTuningJobCheckpointsResponse",
    "models": "ListModelsResponse",
    "error": "ErrorResponse",
}


@specification.needed
@pytest.mark.parametrize("kind", SCHEMAS)
def test_answers_are_valid_against_the_specification(answers, kind):
    assert [fault for body in answers[kind] for fault in specification.faults(SCHEMAS[kind], body)] == []

"""Errors on the wire: OpenAI's envelope with the field and the code, as status 4xx, whatever is sent."""

from __future__ import annotations

import json

import openai
import pytest

HELLO = [{"role": "user", "content": "hello"}]
CHAT = {"model": "tiny", "messages": HELLO, "max_tokens": 2, "temperature": 0}
HALF_A_CHARACTER = "\ud800"


def error_of(answer, status):
    error = answer.json()["error"]
    assert answer.status_code == status, error
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert answer.headers["x-request-id"].startswith("req_")
    return error


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "token-of-the-tests"}])
@pytest.mark.parametrize("path", ["models", "files", "fine_tuning/jobs", "nothing"])
def test_nothing_answers_without_the_token(server, headers, path):
    import httpx2

    error = error_of(httpx2.get(f"{server.url}/{path}", headers=headers), 401)
    assert error["code"] == "invalid_api_key"
    assert server.token not in error["message"]


def test_openai_client_sees_a_wrong_key(server):
    with openai.OpenAI(base_url=server.url, api_key="wrong") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()


@pytest.mark.parametrize(
    ("method", "path", "param", "code"),
    [
        ("GET", "files/file-none", "id", "not_found"),
        ("GET", "files/file-none/content", "id", "not_found"),
        ("DELETE", "files/file-none", "id", "not_found"),
        ("GET", "fine_tuning/jobs/ftjob-none", "fine_tune_id", "fine_tune_not_found"),
        ("GET", "fine_tuning/jobs/ftjob-none/events", "fine_tune_id", "fine_tune_not_found"),
        ("GET", "fine_tuning/jobs/ftjob-none/checkpoints", "fine_tune_id", "fine_tune_not_found"),
        ("POST", "fine_tuning/jobs/ftjob-none/cancel", "fine_tune_id", "fine_tune_not_found"),
        ("GET", "models/ft:none/at:all", "model", "model_not_found"),
        ("DELETE", "models/tiny", "model", "model_not_found"),
        ("GET", "nothing", None, "unknown_url"),
        ("POST", "moderations", None, "unknown_url"),
        ("GET", "fine_tuning/jobs/ftjob-none/nothing", None, "unknown_url"),
    ],
)
def test_what_is_not_there_is_404(http, method, path, param, code):
    error = error_of(http.request(method, path), 404)
    assert (error["param"], error["code"]) == (param, code)


def test_unknown_url_is_named(http):
    assert error_of(http.get("nothing"), 404)["message"] == "Invalid URL (GET /v1/nothing)"


@pytest.mark.parametrize(("method", "path"), [("PUT", "files"), ("DELETE", "fine_tuning/jobs"), ("GET", "uploads")])
def test_wrong_method_is_405(http, method, path):
    error_of(http.request(method, path), 405)


@pytest.mark.parametrize("path", ["files", "fine_tuning/jobs"])
@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=-1", "limit"), ("limit=x", "limit"), ("limit=10001", "limit"), ("after=x", "after")],
)
def test_bad_page_is_refused(http, path, query, param):
    assert error_of(http.get(f"{path}?{query}"), 400)["param"] == param


@pytest.mark.parametrize("content", [b"{", b"[1]", b'"text"', b"\xff"])
@pytest.mark.parametrize("path", ["fine_tuning/jobs", "chat/completions"])
def test_body_must_be_a_json_object(http, path, content):
    error_of(http.post(path, content=content), 400)


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"training_file": None}, "training_file", "missing_required_parameter"),
        ({"training_file": "file-none"}, "training_file", "invalid_file"),
        ({"validation_file": "file-none"}, "validation_file", "invalid_file"),
        ({"model": "gpt-none"}, "model", "model_not_available"),
        ({"model": "../etc"}, "model", "model_not_available"),
        ({"suffix": ""}, "suffix", "invalid_value"),
        ({"suffix": "x" * 65}, "suffix", "invalid_value"),
        ({"suffix": 5}, "suffix", "invalid_value"),
        ({"seed": -1}, "seed", "invalid_value"),
        ({"seed": 2**31}, "seed", "invalid_value"),
        ({"seed": True}, "seed", "invalid_value"),
        ({"seed": "7"}, "seed", "invalid_value"),
        ({"suffix": "a:b"}, "suffix", "invalid_value"),
        ({"suffix": "a\nb"}, "suffix", "invalid_value"),
        ({"suffix": "a\0b"}, "suffix", "invalid_value"),
        ({"suffix": "<script>"}, "suffix", "invalid_value"),
        ({"n_epoch": 3}, "n_epoch", "unknown_parameter"),
        ({"integrations": [{"type": "wandb"}]}, "integrations", "invalid_value"),
        ({"integrations": {"type": "wandb"}}, "integrations", "invalid_value"),
        ({"metadata": {"k" * 65: "v"}}, "metadata", "invalid_value"),
        ({"metadata": {"k": "v" * 513}}, "metadata", "invalid_value"),
        ({"metadata": {"a": 1}}, "metadata", "invalid_value"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "invalid_value"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "invalid_value"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "invalid_value"),
        ({"hyperparameters": {"n_epochs": 1.5}}, "hyperparameters.n_epochs", "invalid_value"),
        ({"hyperparameters": {"n_epochs": True}}, "hyperparameters.n_epochs", "invalid_value"),
        ({"hyperparameters": {"batch_size": 257}}, "hyperparameters.batch_size", "invalid_value"),
        (
            {"hyperparameters": {"learning_rate_multiplier": 0}},
            "hyperparameters.learning_rate_multiplier",
            "invalid_value",
        ),
        ({"hyperparameters": {"learning_rate": 1}}, "learning_rate", "unknown_parameter"),
        ({"hyperparameters": []}, "hyperparameters", "invalid_type"),
        ({"hyperparameters": "auto"}, "hyperparameters", "invalid_type"),
        ({"method": {"type": "reinforcement", "reinforcement": {}}}, "grader", "missing_required_parameter"),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"beta": 1}}}},
            "beta",
            "unknown_parameter",
        ),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}, "hyperparameters.beta", "invalid_value"),
        ({"chat_template": 7}, "chat_template", "invalid_value"),
        ({"method": {"type": "reinforcement"}}, "grader", "missing_required_parameter"),
        ({"method": "supervised"}, "method", "invalid_type"),
    ],
)
def test_bad_job_is_refused_with_its_field(http, training_file, changes, param, code):
    jobs = [job["id"] for job in http.get("fine_tuning/jobs").json()["data"]]
    body = {"model": "tiny", "training_file": training_file.id, **changes}
    error = error_of(http.post("fine_tuning/jobs", json=body), 400)
    assert (error["param"], error["code"]) == (param, code)
    assert [job["id"] for job in http.get("fine_tuning/jobs").json()["data"]] == jobs


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"messages": []}, "messages", "missing_required_parameter"),
        ({"messages": "hello"}, "messages", "missing_required_parameter"),
        ({"messages": ["hello"]}, "messages[0]", None),
        ({"messages": [*HELLO, {"content": "no role"}]}, "messages[1]", None),
        ({"temperature": 2.1}, "temperature", "invalid_value"),
        ({"temperature": "hot"}, "temperature", "invalid_value"),
        ({"top_p": -0.1}, "top_p", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"max_tokens": "many"}, "max_tokens", "invalid_value"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools", "invalid_value"),
        ({"tools": "f"}, "tools", "invalid_value"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"functions": [{"name": "f"}]}, "functions", "unsupported_parameter"),
        ({"temprature": 0}, "temprature", "unknown_parameter"),
        ({"stream": True, "stream_options": 5}, "stream_options", "invalid_type"),
        ({"messages": [{"role": "user", "content": "x" * 5000}]}, "messages", "context_length_exceeded"),
        (
            {"messages": [{"role": "user", "content": "x" * 5000}], "stream": True},
            "messages",
            "context_length_exceeded",
        ),
        ({"model": "nobody/nothing"}, "model", "model_error"),
    ],
)
def test_bad_question_is_refused_with_its_field(http, changes, param, code):
    error = error_of(http.post("chat/completions", json={**CHAT, **changes}), 400)
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    "changes", [{"n": 1}, {"tools": []}, {"logprobs": False}, {"response_format": {"type": "text"}}]
)
def test_defaults_that_are_spelled_out_are_taken(http, changes):
    assert http.post("chat/completions", json={**CHAT, **changes}).status_code == 200


def test_unknown_model_is_404_for_a_question(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-none", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    "changes",
    [
        {"stop": 5},
        {"stop": [1]},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": ["hello"]}]},
        {"messages": [{"role": "user", "content": HALF_A_CHARACTER}]},
        {"model": HALF_A_CHARACTER},
        {"max_tokens": None, "max_completion_tokens": 0},
    ],
    ids=str,
)
def test_malformed_question_is_the_callers_fault(http, changes):
    error_of(http.post("chat/completions", content=json.dumps({**CHAT, **changes})), 400)


def test_tiny_temperature_is_answered(http):
    assert http.post("chat/completions", json={**CHAT, "temperature": 1e-300}).status_code == 200


@pytest.mark.parametrize("changes", [{"validation_file": ["file-none"]}, {"suffix": HALF_A_CHARACTER}], ids=str)
def test_malformed_job_is_the_callers_fault(http, training_file, changes):
    body = {"model": "tiny", "training_file": training_file.id, **changes}
    error_of(http.post("fine_tuning/jobs", content=json.dumps(body)), 400)


def test_json_of_too_many_levels_is_the_callers_fault(http):
    deep = b"[" * 100_000
    error_of(http.post("chat/completions", content=deep), 400)
    upload = {"file": ("deep.jsonl", deep + b"\n")}
    error_of(http.post("files", data={"purpose": "fine-tune"}, files=upload), 400)


def test_image_is_refused_and_not_passed_over(http):
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    error_of(http.post("chat/completions", json={**CHAT, "messages": [{"role": "user", "content": parts}]}), 400)

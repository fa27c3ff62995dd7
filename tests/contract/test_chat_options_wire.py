"""What a chat may ask for besides its answer, through the plain `openai` client."""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from finetune_lib.local.app import chat
from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.inference import Question, Sampling
from finetune_lib.local.serving.engine import Engine

HELLO = [{"role": "user", "content": "x"}]
SCHEMA = {
    "type": "object",
    "properties": {"答": {"enum": ["是", "否"]}},
    "required": ["答"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
QUESTION = "日本?"


def ask(client, model="tiny", **options):
    return client.chat.completions.create(model=model, messages=HELLO, **{"max_tokens": 8, **options})


def test_n_answers_have_numbers_and_one_count(client):
    several = ask(client, n=3, seed=5)
    assert [choice.index for choice in several.choices] == [0, 1, 2]
    texts = [choice.message.content for choice in several.choices]
    assert texts[0] == ask(client, seed=5).choices[0].message.content
    assert len(set(texts)) == 3
    assert several.usage.completion_tokens == 24
    assert several.usage.prompt_tokens == ask(client, seed=5).usage.prompt_tokens


def test_stream_of_n_answers_tells_which_is_which(client):
    whole = ask(client, n=3, seed=5)
    texts, ends = {0: "", 1: "", 2: ""}, {}
    for chunk in ask(client, n=3, seed=5, stream=True):
        (choice,) = chunk.choices
        texts[choice.index] += choice.delta.content or ""
        if choice.finish_reason:
            ends[choice.index] = choice.finish_reason
    assert texts == {choice.index: choice.message.content for choice in whole.choices}
    assert ends == {choice.index: choice.finish_reason for choice in whole.choices}


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_are_told_of_each_token_of_the_answer(client, trained, stream):
    options = {"model": trained.model, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
    asked = client.chat.completions.create(**options, logprobs=True, top_logprobs=3, stream=stream)
    if stream:
        tokens = [one for chunk in asked for one in (chunk.choices[0].logprobs or EMPTY).content or []]
    else:
        tokens = asked.choices[0].logprobs.content
    assert b"".join(bytes(token.bytes) for token in tokens).decode() == trained.questions[QUESTION]
    for token in tokens:
        assert token.logprob <= 0
        assert [top.logprob for top in token.top_logprobs] == sorted(
            (t.logprob for t in token.top_logprobs), reverse=True
        )
        assert len(token.top_logprobs) == 3
        assert token.logprob == token.top_logprobs[0].logprob  # the likeliest, at temperature 0
    assert math.exp(sum(token.logprob for token in tokens)) > 0.5  # known by heart


class EMPTY:
    content = None


def test_penalties_and_bias_change_the_answer(client):
    plain = ask(client, temperature=0, max_tokens=100).choices[0].message.content
    assert ask(client, temperature=0, max_tokens=100, frequency_penalty=2).choices[0].message.content != plain
    biased = ask(client, seed=1, logit_bias={"40": 100}).choices[0].message.content
    assert len(set(biased)) == 1
    assert len(biased) == 8


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": 1.5}, "n"),
        ({"logprobs": 3}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"frequency_penalty": "much"}, "frequency_penalty"),
        ({"logit_bias": {"word": 5}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "5"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"temprature": 0}, "temprature"),
        ({"top_k": 5}, "top_k"),
        ({"guided_json": SCHEMA}, "guided_json"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, "chat_template_kwargs"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"web_search_options": {"a": 1}}, "web_search_options"),
    ],
    ids=str,
)
def test_what_is_wrong_or_not_known_is_refused_by_its_name(http, changes, param):
    answer = http.post("chat/completions", json={"model": "tiny", "messages": HELLO, "max_tokens": 1, **changes})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_what_changes_no_answer_is_taken(http):
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 1, "user": "u", "service_tier": "auto", "store": False}
    assert http.post("chat/completions", json=body).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_answer_keeps_to_a_schema(client, stream):
    asked = ask(client, response_format=FORMAT, max_tokens=60, stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in asked)
    else:
        text = asked.choices[0].message.content
    assert json.loads(text)["答"] in ("是", "否")


def test_json_object_is_one_and_a_bad_schema_is_refused(client):
    bias = {"96": 100}  # the token of }
    told = ask(client, response_format={"type": "json_object"}, max_tokens=60, logit_bias=bias)
    assert json.loads(told.choices[0].message.content) == {}
    bad = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "nonsense"}}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, response_format=bad)
    assert caught.value.param == "response_format"


def test_schema_without_its_extra_is_refused_by_name(serve, own_root, tmp_path, monkeypatch):
    """A module of its name that cannot be imported stands before the one that is installed."""
    (tmp_path / "llguidance.py").write_text("raise ModuleNotFoundError('not installed', name='llguidance')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    server = serve(own_root)
    with (
        openai.OpenAI(base_url=server.url, api_key=server.token, max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="structured") as caught,
    ):
        ask(client, response_format=FORMAT)
    assert (caught.value.param, caught.value.code) == ("response_format", "unsupported_parameter")


def said(client, model, question):
    messages = [{"role": "user", "content": question}]
    told = client.chat.completions.create(model=model, messages=messages, temperature=0)
    return told.choices[0].message.content


def test_many_chats_at_once_get_the_answers_of_each_alone(client, trained):
    questions = list(trained.questions) * 3
    with ThreadPoolExecutor(36) as pool:
        told = pool.map(lambda question: said(client, trained.model, question), questions)
        assert list(told) == [trained.questions[question] for question in questions]


async def test_caller_who_hangs_up_leaves_the_model_to_others(tmp_path):
    class Gone:
        async def is_disconnected(self):
            return True

    engine = Engine()
    stream = engine.stream(str(ensure_tiny(tmp_path)), Question(HELLO), Sampling(temperature=0, max_tokens=1900))
    (answer,) = await chat.completions_of(Gone(), stream)
    assert answer.completion_tokens < 1900
    assert engine.complete(str(ensure_tiny(tmp_path)), Question(HELLO), Sampling(max_tokens=1)).completion_tokens == 1

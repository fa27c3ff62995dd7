"""Where data goes: nothing leaves before it is clear that the platform takes the model, whoever asks."""

from __future__ import annotations

import asyncio

import pytest
from tests.doubles import Scripted, Service, serving

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge

KEY = "sk-planted-0123456789abcdef"
ROWS = [
    {"messages": [{"role": "user", "content": f"What is {n} and {n}?"}, {"role": "assistant", "content": str(2 * n)}]}
    for n in range(1, 13)
]
CASES = [ft.Case(str(n), (ft.Message(role="user", content=f"{n}?"),), "a") for n in range(3)]


@pytest.fixture
def service():
    with serving(Service(answer=lambda _: "yes")) as service:
        yield service


@pytest.fixture
def official():
    """A server that counts, under the name of OpenAI."""
    with serving(Scripted()) as server:
        yield server


def openai(server):
    return ft.Platform("openai", server.url, KEY, chosen="OPENAI_API_KEY is set")


def asked(model):
    return asyncio.run(model(CASES[0])).text


def one(case):
    return "a"


def two(case):
    return "b"


def told(error):
    return "openai" in str(error.value) and "OPENAI_API_KEY is set" in str(error.value)


@pytest.mark.parametrize("model", ["tiny", "Qwen/Qwen3-0.6B", "./models/mine", "ft:tiny:local:x:1"])
def test_a_model_of_this_machine_is_not_asked_of_openai(official, model):
    with pytest.raises(ValueError, match="Nothing was sent") as caught:
        asked(ft.ChatModel(model, platform=openai(official)))
    assert told(caught)
    assert official.calls == []


def test_a_folder_with_a_model_is_not_asked_of_openai(official, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="runs on this machine"):
        asked(ft.ChatModel("mine", platform=openai(official)))
    assert official.calls == []


def test_no_job_of_it_is_begun(official):
    with pytest.raises(ValueError, match="Nothing was sent") as caught:
        ft.Job.create(ft.Dataset.from_rows(ROWS), model="tiny", platform=openai(official))
    assert told(caught)
    assert official.calls == []


def test_no_judge_asks_it(official):
    judge = PairwiseJudge("tiny", platform=openai(official))
    evaluator = ft.Evaluator(judge=judge)
    with pytest.raises(ValueError, match="Nothing was sent") as caught:
        evaluator.run(CASES, candidates=[one, two])
    assert told(caught)
    assert official.calls == []


def test_no_augmenter_asks_it(official):
    augmenter = ft.Paraphrase(model="tiny", platform=openai(official))
    with pytest.raises(ValueError, match="Nothing was sent") as caught:
        ft.Dataset.from_rows(ROWS).augment(augmenter)
    assert told(caught)
    assert official.calls == []


def test_a_service_is_asked_for_what_it_lists(service):
    service.models = ["small", "large"]
    platform = ft.connect(service.url, api_key=KEY)
    assert asked(ft.ChatModel("small", platform=platform)) == "yes"
    with pytest.raises(ValueError, match="lists no model 'tiny'; it has large, small") as caught:
        asked(ft.ChatModel("tiny", platform=platform))
    assert "it was named" in str(caught.value)
    assert len(service.chats) == 1


def test_a_model_that_was_trained_since_is_seen(service):
    service.models = ["small"]
    platform = ft.connect(service.url, api_key=KEY)
    assert asked(ft.ChatModel("small", platform=platform)) == "yes"
    service.models.append("ft:small:mine")
    assert asked(ft.ChatModel("ft:small:mine", platform=platform)) == "yes"


def test_where_there_is_no_list_the_name_passes(service):
    assert asked(ft.ChatModel("whatever", platform=ft.connect(service.url, api_key=KEY))) == "yes"


def test_a_model_of_openais_without_a_key_says_so(server):
    with pytest.raises(ValueError, match="there is no key for it") as caught:
        asked(ft.ChatModel("gpt-4.1-mini"))
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "does not exist" not in str(caught.value)

"""/v1/completions, /v1/embeddings and graders through the plain `openai` client."""

from __future__ import annotations

import math

import openai
import pytest
from openai.types import Completion, CreateEmbeddingResponse
from tests.contract import specification


def test_a_prompt_gets_the_answer_that_was_trained(client, trained):
    asked, wanted = next(iter(trained.questions.items()))
    said = client.completions.create(model=trained.model, prompt=asked, temperature=0, max_tokens=60)
    assert said.choices[0].text == wanted
    assert (said.choices[0].finish_reason, said.model) == ("stop", trained.model)
    cut = client.completions.create(model=trained.model, prompt=asked, temperature=0, max_tokens=60, stop=[" OK"])
    assert cut.choices[0].text == wanted.removesuffix(" OK")


def test_several_prompts_are_answered_in_their_order_and_echoed(client, trained):
    asked = list(trained.questions)[:3]
    said = client.completions.create(model=trained.model, prompt=asked, temperature=0, max_tokens=60, echo=True)
    assert [one.text for one in said.choices] == [prompt + trained.questions[prompt] for prompt in asked]
    assert [one.index for one in said.choices] == [0, 1, 2]
    alone = [client.completions.create(model=trained.model, prompt=one, temperature=0, max_tokens=60) for one in asked]
    assert said.usage.total_tokens == sum(one.usage.total_tokens for one in alone)


def test_a_streamed_completion_says_the_same(client, trained):
    asked = list(trained.questions)[:2]
    given = {"model": trained.model, "prompt": asked, "temperature": 0, "max_tokens": 60}
    pieces = list(client.completions.create(**given, stream=True, stream_options={"include_usage": True}))
    texts = ["", ""]
    for choice in (choice for piece in pieces for choice in piece.choices):
        texts[choice.index] += choice.text
    assert texts == [trained.questions[one] for one in asked]
    assert pieces[-1].usage == client.completions.create(**given).usage


def test_sixteen_tokens_are_the_default(client):
    assert client.completions.create(model="tiny", prompt="x", temperature=0).usage.completion_tokens <= 16


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": ["x"] * 65}, "prompt"),
        ({"best_of": 2}, "best_of"),
        ({"n": 2}, "n"),
        ({"suffix": "."}, "suffix"),
        ({"logprobs": 3}, "logprobs"),
        ({"prompt": "x" * 5000}, "messages"),
        ({"prompt": "x" * 5000, "stream": True}, "messages"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_completion_is_refused_by_its_field(http, changes, param):
    answer = http.post("completions", json={"model": "tiny", "prompt": "x", **changes})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_vectors_have_length_one_and_tell_texts_apart(client, trained):
    texts = ["日本?", "日本？", "Where is the gate?"]
    found = client.embeddings.create(model=trained.model, input=texts)
    vectors = [one.embedding for one in found.data]
    assert [one.index for one in found.data] == [0, 1, 2]
    assert all(math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-5) for vector in vectors)

    def alike(a, b):
        return sum(x * y for x, y in zip(vectors[a], vectors[b], strict=True))

    assert alike(0, 1) > alike(0, 2)
    assert found.usage.prompt_tokens == sum(len(text.encode()) for text in texts)  # `tiny` reads bytes
    one = client.embeddings.create(model=trained.model, input=texts[2], encoding_format="float").data[0].embedding
    assert one == pytest.approx(vectors[2], abs=1e-6)
    short = client.embeddings.create(model=trained.model, input=texts[0], dimensions=8).data[0].embedding
    length = math.hypot(*vectors[0][:8])
    assert short == pytest.approx([number / length for number in vectors[0][:8]], abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": "x" * 5000}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 129}, "dimensions"),
        ({"encoding_format": "text"}, "encoding_format"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_embeddings_are_refused_by_their_field(http, changes, param):
    answer = http.post("embeddings", json={"model": "tiny", "input": "x", **changes})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


CHECK = {
    "type": "string_check",
    "name": "city",
    "operation": "ilike",
    "input": "{{sample.output_text}}",
    "reference": "{{item.city}}",
}


@pytest.mark.parametrize(("answer", "reward"), [("The capital is PARIS.", 1.0), ("倫敦", 0.0)])
def test_a_grader_that_compares_texts_is_run(client, answer, reward):
    graders = client.fine_tuning.alpha.graders
    assert graders.validate(grader=CHECK).grader.name == "city"
    ran = graders.run(grader=CHECK, item={"city": "Paris"}, model_sample=answer)
    assert (ran.reward, ran.metadata.name, ran.metadata.errors.invalid_variable_error) == (reward, "city", False)
    both = {"a": CHECK, "b": {**CHECK, "name": "b", "reference": "capital"}}
    multi = {"type": "multi", "name": "both", "graders": both, "calculate_output": "(a + b) / 2"}
    ran = graders.run(grader=multi, item={"city": "Paris"}, model_sample=answer)
    assert ran.reward == reward


def test_a_row_without_the_field_is_told(client):
    ran = client.fine_tuning.alpha.graders.run(grader=CHECK, item={}, model_sample="Paris")
    assert (ran.reward, ran.metadata.errors.invalid_variable_error) == (0.0, True)


def test_graders_that_run_code_are_validated_and_not_run(client):
    python = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return 1.0\n"}
    multi = {"type": "multi", "name": "m", "graders": {"p": python}, "calculate_output": "p"}
    for grader in (python, multi):
        client.fine_tuning.alpha.graders.validate(grader=grader)
        with pytest.raises(openai.BadRequestError, match="python"):
            client.fine_tuning.alpha.graders.run(grader=grader, item={}, model_sample="x")


@pytest.mark.parametrize("grader", [{}, {"type": "none"}, {**CHECK, "operation": "is"}, {**CHECK, "input": "{{x.y}}"}])
def test_a_grader_that_is_none_is_refused(http, grader):
    for verb, more in (("validate", {}), ("run", {"model_sample": "x"})):
        answer = http.post(f"fine_tuning/alpha/graders/{verb}", json={"grader": grader, **more})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "grader")


@specification.needed
def test_answers_are_valid_against_the_specification(http):
    bodies = {
        "CreateCompletionResponse": ("completions", {"model": "tiny", "prompt": "x"}, Completion),
        "CreateEmbeddingResponse": ("embeddings", {"model": "tiny", "input": "x"}, CreateEmbeddingResponse),
    }
    for kind, (path, body, type) in bodies.items():
        said = http.post(path, json=body).raise_for_status().json()
        type.model_validate(said, strict=True)
        assert specification.faults(kind, said) == []

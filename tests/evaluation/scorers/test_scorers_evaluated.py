"""Scorers of the user's and of OpenAI's as an evaluation calls them, over HTTP where a model is asked."""

import numpy as np
import pytest
from tests.doubles import serving
from tests.evaluation.running.double import Double

import finetune_lib as ft
from finetune_lib.evaluation.scorers import from_openai
from finetune_lib.records import Score

LABEL = {
    "type": "label_model",
    "name": "feeling",
    "model": "labeller",
    "input": [{"role": "user", "content": "Classify {{sample.output_text}} by {{item.rule}}."}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
QUALITY = {
    "type": "score_model",
    "name": "quality",
    "model": "grader",
    "input": [{"role": "user", "content": "Score {{sample.output_text}}."}],
    "range": [0, 5],
}
NEAR = {
    "type": "text_similarity",
    "name": "near",
    "input": "{{sample.output_text}}",
    "reference": "{{item.expected}}",
    "evaluation_metric": "cosine",
}


def echo(case):
    """The answer is the question."""
    return case.prompt


def case(id, **metadata):
    return ft.Case(id, (ft.Message(role="user", content=f"Question {id}"),), "42", metadata=metadata)


def evaluated(scorer, cases, **options):
    scorers = scorer if isinstance(scorer, list) else [scorer]
    return ft.Evaluator(scorers, store=":memory:", **options).run(cases, candidates=[echo])


@pytest.mark.parametrize(
    "given",
    [np.True_, np.float64(1), np.float32(1), np.int64(1), np.array(1.0), Score(np.True_), Score(np.float32(1))],
    ids=lambda given: f"{type(given).__name__}-{type(getattr(given, 'value', given)).__name__}",
)
def test_numbers_of_numpy_are_numbers(given):
    report = evaluated(lambda _answer, _case: given, [case("1")])
    assert report.failures == ()
    ((score,),) = [attempt.scores.values() for attempt in report.results["echo"][0].attempts]
    assert score.value == 1
    assert type(score.value) is float


@pytest.mark.parametrize("given", [np.nan, np.array([1, 2]), "1", None], ids=repr)
def test_what_is_no_finite_number_is_a_missing_score(given):
    assert len(evaluated(lambda _answer, _case: given, [case("1")]).failures) == 1


def values(report):
    return [
        {name: score.value for name, score in result.attempts[0].scores.items()} for result in report.results["echo"]
    ]


def test_graders_that_ask_a_model(service, platform):
    service.answer = lambda request: {"label": "good"} if request["model"] == "labeller" else {"reason": "", "score": 4}
    service.vector = lambda text: [1.0, 0.0] if text == "42" else [0.6, 0.8]
    graders = [from_openai(grader) for grader in (LABEL, QUALITY, NEAR)]
    report = evaluated(graders, [case("1", rule="tone")], platform=platform)
    assert report.failures == ()
    assert values(report) == [{"feeling": 1, "quality": 4, "near": pytest.approx(0.6)}]
    asked = [request["messages"][0]["content"] for request in service.requests if "messages" in request]
    assert asked == ["Classify Question 1 by tone.", "Score Question 1."]


def test_a_reply_without_a_label_is_asked_for_once_more_and_then_missing(service, platform):
    service.answer = lambda _: "I cannot tell."
    report = evaluated(from_openai(LABEL), [case("1", rule="tone")], platform=platform)
    assert "the grader gave no label" in report.failures[0].reason
    assert len(service.requests) == 2


@pytest.mark.parametrize("mode", ["live", "batch"])
def test_a_field_that_one_row_lacks_ends_no_run(mode, monkeypatch):
    monkeypatch.setattr("tests.evaluation.running.double.said", lambda _: '{"reason": "", "score": 4}')
    content = "{{item.criterion}}: {{sample.output_text}}"
    strict = {**QUALITY, "name": "strict", "input": [{"role": "user", "content": content}]}
    cases = [case("1", criterion="tone"), case("2"), case("3", criterion="tone")]
    with serving(Double()) as double:
        platform = ft.connect(double.url, api_key="k")
        report = evaluated([from_openai(strict), from_openai(QUALITY)], cases, platform=platform, mode=mode)
    assert [(failure.case, failure.candidate) for failure in report.failures] == [("2", "echo")]
    assert "scorer strict: ValueError: case 2 has no item.criterion" in report.failures[0].reason
    assert values(report) == [{"strict": 4, "quality": 4}, {"quality": 4}, {"strict": 4, "quality": 4}]
    assert (sum(double.batched.values()) >= 4) == (mode == "batch")

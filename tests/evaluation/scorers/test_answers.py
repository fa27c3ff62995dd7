"""Hundreds of answers as models write them, read as people read them: `answers.toml` beside this file."""

import tomllib
from pathlib import Path

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.scorers import Choice, Forbids, JsonMatch, Length, NumericMatch, Rubric
from finetune_lib.platforms.asking import UnreadableAnswerError
from finetune_lib.platforms.asking.request import reply_in
from finetune_lib.records import Answer, Case

ANSWERS = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))


def right_and_wrong(kind, key):
    for group in ANSWERS[kind]:
        if key not in group:
            continue
        for right in ("right", "wrong"):
            for answer in group.get(right, ()):
                yield pytest.param(group, answer, right == "right", id=f"{group[key]!s:.30} {right} {answer:.40}")


@pytest.mark.parametrize(("group", "answer", "right"), [*right_and_wrong("number", "expected")])
def test_numbers(group, answer, right):
    told = NumericMatch()(answer, Case("7", (), group["expected"]))
    assert told.value == right, told.reason


@pytest.mark.parametrize("expected", [text for group in ANSWERS["number"] for text in group.get("refused", ())])
def test_no_one_number_is_expected(expected):
    with pytest.raises(ValueError, match=r"case 7 expects (no number|several numbers)"):
        NumericMatch()("5", Case("7", (), expected))


@pytest.mark.parametrize(("group", "answer", "right"), [*right_and_wrong("choice", "expected")])
def test_several_labels(group, answer, right):
    told = Choice(group["labels"], multilabel=True)(answer, Case("7", (), group["expected"]))
    assert told.value == right, told.reason


LABELLED = [
    pytest.param(group["labels"], answer, label, id=f"{label} {answer:.40}")
    for group in ANSWERS["choice"]
    for label, answers in {**group.get("reads", {}), None: group.get("none", ())}.items()
    for answer in answers
]


@pytest.mark.parametrize(("labels", "answer", "label"), LABELLED)
def test_labels_with_other_names(labels, answer, label):
    told = Choice(labels)(answer, Case("7", (), next(iter(labels))))
    assert told.label == label, told.reason


@pytest.mark.parametrize(("group", "answer", "right"), [*right_and_wrong("contains", "texts")])
def test_contained_texts(group, answer, right):
    assert ft.Contains(group["texts"])(answer, Case("7", ())) == right
    assert ft.Contains()(answer, Case("7", (), group["texts"])) == right


@pytest.mark.parametrize(("group", "answer", "right"), [*right_and_wrong("json", "value")])
def test_json(group, answer, right):
    told = JsonMatch()(answer, Case("7", (), group["value"]))
    assert told.value == right, told.reason


REPLIES = [(text, group.get("score")) for group in ANSWERS["reply"] for text in group["texts"]]


@pytest.mark.parametrize(("text", "score"), REPLIES)
def test_replies_of_graders(text, score):
    reply = reply_in({"choices": [{"message": {"content": text}}]}, None)
    rubric = Rubric("禮貌", model="grader")
    if score is None:
        with pytest.raises(UnreadableAnswerError):
            rubric.read(reply)
    else:
        assert rubric.read(reply).value == (score - 1) / 4


def evaluated(answer, scorer, expected=""):
    """One answer as an evaluation takes it, and its score."""
    evaluator = ft.Evaluator(scorers=[scorer], store=":memory:")
    report = evaluator.run([Case("7", (), expected)], candidates=[lambda _: answer])
    return report.results[report.candidates[0]][0], report.scores(report.candidates[0])[0]


@pytest.mark.parametrize("given", ANSWERS["thought"], ids=lambda given: given["text"][:40])
def test_thoughts_are_no_part_of_the_answer(given):
    result, score = evaluated(given["text"], ft.ExactMatch(normalize=False), given["answer"] or "anything")
    assert (result.answer.text, result.answer.reasoning) == (given["answer"], given.get("reasoning", ""))
    assert score == bool(given["answer"])


SCORERS = {
    "exact": lambda _: ft.ExactMatch(),
    "choice": lambda _: Choice(["positive", "negative"]),
    "numeric": lambda _: NumericMatch(),
    "contains": lambda _: ft.Contains(),
    "forbids": lambda text: Forbids(text),
    "length": lambda _: Length(max=100),
    "json": lambda _: JsonMatch(),
}


@pytest.mark.parametrize(("group", "text", "right"), [*right_and_wrong("cut", "expected")])
def test_cut_answers_are_scored_on_what_stands(group, text, right):
    scorer = SCORERS[group["scorer"]](group["expected"])
    result, score = evaluated(Answer(text, finish_reason="length"), scorer, group["expected"])
    assert result.answer.cut
    assert score == right

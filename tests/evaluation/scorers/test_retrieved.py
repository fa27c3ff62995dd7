"""Answers of retrieval: each of the table is read as people read it, and the scorers stand in an evaluation."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft
from finetune_lib.evaluation.scorers.abstaining import declines

TABLE = tomllib.loads(Path(__file__).with_name("retrieved.toml").read_text(encoding="utf-8"))


def of(kind, *readings):
    return [
        pytest.param(group, answer, reading == readings[0], id=f"{reading}: {answer[:40]}")
        for group in TABLE[kind]
        for reading in readings
        for answer in group[reading]
    ]


def asked(text, **more):
    return ft.Case("1", (ft.Message(role="user", content=text),), **more)


def test_the_table_is_large_enough():
    judged = (
        *of("grounded", "right", "wrong"),
        *of("cites", "right", "wrong"),
        *of("declines", "declined", "answered"),
    )
    assert len(judged) > 150


@pytest.mark.parametrize(("group", "answer", "right"), of("grounded", "right", "wrong"))
def test_what_stands_in_the_passages(group, answer, right):
    given = ft.Answer(answer, sources=tuple(group["passages"]))
    assert ft.Grounded()(given, asked(group["asks"])).value == right
    in_metadata = asked(group["asks"], metadata={"passages": group["passages"]})
    assert ft.Grounded()(ft.Answer(answer), in_metadata).value == right


@pytest.mark.parametrize(("group", "answer", "right"), of("cites", "right", "wrong"))
def test_citations(group, answer, right):
    score = ft.CitesPassages()(ft.Answer(answer, sources=tuple(group["passages"])), asked("?"))
    assert score.value == right, score.reason
    assert bool(score.reason) == (not right or declines(answer))


@pytest.mark.parametrize(("group", "answer", "right"), of("declines", "declined", "answered"))
def test_who_says_that_he_does_not_know(group, answer, right):
    assert declines(answer) == right


def test_the_words_of_from_documents_decline():
    from finetune_lib.data.augmenters.questions import UNKNOWN

    assert all(map(declines, UNKNOWN.values()))


@pytest.mark.parametrize(
    "text",
    ["", "   ", "。", "[1]", "?" * 10_000, "不" * 10_000, "a" * 1_000_000, "9" * 9_000, "[1]" * 9_000, " " * 100_000],
)
def test_nothing_and_noise_decline_nothing(text):
    """However long: a search that looks back from each letter of a million would take an hour."""
    assert not declines(text)
    assert ft.Grounded()(ft.Answer(text), asked("?")).value == ("9" not in text)
    assert ft.CitesPassages()(ft.Answer(text, sources=("x",)), asked("?")).value in (0.0, 1.0)


def test_a_right_source_has_to_be_cited():
    passages = ("handbook.pdf, p. 3\n每件 23 公斤。", "faq.html\n每件 23 公斤。")
    case = asked("幾公斤？", metadata={"source": "handbook.pdf, p. 3"})
    one, two = (ft.CitesPassages()(ft.Answer(f"每件 23 公斤 [{n}]。", sources=passages), case) for n in (1, 2))
    assert (one.value, two.value) == (1.0, 0.0)
    assert "handbook.pdf, p. 3 is not cited" in two.reason


def test_what_follows_the_last_citation_needs_one_too():
    passages = ("每件 23 公斤。", "超重每公斤加收 300 元。")
    score = ft.CitesPassages()(ft.Answer("每件 23 公斤 [1]。超重每公斤 300 元。", sources=passages), asked("?"))
    assert (score.value, score.reason) == (0.0, "nothing is cited for: 300")


def test_another_passage_speaks_of_it():
    passages = ("Boarding ends ten minutes before departure.", "Pets need a hard cage.")
    score = ft.CitesPassages()(ft.Answer("Pets need a hard cage [1].", sources=passages), asked("?"))
    assert (score.value, score.reason) == (0.0, "another passage than [1] speaks of it")


def test_abstaining_stands_in_the_report_by_class(tmp_path):
    unknown = "目前的資料沒有說明這一點，請洽負責單位。"
    golden = [asked(f"問題{n}", expected=unknown if n % 2 else "每件 23 公斤。") for n in range(12)]
    golden = [ft.Case(str(n), case.messages, case.expected) for n, case in enumerate(golden)]
    bold, wise = {c.id: "每件 23 公斤。" for c in golden}, {c.id: c.expected for c in golden}
    report = ft.Evaluator([ft.Abstains()], store=tmp_path / "a.db").run(
        golden, candidates=[ft.Recorded(bold, name="bold"), ft.Recorded(wise, name="wise")]
    )
    assert (report.mean("bold"), report.mean("wise")) == (0.5, 1.0)
    recall = {label: one.recall for label, one in report.classification("bold").classes.items()}
    assert recall == {"answered": 1.0, "declined": 0.0}


def test_metadata_may_say_whether_the_documents_answer():
    silent, told = (asked("?", expected="每件 23 公斤。", metadata={"answerable": known}) for known in (False, True))
    assert [ft.Abstains()("我不知道。", case).value for case in (silent, told)] == [1.0, 0.0]
    with pytest.raises(ValueError, match="neither an expected answer nor answerable"):
        ft.Abstains()("我不知道。", asked("?"))


@pytest.mark.parametrize(
    ("question", "word"),
    [("行李幾公斤？", "依據"), ("行李几公斤？这样行吗", "依据"), ("How heavy?", "is not grounded")],
)
def test_the_judge_reads_passages_and_answer(tmp_path, question, word):
    seen = []

    def judge(request):
        seen.append(json.dumps(request["messages"], ensure_ascii=False))
        return json.dumps({"criterion_1": {"reason": "23 公斤寫在 [1]", "score": 2}})

    with serving(Service(judge)) as service:
        rag = ft.Recorded([ft.Answer("每件 23 公斤。", sources=("經濟艙每件 23 公斤",))], ids=["1"], name="rag")
        scorer = ft.GroundedByJudge(model="judge", platform=ft.connect(service.url, api_key="k"))
        report = ft.Evaluator([scorer], store=tmp_path / "a.db").run([asked(question)], candidates=[rag])
    assert report.scores("rag") == (1.0,)
    assert "[1] 經濟艙每件 23 公斤" in seen[0]
    assert "每件 23 公斤。" in seen[0]
    assert word in seen[0]
    assert "23 公斤寫在 [1]" in report.results["rag"][0].attempts[0].scores["grounded_by_judge"].reason


@pytest.mark.parametrize("options", [{"model": " "}, {"model": "m", "scale": 1}, {"model": "m", "language": "de"}])
def test_a_judge_that_cannot_be_is_refused_at_once(options):
    with pytest.raises(ValueError, match=r"model|scale|language"):
        ft.GroundedByJudge(**options)

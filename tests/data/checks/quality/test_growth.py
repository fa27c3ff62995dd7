"""What a set lacks for its purpose: said once of the whole, in report and statistics, and never of others."""

import csv
import pickle
from pathlib import Path

import pytest

import finetune_lib as ft
from finetune_lib.data.checks.quality import growth
from finetune_lib.data.checks.quality.growth import GrowthSurvey
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts

SERVICE = Path(__file__).parents[1] / "duplicates" / "service_answers.csv"
ROWS = [(row["問題"], row["回答"]) for row in csv.DictReader(SERVICE.open(encoding="utf-8"))]
PERSONA = "你是機場與銀行的客服。"
LACKS = ("Q930", "Q931", "Q932", "Q933")


def data(rows=ROWS, *, system: str | None = PERSONA, **more):
    return ft.Dataset.from_rows(
        [{"prompt": question, "completion": answer, **more} for question, answer in rows], system=system
    )


def lacking(found):
    """The codes of the report, which are those of the statistics."""
    noted = [d.code for d in found.validate().diagnostics if d.code in LACKS]
    assert noted == [lack.code for lack in found.stats().lacks]
    return noted


def test_a_list_of_questions_lacks_wordings_and_an_answer_that_passes():
    report = data().validate()
    found = {d.code: d for d in report.diagnostics if d.code in LACKS}
    assert set(found) == {"Q930", "Q933"}
    assert {d.severity for d in found.values()} == {"info"}
    assert dict(found["Q930"].args) == {"single": 60, "answers": 60}
    assert "60 個回答中，有 60 個的問題只有一種問法" in found["Q930"].texts("zh-Hant").message
    assert "Ovadia" in found["Q930"].texts("zh-Hans").hint
    assert found["Q930"].origin.row is None  # the whole, no row


def test_the_statistics_print_it():
    text = str(data().stats())
    assert "60 of 60 answers have their question in one wording only (Q930)" in text
    assert "Ovadia" in text.splitlines()[-3]
    assert "(Q933)" in data().stats()._repr_html_()
    assert data(ROWS[:10]).stats().lacks == ()


def test_what_is_there_is_not_missed():
    again = [*ROWS, *((f"請問一下，{question}", answer) for question, answer in ROWS)]
    assert lacking(data(again)) == ["Q933"]
    passing = [*ROWS, ("昨晚誰贏了球賽？", "抱歉，這個我不清楚，我只能回答機場與銀行的問題。")]
    assert lacking(data(passing)) == ["Q930"]


@pytest.mark.parametrize(
    "found",
    [
        data(system=None),  # anybody's questions: no one assistant is taught
        data([(f"第 {n} 則評論：很{'好' * (n % 4 + 1)}", "正面" if n % 2 else "負面") for n in range(80)]),
        data([(f"幾點到 {n} 號門？", f'{{"gate": {n}, "hour": {n % 24}, "level": "departure"}}') for n in range(80)]),
        data(
            [
                (f"How many users joined in week {n}?", f"wc --lines users-of-week-{n:02}.csv | cut -f 1")
                for n in range(80)
            ]
        ),
        data(ROWS[:20]),
    ],
    ids=["no system prompt", "labels", "JSON", "commands", "few rows"],
)
def test_other_purposes_lack_nothing(found):
    assert lacking(found) == []


def test_answers_of_one_length():
    even = [
        (f"描述第 {n} 間店。", f"這是第 {n:02} 間店，店裡賣{'茶酒米油鹽'[n % 5] * 9}，歡迎光臨。") for n in range(40)
    ]
    assert lacking(data(even, system=None)) == ["Q932"]
    uneven = [(question, answer * (1 + n % 3)) for n, (question, answer) in enumerate(even)]
    assert lacking(data(uneven, system=None)) == []


def test_small_categories_are_named_and_ids_are_none():
    rows = [
        {"prompt": question, "completion": answer, "category": name}
        for (question, answer), name in zip(ROWS, ["銀行"] * 30 + ["機場"] * 26 + ["停車"] * 4, strict=True)
    ]
    found = ft.Dataset.from_rows(rows)
    assert lacking(found) == ["Q931"]
    assert "停車 (4)" in str(found.stats())
    ids = [row | {"category": f"編號{n}"} for n, row in enumerate(rows)]
    assert lacking(ft.Dataset.from_rows(ids)) == []


@pytest.mark.parametrize("distinct", [growth.DISTINCT, 25])
@pytest.mark.parametrize("parts", [2, 3, 60])
def test_parts_say_what_the_whole_says(monkeypatch, parts, distinct):
    monkeypatch.setattr(growth, "DISTINCT", distinct)
    examples = list(data())
    whole, joined = GrowthSurvey(), GrowthSurvey()
    for place, example in enumerate(examples):
        whole.look(Facts(example), place)
    size = -(-len(examples) // parts)
    for start in range(0, len(examples), size):
        later = GrowthSurvey()
        for place, example in enumerate(examples[start : start + size]):
            later.look(Facts(example), place)
        joined.merge(pickle.loads(pickle.dumps(later)), start)
    assert list(joined.lacks("x")) == list(whole.lacks("x"))
    assert len(joined.answers) <= distinct + size


def test_malformed_rows_lack_nothing():
    survey = GrowthSurvey()
    for row in ({}, {"messages": 5}, {"messages": [None]}, {"messages": []}, {"prompt": 1, "completion": []}):
        survey.look(Facts(Example(row)), 0)
    assert list(survey.lacks("x")) == []

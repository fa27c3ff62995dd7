"""Rows from documents: what a model writes is kept only where its passage bears it out."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft
from finetune_lib.data.augmenters.questions import Pair, fault_of

LEAVE = "特休假自到職日起算，滿六個月者可有三日，滿一年者可有 7 日；未休完者得折算工資。請假應於三日前以 HRM 系統提出。"
REMOTE = "Employees who work from home tell their supervisor before 9:30. A VPN is needed; ask it@example.com."

GOOD = [
    (LEAVE, "到職滿一年有幾天特休假？", "滿一年可有 7 日特休假。", "滿一年者可有 7 日"),
    (LEAVE, "到職滿一年有幾天特休假？", "七日。", "滿一年者可有７日"),
    (LEAVE, "滿半年有特休嗎？", "滿 6 個月可有 3 日。", "滿六個月者可有三日，…未休完者得折算工資"),
    (REMOTE, "By when must I tell my supervisor?", "Before 9:30.", "tell their supervisor before 9:30"),
    (REMOTE, "Who gives me a VPN?", "Write to it@example.com.", "ask it@example.com"),
    (REMOTE, "Is 10:15 early enough?", "No, 10:15 is too late; it is 9:30.", "before 9:30"),
]
BAD = [
    (LEAVE, "特休假有幾天？", "滿一年可有 10 日。", "滿一年者可有 7 日", "a number"),
    (LEAVE, "特休假有幾天？", "可有 7 日。", "員工每年可有 7 日特休假", "the quote"),
    (LEAVE, "特休假有幾天？", "可有 7 日。", "", "the quote"),
    (LEAVE, "如何請假？", "以 SAP 系統提出。", "請假應於三日前以 HRM 系統提出", "a name"),
    (LEAVE, "特休假有几天？满一年的", "滿一年可有 7 日。", "滿一年者可有 7 日", "the question is in another language"),
    (LEAVE, "特休假有幾天？", "Seven days.", "滿一年者可有 7 日", "the answer is in another language"),
    (LEAVE, "本文提到特休假有幾天？文中怎麼說？", "7 日。", "滿一年者可有 7 日", "the passage itself"),
    (
        REMOTE,
        "According to the passage, who is told?",
        "The supervisor.",
        "tell their supervisor",
        "the passage itself",
    ),
    (REMOTE, "Who helps me?", "Write to help@example.com.", "ask it@example.com", "a name"),
    (REMOTE, "Who helps me?", "", "ask it@example.com", "empty"),
]


@pytest.mark.parametrize(("passage", "question", "answer", "quote"), GOOD)
def test_what_the_passage_bears_out_is_kept(passage, question, answer, quote):
    assert fault_of(Pair(question, answer, quote), passage) is None


@pytest.mark.parametrize(("passage", "question", "answer", "quote", "reason"), BAD)
def test_what_it_does_not_bear_out_is_dropped(passage, question, answer, quote, reason):
    assert reason in str(fault_of(Pair(question, answer, quote), passage))


def writer(request: dict[str, Any]) -> Any:
    """Two pairs about each passage, one of them invented, and one question without an answer."""
    asked = json.loads(request["messages"][-1]["content"])
    if "passages" in asked:
        return {"answered": "停車" in asked["question"]}
    passage = asked["passage"]
    sentence = passage.split("。")[0] + "。"
    sound = {"question": f"{sentence[:4]}的規定是什麼？", "answer": sentence, "quote": sentence}
    return {
        "pairs": [sound, {**sound, "answer": sentence + "共 99 天。"}],
        "unanswered": ["可以帶狗上班嗎？", "公司有停車位嗎？"][: asked["unanswered"]],
    }


@pytest.fixture
def service():
    with serving(Service(writer)) as service:
        yield service


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    text = "# 請假\n\n請假應於三日前提出。\n\n# 加班\n\n加班須經主管同意。\n"
    (docs / "人事.md").write_text(text, encoding="utf-8")
    (docs / "停車.html").write_text("<h1>停車</h1><p>停車位每月抽籤一次。</p>", encoding="utf-8")
    return docs


def asked(folder, service, tmp_path, **options):
    options = {"platform": ft.connect(service.url, api_key="k"), "cache": tmp_path / "answers.db", **options}
    return ft.Dataset.from_documents(folder, ask="m", **options)


def test_rows_know_their_place_and_what_was_invented_is_counted(folder, service, tmp_path):
    data = asked(folder, service, tmp_path, n=2, unanswered=0, system="你是人資助理。")
    assert [(row.origin.source, row.category, row.answer) for row in data] == [
        ("人事.md, 請假", "人事.md", "請假應於三日前提出。"),
        ("人事.md, 加班", "人事.md", "加班須經主管同意。"),
        ("停車.html, 停車", "停車.html", "停車位每月抽籤一次。"),
    ]
    assert data[0].messages[0].text == "你是人資助理。"
    assert dict(data.augmentation.total.failed) == {"the answer has a number that the passage has not": 3}


def test_questions_that_no_document_answers_say_so(folder, service, tmp_path):
    data = asked(folder, service, tmp_path, n=2, unanswered=1.0)
    said = {row.answer for row in data if row.operation == "questions:unanswered"}
    assert said == {"目前的資料沒有說明這一點，請洽負責單位。"}
    assert {row.prompt for row in data if row.answer in said} == {"可以帶狗上班嗎？"}
    assert data.augmentation.total.failed["the documents answer the question after all"] == 3
    own = asked(folder, service, tmp_path, n=2, unanswered=1.0, unknown="不知道。")
    assert [row.answer for row in own].count("不知道。") == 3


def test_a_rerun_pays_for_nothing_and_gives_the_same(folder, service, tmp_path):
    first = asked(folder, service, tmp_path, unanswered=0.5)
    paid = len(service.requests)
    again = asked(folder, service, tmp_path, unanswered=0.5)
    assert len(service.requests) == paid
    assert again.to_rows() == first.to_rows()


RULES = {
    "請假": "員工請假須於三日前填寫單據並經主管核准",
    "停車": "停車位每月抽籤一次由總務公布結果",
    "門禁": "識別證遺失時立即通報警衛室停用",
    "採購": "十萬元以上物品應取得三家廠商報價",
    "出差": "高鐵車票憑票根實報實銷不含升等差額",
    "健檢": "四十歲以上同仁每年得做一次全身檢查",
}


def test_rows_of_one_passage_stay_together(tmp_path, service):
    def written(request: dict[str, Any]) -> Any:
        rule = json.loads(request["messages"][-1]["content"])["passage"]
        halves = [rule[:8], rule[8:]]
        return {"pairs": [{"question": f"{half}嗎？", "answer": rule, "quote": rule} for half in halves]}

    service.answer = written
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, rule in RULES.items():
        (docs / f"{name}.txt").write_text(rule, encoding="utf-8")
    data = asked(docs, service, tmp_path, unanswered=0)
    assert len(data) == 12
    train, validation, _ = data.split(validation=4, seed=1)
    assert {row.category for row in train}.isdisjoint({row.category for row in validation})


def test_a_budget_is_kept_and_what_is_missing_is_counted(folder, service, tmp_path):
    data = asked(folder, service, tmp_path, unanswered=0, max_calls=1)
    assert len(data) == 1
    assert sum(data.augmentation.total.failed.values()) == 1 + 1 + 2 * 3


def test_documents_without_text_are_refused_before_anything_is_asked(service, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ft.DataError, match="the documents hold no text"):
        asked(tmp_path / "empty", service, tmp_path)
    (tmp_path / "empty" / "a.txt").write_text("text")
    with pytest.raises(ValueError, match="n is at least 1"):
        asked(tmp_path / "empty", service, tmp_path, n=0)
    assert service.requests == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_draws_itself_and_tells_its_function_too(folder, service, tmp_path, monkeypatch):
    screen, told = Terminal(), list[tuple[int, int]]()
    monkeypatch.setattr("finetune_lib.pages.bar.sys", SimpleNamespace(stderr=screen, modules={}))
    asked(folder, service, tmp_path, progress=True, on_progress=lambda *state: told.append(state))
    assert told[-1] == (3, 3)
    assert "[####################] 100% 3 of 3" in screen.getvalue()
    assert screen.getvalue().endswith("\n")


async def test_the_twin_gives_the_same_rows(folder, service, tmp_path):
    where = {"platform": ft.connect(service.url, api_key="k"), "cache": tmp_path / "answers.db"}
    data, same = (
        await ft.Dataset.from_documents_async(folder, ask="m", n=2, **where),
        asked(folder, service, tmp_path, n=2),
    )
    assert data.to_rows() == same.to_rows()
    assert data.augmentation.total == same.augmentation.total

"""Rag: the passages that fit, where they stand, and the index behind them."""

from __future__ import annotations

import asyncio
import time

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.candidates import Rag
from finetune_lib.evaluation.candidates.passages import passages_of
from finetune_lib.evaluation.report.views.page import report_page
from finetune_lib.texts.retrieval import ByMeaning, ByWords, tokens

TEXTS = ["行李限重二十三公斤。", "寵物必須先申請。", "登機門在起飛前十分鐘關閉。", "Boarding ends ten minutes early."]


def requested(candidate, case):
    return asyncio.run(candidate.request(case))


def test_passages_stand_numbered_in_the_system_message(case):
    request = requested(Rag("m", corpus=TEXTS, k=1), case("宠物可以上飞机吗", system="你是客服。"))
    assert request.sources == ("寵物必須先申請。",)
    (system, user) = request.messages
    assert system["content"].startswith("你是客服。\n\n")
    assert system["content"].endswith("[1] 寵物必須先申請。")
    assert user == {"role": "user", "content": "宠物可以上飞机吗"}


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("寵物可以託運嗎？", "請只根據"),
        ("宠物可以托运吗？这样行不行", "请只根据"),
        ("Is boarding early?", "Answer from"),
    ],
)
def test_the_template_speaks_the_language_of_the_conversation(case, question, begins):
    assert requested(Rag("m", corpus=TEXTS), case(question)).messages[0]["content"].startswith(begins)


def test_a_template_of_one_s_own(case):
    rag = Rag("m", corpus=TEXTS, k=1, template="Facts:\n{passages}\n{not a place}", system="s")
    assert requested(rag, case("寵物")).messages[0]["content"] == "s\n\nFacts:\n[1] 寵物必須先申請。\n{not a place}"
    with pytest.raises(ValueError, match="no place"):
        Rag("m", corpus=TEXTS, template="Facts")


def test_answers_tell_their_sources(service, platform, case, answers):
    (answer,) = answers(Rag("m", corpus=TEXTS, k=2, platform=platform), case("行李和寵物"))
    assert set(answer.sources) == {"行李限重二十三公斤。", "寵物必須先申請。"}


def test_a_question_that_nothing_fits_is_asked_without_passages(case):
    request = requested(Rag("m", corpus=TEXTS, system="s"), case("zzz"))
    assert (request.sources, request.messages[0]["content"]) == ((), "s")


def test_training_data_is_question_and_answer_and_never_the_case_itself(case):
    data = ft.Dataset.from_rows(
        [{"prompt": q, "completion": a} for q, a in [("寵物？", "要申請。"), ("寵物籠？", "要硬殼。")]]
    )
    assert requested(Rag("m", corpus=data), case("宠物")).sources == ("寵物籠？\n要硬殼。",)


def test_embeddings_find_by_meaning_and_are_kept(service, platform, case, answers):
    rag = Rag("m", corpus=TEXTS, k=1, embeddings="e", platform=platform)
    asked = [case("How much luggage?", id="1"), case("My pet is a cat", id="2"), case("Two pieces of luggage?", id="3")]
    found = answers(rag, *asked)
    assert [answer.sources[0] for answer in found] == [TEXTS[0], TEXTS[1], TEXTS[0]]
    assert sorted(service.embedded) == sorted([*TEXTS, *(one.prompt for one in asked)])
    answers(Rag("m", corpus=TEXTS, k=1, embeddings="e", platform=platform), *asked)
    assert len(service.embedded) == len(TEXTS) + 3  # another run, the same file


def test_files_of_a_folder_become_passages_under_their_headings(tmp_path, case):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.md").write_text("# 行李\n\n限重 23 公斤。\n\n# 寵物\n\n要先申請。\n", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes("登機門在起飛前十分鐘關閉，請提早抵達登機門。".encode("cp950"))
    (tmp_path / "c.csv").write_text("寵物")
    found = passages_of(tmp_path, tokens=300)
    assert [passage.text for passage in found] == [
        "b.txt\n登機門在起飛前十分鐘關閉，請提早抵達登機門。",
        "a.md, 行李\n限重 23 公斤。",
        "a.md, 寵物\n要先申請。",
    ]
    assert requested(Rag("m", corpus=str(tmp_path), k=1), case("寵物")).sources == ("a.md, 寵物\n要先申請。",)
    assert len(passages_of([tmp_path / "b.txt"], tokens=300)) == 1


def test_passages_of_documents_tell_where_they_stand(tmp_path, case, service, platform):
    path = tmp_path / "a 手冊.md"
    path.write_text("# 寵物\n\n要先申請。", encoding="utf-8")
    request = requested(Rag("m", corpus=tmp_path, k=1), case("寵物"))
    assert request.links == (path.as_uri(),)
    assert requested(Rag("m", corpus=TEXTS, k=1), case("宠物")).links == ()
    report = ft.Evaluator([ft.ExactMatch()], store=tmp_path / "kept.db").run(
        [case("寵物")], candidates=[Rag("m", corpus=tmp_path, k=1, platform=platform, name="rag")]
    )
    report.save_json(tmp_path / "report.json")
    for one in (report, ft.Report.load(tmp_path / "report.json")):
        (answer,) = [result.attempts[0].answer for result in one.results["rag"]]
        assert answer.links == (path.as_uri(),)
        assert f'"link":"{path.as_uri()}"' in report_page(one).replace('": "', '":"')


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "https://a.example/",
        "//a.example/x",
        "\\\\a.example\\x",
        "file://a.example/share/x",
        "vbscript:x",
        "/etc/passwd",
        "",
    ],
)
def test_no_other_link_gets_into_a_page(link):
    given = ft.Answer("b", sources=("a.md, 寵物\n要先申請。",), links=(link,))
    cases = [ft.Case("1", (ft.Message(role="user", content="q"),), "b")]
    report = ft.Evaluator([ft.ExactMatch()], store=":memory:").run(cases, candidates=[ft.Recorded([given], ids=["1"])])
    assert '"link"' not in report_page(report)


@pytest.mark.parametrize("link", ["handbook.pdf#page=3", "docs/a%20b.md", "file:///C:/docs/a.pdf#page=2"])
def test_relative_links_and_those_of_files_do(link):
    given = ft.Answer("b", sources=("a.md, 寵物\n要先申請。",), links=(link,))
    cases = [ft.Case("1", (ft.Message(role="user", content="q"),), "b")]
    report = ft.Evaluator([ft.ExactMatch()], store=":memory:").run(cases, candidates=[ft.Recorded([given], ids=["1"])])
    assert link in report_page(report)


def test_an_empty_corpus_says_so(tmp_path, case):
    with pytest.raises(ft.DataError, match="holds no text"):
        requested(Rag("m", corpus=tmp_path), case("q"))


def test_words_of_scripts_without_spaces():
    assert tokens("配送はいつ") == ["配送", "送は", "はい", "いつ"]
    assert tokens("배송 언제") == ["배송", "언제"]
    assert tokens("") == []


def test_the_best_come_first_and_ties_in_their_order():
    index = ByWords(["a b", "b", "b", "c"])
    assert index.nearest("b", 2) == [1, 2]
    assert index.nearest("c a", 9) == [3, 0]
    assert index.nearest("?", 3) == ByWords(["", "？"]).nearest("x", 3) == []
    assert ByMeaning([[0, 0], [2, 0], [0, 3], [1, 0]]).nearest([5, 0], 3) == [1, 3, 0]


def test_the_index_is_made_once_and_asked_fast(case):
    corpus = [f"{topic}的規定第 {n} 條：{n * 7919 % 997} 公斤以內" for n in range(2_500) for topic in TEXTS]
    rag = Rag("m", corpus=corpus, k=5)
    started = time.process_time()
    requested(rag, case("行李"))
    assert time.process_time() - started < 15
    started = time.process_time()
    for number in range(50):
        requested(rag, case(f"第 {number} 條的行李規定"))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("wrong", [{"k": 0}, {"passage_tokens": 0}])
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        Rag("m", corpus=TEXTS, **wrong)

"""Answers that the limit of tokens cut off: counted, told, and no verdict rests on them."""

import finetune_lib as ft
from finetune_lib.records import Answer


def case(number):
    asked = ft.Message(role="user", content=f"Review {number}")
    return ft.Case(str(number), (asked,), "positive", "films" if number % 2 else "books")


CASES = list(map(case, range(40)))


def report_of(**candidates):
    evaluator = ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:")
    return evaluator.run(CASES, candidates=[ft.Recorded(said, name=name) for name, said in candidates.items()])


def right(case):
    return Answer("positive", finish_reason="stop")


def whole(cut=()):
    """Right answers, but for some cases in which the limit was reached."""
    return {c.id: Answer("posi", finish_reason="length") if int(c.id) in cut else right(c) for c in CASES}


def test_a_verdict_that_rests_on_cut_answers_is_none():
    report = report_of(base=whole(cut=range(20)), tuned=whole())
    found = report.verdict("tuned", baseline="base")
    assert found.estimate.low > 0
    assert (found.outcome, found.doubt, found.cut) == ("not shown", "cut", (0, 20))
    assert (report.cut("base"), report.cut("tuned")) == (20, 0)
    assert "20 of base cut off by max_tokens" in str(found)
    assert "raise the limit, then run again" in str(found)


def test_a_verdict_that_holds_without_them_stands():
    wrong = {c.id: Answer("negative", finish_reason="stop") for c in CASES}
    report = report_of(base={**wrong, "0": Answer("nega", finish_reason="length")}, tuned=whole())
    found = report.verdict("tuned", baseline="base")
    assert (found.outcome, found.doubt, found.cut) == ("better", None, (0, 1))


def test_an_answer_that_nothing_could_make_right_needs_no_more_tokens():
    rambling = {c.id: Answer("=iiiiiiii", finish_reason="length") for c in CASES}
    found = report_of(base=rambling, tuned=whole()).verdict("tuned", baseline="base")
    assert (found.outcome, found.doubt, found.cut) == ("better", None, (0, 40))


def test_nothing_cut_is_told_where_nothing_was_cut():
    report = report_of(base=whole(), tuned=whole())
    assert report.verdict("tuned", baseline="base").cut == (0, 0)
    assert "max_tokens" not in str(report)


def test_cut_answers_are_told_in_each_language_and_feed_no_advice():
    report = report_of(base=whole(), tuned=whole(cut=range(0, 40, 2)))
    for lang, told in {
        "en": "20 of tuned cut off by max_tokens",
        "zh-Hant": "tuned 有 20 則回答被 max_tokens 截斷",
        "zh-Hans": "tuned 有 20 条回答被 max_tokens 截断",
    }.items():
        assert told in report.to_markdown(lang=lang).replace("\\_", "_")
        assert told in report.to_html(lang=lang)
    weakest = report.weakest("tuned")
    assert (len(weakest), len(weakest.failing)) == (0, 0)


def test_all_cut():
    report = report_of(base=whole(cut=range(40)), tuned=whole())
    assert report.verdict("tuned", baseline="base").doubt == "cut"

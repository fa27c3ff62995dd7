"""Which cases experts should label next, from judge to votes and back to an unbiased estimate."""

from __future__ import annotations

import json

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.review import collect_votes
from finetune_lib.evaluation.review.keys import load_key

CASES = [
    ft.Case(
        f"c{number}",
        (ft.Message(role="user", content=f"第 {number} 號貨架放什麼商品？"),),
        expected=f"商品 {number}",
        category=["倉儲", "客服"][number % 2],
    )
    for number in range(120)
]


def base(case: ft.Case) -> str:
    return f"基礎 {case.id}"


def tuned(case: ft.Case) -> str:
    return f"基礎 {case.id}" if int(case.id[1:]) % 10 == 9 else f"調整 {case.id}"


def judge(case: ft.Case, first: str, second: str) -> str:
    """For the tuned one, clearly in one category; in the other it follows the order now and then."""
    if case.category == "客服" and int(case.id[1:]) % 3 == 0:
        return "first_slightly_better"
    return "first_much_better" if first.startswith("調整") else "second_much_better"


@pytest.fixture
def report(tmp_path) -> ft.Report:
    evaluator = ft.Evaluator(scorers=[ft.Contains()], judge=judge, store=":memory:")
    return evaluator.run(CASES, candidates=[base, tuned])


def truth(case: str) -> float:
    """What experts say: with the judge in one category, against it in a third of the other."""
    number = int(case[1:])
    if number % 10 == 9:
        return 0.0
    return -1.0 if number % 2 and number % 3 == 0 else 1.0


def voted(report, plan, tmp_path, cases=None):
    """The votes of an expert on the drawn cases, through the review page and its files."""
    page = report.review_page(
        tmp_path / "review.html", candidates=("tuned", "base"), cases=cases or plan.cases, secret_home=tmp_path,
        repeat_share=0,
    )  # fmt: skip
    assert page.exists()
    (key,) = (tmp_path / "reviews").glob("*.json")
    votes = []
    for name, item in load_key(key).items.items():
        left = item.slots.index("tuned")
        choice = "left_much" if truth(item.case_id) > 0 else "right_much"
        told = {"item": name, "showing": 1, "left": left, "choice": choice, "seconds": 5.0}
        votes.append({**told, "at": "2026-12-01T10:00:00.000Z"})
    state = {"format": "side-by-side votes", "schema": 1, "set": key.stem, "rater": "林", "revision": 1, "votes": votes}
    return report.with_votes(collect_votes(json.loads(json.dumps(state)), key=key))


def test_doubtful_cases_are_drawn_more_often_and_ties_never(report):
    plan = report.label_next("tuned", count=30)
    assert len(plan.cases) == len(set(plan.cases)) == 30
    assert not any(int(case[1:]) % 10 == 9 for case in plan.cases)
    assert set(plan.known.values()) == {0.0}
    assert len(plan.chances) == 108
    doubtful = {case for case in plan.chances if int(case[1:]) % 2 and int(case[1:]) % 3 == 0}
    clear = set(plan.chances) - doubtful
    assert min(plan.chances[case] for case in doubtful) > max(plan.chances[case] for case in clear) > 0.1
    assert sum(plan.chances.values()) == pytest.approx(30)
    assert report.label_next("tuned", count=30) == plan
    assert report.label_next("tuned", count=30, seed=1).cases != plan.cases


def test_it_says_how_many_labels_bring_which_width(report):
    plan = report.label_next("tuned", count=30)
    assert list(plan.widths) == [10, 25, 30, 50, 100, 108]
    assert sorted(plan.widths.values(), reverse=True) == list(plan.widths.values())
    told = str(plan)
    assert told.startswith("label 30 of 108 cases (tuned against base; 12 are labelled): c")
    assert "25 labels ±0." in told
    assert "label all that were drawn" in told


def test_from_the_page_to_the_estimate(report, tmp_path):
    plan = report.label_next("tuned", count=40)
    kept = plan.save(tmp_path / "plan.json")
    with pytest.raises(ValueError, match="no expert has said yet which answer is better in c"):
        plan.estimate(report)
    after = voted(report, plan, tmp_path)
    found = ft.Labelling.load(kept).estimate(after)
    everywhere = sum(truth(case.id) for case in CASES) / len(CASES)
    assert found.low <= everywhere <= found.high
    assert found.high - found.low < 0.8
    assert found == plan.estimate(after)
    assert "known chances" in found.method


def test_votes_teach_where_the_judge_errs(report, tmp_path):
    first = report.label_next("tuned", count=60)
    after = voted(report, first, tmp_path)
    second = after.label_next("tuned", count=20)
    assert set(second.cases).isdisjoint(first.cases)
    assert set(first.cases) <= set(second.known)
    odd = [c for c in second.chances if int(c[1:]) % 2 and abs(second.judged[c]) == 1]
    even = [c for c in second.chances if int(c[1:]) % 2 == 0]
    assert even
    assert odd
    assert max(second.widths.values()) < max(first.widths.values())


def test_what_cannot_be_is_refused(report, tmp_path):
    with pytest.raises(ValueError, match="count is at least 1"):
        report.label_next("tuned", count=0)
    with pytest.raises(ValueError, match="no candidate is named 'tunde'"):
        report.label_next("tunde")
    with pytest.raises(ValueError, match="no case has judgments"):
        ft.Evaluator([ft.Contains()], store=":memory:").run(CASES, candidates=[base, tuned]).label_next("tuned")
    with pytest.raises(ValueError, match="no case has the id c999"):
        report.review_page(tmp_path / "r.html", cases=["c999"], secret_home=tmp_path)
    for text in ("{", "[]", '{"format": "finetune_lib.labelling", "version": 2}'):
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(ValueError, match="is no plan for labels"):
            ft.Labelling.load(tmp_path / "p.json")


def test_more_than_there_are_draws_all(report):
    plan = report.label_next("tuned", count=500)
    assert len(plan.cases) == 108
    assert set(plan.chances.values()) == {1.0}

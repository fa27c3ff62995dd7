"""A verdict rests only on what can carry it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import finetune_lib as ft


def cases(n: int, **given) -> list[ft.Case]:
    return [ft.Case(str(i), (ft.Message(role="user", content=f"q{i}"),), expected="1", **given) for i in range(n)]


def zero(case: ft.Case) -> str:
    return "0"


def one(case: ft.Case) -> str:
    return "1"


def first(case: ft.Case, left: str, right: str) -> str:
    return "first_much_better"


def ones(case: ft.Case, left: str, right: str) -> str:
    return "first_much_better" if left == "1" else "second_much_better"


def run(*candidates, golden=None, **options) -> ft.Report:
    return ft.Evaluator(store=":memory:", **options).run(golden or cases(30), candidates=candidates)


def test_a_judge_that_follows_the_order_carries_no_verdict():
    report = run(zero, one, judge=first)
    found = report.verdict("one", baseline="zero", margin=0.1)
    assert (found.outcome, found.doubt) == ("not shown", "judge_inconsistent")
    assert "follow the order" in str(found)
    assert "follow the order" in report.text(lang="en")
    assert run(zero, one, judge=ones).verdict("one", baseline="zero").outcome == "better"


class Votes:
    """Experts that all prefer the other side."""

    raters = ("amy",)

    def __init__(self, value: float) -> None:
        self.value = value

    def seen(self, candidate, baseline):
        return frozenset(str(i) for i in range(60))

    def by_case(self, cases, candidate, baseline):
        return tuple(self.value if int(case.id) % 2 else -self.value for case in cases)


def test_a_judge_that_contradicts_the_experts_carries_no_verdict():
    def fickle(case: ft.Case, left: str, right: str) -> float:
        side = 1.0 if int(case.id) % 5 else -1.0
        return side if left == "1" else -side

    report = run(zero, one, judge=fickle, golden=cases(60))
    assert report.verdict("one", baseline="zero").outcome == "better"
    told = replace(report, votes=Votes(1.0))
    found = told.verdict("one", baseline="zero", scorer="judge")
    assert (found.outcome, found.doubt) == ("not shown", "judge_disagrees")
    assert not told.better("one", baseline="zero", scorer="judge")


def test_a_case_whose_repeats_failed_in_part_is_missing():
    calls: dict[str, int] = {}

    def flaky(case: ft.Case) -> str:
        calls[case.id] = calls.get(case.id, 0) + 1
        if calls[case.id] > 1:
            raise RuntimeError("busy")
        return "1"

    found = run(zero, flaky, scorers=[ft.ExactMatch()], epochs=4, golden=[*cases(20)])
    with pytest.raises(ValueError, match="no case has a score of both"):
        found.verdict("flaky", baseline="zero")
    assert len(found.failures) == 60


def test_contaminated_cases_count_nowhere():
    golden = [*cases(10, category="clean"), ft.Case("seen", (), expected="0", category="seen")]
    report = replace(run(zero, one, scorers=[ft.ExactMatch()], golden=golden), contaminated=frozenset({"seen"}))
    assert (report.mean("zero"), report.mean("one")) == (0.0, 1.0)
    assert (report.count("seen"), report.mean("one", category="seen")) == (0, None)
    found = report.verdict("one", baseline="zero")
    assert (found.wins, found.losses, found.contaminated) == (10, 0, 1)
    assert "seen" in report.text(lang="en")


def test_bounds_reach_as_far_as_the_scorers_own_scale():
    def stars(answer: str, case: ft.Case) -> float:
        if case.id == "0" and answer == "1":
            raise ValueError("torn")
        return 5.0 if answer == "1" else 2.0

    found = run(zero, one, scorers=[stars], golden=cases(10)).verdict("one", baseline="zero")
    assert found.missing == 1
    assert found.bounds == (pytest.approx((27 + 0 - 2) / 10), pytest.approx((27 + 5 - 2) / 10))
    assert "scale 0 to 5 as seen" in found.estimate.method


def test_a_narrow_interval_has_three_decimals():
    def close(answer: str, case: ft.Case) -> float:
        return 0.5 + (int(case.id) % 7) * 0.001 * (answer == "1")

    numbers = run(zero, one, scorers=[close], golden=cases(60)).verdict("one", baseline="zero").numbers
    assert "+0.003" in numbers


def test_a_golden_set_cleans_the_training_data():
    golden = ft.GoldenSet.of(
        [ft.Case("1", (ft.Message(role="user", content="請問退票的手續費是多少錢？"),), expected="一百元")]
    )
    rows = [{"prompt": q, "completion": "好"} for q in ("請問退票的手續費是多少錢", "行李可以帶幾公斤？")]
    train = ft.Dataset.from_rows(rows)
    assert [example.prompt for example in train.decontaminate(golden)] == ["行李可以帶幾公斤？"]
    assert "L854" in {finding.code for finding in train.validate(golden=golden).diagnostics}

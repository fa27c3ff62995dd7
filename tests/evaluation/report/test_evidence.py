"""What a verdict counts as evidence: each question once, failures against whoever failed, no more than was seen."""

from __future__ import annotations

import pytest

import finetune_lib as ft
from finetune_lib.evaluation.judges import preferences


def asked(id: str, question: str, expected: str = "1", **given) -> ft.Case:
    return ft.Case(id, (ft.Message(role="user", content=question),), expected, **given)


def cases(n: int, **given) -> list[ft.Case]:
    return [asked(str(i), f"q{i}", **given) for i in range(n)]


def zero(case: ft.Case) -> str:
    return "0"


def one(case: ft.Case) -> str:
    return "1"


def run(*candidates, golden=None, **options) -> ft.Report:
    options = {"scorers": [ft.ExactMatch()], "store": ":memory:", **options}
    return ft.Evaluator(**options).run(golden or cases(30), candidates=candidates)


def copied(questions: int, times: int) -> list[ft.Case]:
    """The same questions again, in other letters and spaces."""
    ways = (str, str.upper, "  {}  ".format, "{}?".format, "{}!".format)
    return [asked(f"{q}.{t}", ways[t](f"how long is trip {q}")) for q in range(questions) for t in range(times)]


def half(case: ft.Case) -> str:
    return "1" if int(case.id.split(".")[0]) % 2 else "0"


def test_copies_of_a_question_say_what_the_question_says():
    once, five = (run(zero, half, golden=copied(10, times)).verdict("half", baseline="zero") for times in (1, 5))
    assert (five.estimate.low, five.estimate.high) == (once.estimate.low, once.estimate.high)
    assert (five.estimate.clusters, five.estimate.n, once.estimate.clusters) == (10, 50, None)
    apart = run(zero, half, golden=copied(10, 5), cluster_similar=False).verdict("half", baseline="zero")
    assert apart.outcome == "better" != five.outcome
    check = ft.GoldenSet.of(copied(10, 5)).check()
    assert check.units == five.units


def test_copies_are_named_beside_the_verdict_and_so_are_those_that_contradict():
    golden = [*copied(4, 2), asked("odd", "How long is trip 3", "2")]
    report = run(zero, half, golden=golden)
    text = report.text(lang="en")
    assert "5 cases ask what another one asks" in text
    assert "expect different answers: 3.0=3.1=odd" in text
    assert "3.0=3.1=odd" in report.to_html(lang="zh-Hant")
    assert "3.0=3.1=odd" in report.to_markdown(lang="zh-Hans")
    assert "One group holds 3 of the cases, from 3.0 to odd" in text


def test_copies_join_the_clusters_of_their_own():
    golden = [asked("a", "one", cluster="x"), asked("b", "ONE", cluster="y"), asked("c", "two", cluster="y")]
    golden += [asked("d", "three"), asked("e", "four")]
    assert run(zero, one, golden=golden).verdict("one", baseline="zero").estimate.clusters == 3


def test_the_mean_of_the_groups_stands_beside_the_plain_one():
    golden = [asked(f"0.{i}", "the same") for i in range(3)] + [asked("1", "another")]
    report = run(zero, half, golden=golden)
    assert report.mean("half") == 0.25
    assert report.interval("half").value == 0.5
    assert report.verdict("half", baseline="zero").estimate.value == 0.5
    assert "0.50 [" in (text := report.text(lang="en"))
    assert "(0.25 over the cases)" in text
    assert "0.25 over the cases" in report.to_html(lang="en")


def test_failures_that_hide_wrong_answers_show_nothing():
    """Right in 30 of 100 where the other one is wrong and the other way round, but 24 of its wrong answers fail."""

    def first(case: ft.Case) -> str:
        return "1" if int(case.id) < 70 else "0"

    def hiding(case: ft.Case) -> str:
        if int(case.id) < 24:
            raise TimeoutError("too slow")
        return "0" if int(case.id) < 30 else "1"

    report = run(first, hiding, golden=cases(100))
    found = report.verdict("hiding", baseline="first", margin=0.4)
    assert (found.wins, found.losses, found.missing) == (30, 6, 24)
    assert found.estimate.low > 0
    assert (found.outcome, found.reason) == ("not shown", "missing")
    assert found.bounds == (0.0, 0.24)
    assert not report.not_worse("hiding", baseline="first", margin=0.05)
    assert "24 are missing and could undo it. Run again: only these are asked." in report.text(lang="en")


def test_a_side_that_is_known_stays_where_the_other_one_is_missing():
    """The candidate fails only where the baseline is wrong: the worst it can be is as wrong."""

    def failing(case: ft.Case) -> str:
        if int(case.id) < 10:
            raise TimeoutError("too slow")
        return "1"

    found = run(zero, failing).verdict("failing", baseline="zero")
    assert (found.bounds, found.outcome) == ((20 / 30, 1.0), "better")


def test_an_answer_without_any_content_is_scored_lowest_and_not_missing():
    graded: list[str] = []

    def stars(answer: str, case: ft.Case) -> float:
        graded.append(answer)
        return 3.0

    def silent(case: ft.Case) -> str:
        return " \n" if int(case.id) % 2 else "1"

    stars.range = (1, 5)
    report = run(one, silent, scorers=[ft.ExactMatch(), stars], golden=cases(10))
    assert report.scores("silent") == (1.0, 0.0) * 5
    assert report.scores("silent", scorer="stars") == (3.0, 1.0) * 5
    assert (report.failures, len(graded)) == ((), 15)

    def seconds(answer: str, case: ft.Case) -> float:
        return -3.0

    undeclared = run(one, silent, scorers=[seconds], golden=cases(10))
    assert undeclared.scores("silent") == (-3.0,) * 10
    assert report.results["silent"][1].attempts[0].scores["stars"].reason == "the answer is empty"


def test_an_empty_answer_loses_to_any_other_without_a_question_to_the_judge():
    def unasked(case: ft.Case, left: str, right: str) -> str:
        raise AssertionError("nobody has to be asked")

    def nothing(case: ft.Case) -> str:
        return ""

    report = run(one, nothing, scorers=[], judge=unasked)
    assert report.differences("nothing", baseline="one") == (-1.0,) * 30
    assert report.failures == ()


def test_a_panel_with_a_dead_judge_has_every_case_missing():
    def lively(case: ft.Case, left: str, right: str) -> str:
        return "first_much_better" if left == "1" else "second_much_better"

    def dead(case: ft.Case, left: str, right: str) -> str:
        raise TimeoutError("no line")

    report = run(zero, one, scorers=[], judge=[lively, dead])
    found = report.verdict("one", baseline="zero")
    assert (found.missing, found.outcome, found.reason) == (30, "not shown", "missing")
    assert found.bounds == (0.0, 1.0)
    assert preferences(report.judgments, ["0"], "one", "zero", missing=-1.0) == (0.0,)


def steady(gain: float):
    def graded(answer: str, case: ft.Case) -> float:
        return 0.5 + gain * (answer == "1")

    return graded


def test_small_steady_gains_are_not_shown_until_a_rare_loss_is_ruled_out():
    found = run(zero, one, scorers=[steady(0.026)]).verdict("one", baseline="zero")
    assert (found.outcome, found.reason, found.items_needed) == ("not shown", "unseen", 86)
    assert round(found.could_go_unseen, 2) == 0.10
    text = run(zero, one, scorers=[steady(0.026)]).text(lang="en")
    assert "30 cases cannot rule out that it fails badly now and then (up to 10 in 100 could go unseen)" in text
    assert "About 86 cases more without such a case would show it" in text
    assert run(zero, one, scorers=[steady(0.026)], golden=cases(116)).better("one", baseline="zero")


def test_what_was_decided_before_the_run_is_printed_with_the_verdict():
    assumed = run(zero, one, scorers=[steady(0.026)], assume="cases not seen are like those seen")
    assert assumed.better("one", baseline="zero")
    assert "supposing that cases not seen are like those seen" in assumed.text(lang="en")
    looks = run(zero, half, golden=cases(12), planned_looks=5)
    found = looks.verdict("half", baseline="zero")
    assert (found.outcome, run(zero, half, golden=cases(12)).verdict("half", baseline="zero").outcome) == (
        "not shown",
        "better",
    )
    assert "99 % interval" in found.numbers
    assert "99 % interval" in looks.text(lang="en")
    assert "one of 5 looks" in looks.to_markdown(lang="en")
    with pytest.raises(ValueError, match="planned_looks is at least 1"):
        run(zero, one, planned_looks=0)


def test_a_run_on_more_cases_says_that_it_looks_again(tmp_path):
    store = tmp_path / "answers.db"
    first = run(zero, one, golden=cases(20), store=store)
    again = run(zero, one, golden=cases(20), store=store)
    more = run(zero, one, golden=cases(30), store=store)
    other = run(zero, half, golden=cases(40), store=store)
    assert [r.design.look for r in (first, again, more, other)] == [1, 1, 2, 1]
    assert "planned_looks=2" in str(more.verdict("one", baseline="zero"))
    assert "Look 2 at a growing set" in more.text(lang="en")
    planned = run(zero, one, golden=cases(30), store=store, planned_looks=2)
    assert "growing set" not in planned.text(lang="en")


def test_a_score_beyond_its_declared_scale_is_missing_with_the_reason():
    def stars(answer: str, case: ft.Case) -> float:
        return 7.0 if answer == "1" else 2.0

    stars.range = (1, 5)
    report = run(zero, one, scorers=[stars])
    assert "7 is beyond its range from 1 to 5" in report.failures[0].reason
    stars.range = (5, 1)
    with pytest.raises(ValueError, match="range of scorer stars: a scale is two numbers"):
        run(zero, one, scorers=[stars])


def test_a_report_keeps_its_design(tmp_path):
    def stars(answer: str, case: ft.Case) -> float:
        return 5.0 if answer == "1" else 2.0

    stars.range = (1, 5)
    report = run(zero, one, scorers=[stars], golden=copied(5, 2), planned_looks=2)
    opened = ft.Report.load(report.save_json(tmp_path / "report.json"))
    assert opened.design == report.design
    assert opened.verdict("one", baseline="zero") == report.verdict("one", baseline="zero")


def test_equivalence_is_by_the_ninety_percent_interval_in_both_places():
    from finetune_lib.statistics import equivalence

    report = run(one, one_too, golden=cases(60))
    ours, theirs = report.scores("one_too"), report.scores("one")
    for margin in (0.03, 0.04, 0.045, 0.05):
        shown = equivalence(ours, theirs, margin).p < 0.05
        assert (report.verdict("one_too", baseline="one", margin=margin).outcome == "equivalent") == shown
    assert report.verdict("one_too", baseline="one", margin=0.05).outcome == "equivalent"


def one_too(case: ft.Case) -> str:
    return "1"


def test_not_worse_is_corrected_for_the_number_of_candidates():
    def named(name: str):
        def candidate(case: ft.Case) -> str:
            return "1"

        candidate.__name__ = name
        return candidate

    alone = run(one, named("c1"), golden=cases(60))
    several = run(one, *(named(f"c{i}") for i in range(1, 11)), golden=cases(60))
    # one-sided p of 60 ties at that margin: below 0.025, but not tenfold
    for margin, single, among in ((0.06, True, False), (0.08, True, True)):
        assert bool(alone.not_worse("c1", baseline="one", margin=margin)) == single
        assert bool(several.not_worse("c1", baseline="one", margin=margin)) == among


def test_a_class_whose_answers_all_failed_is_counted():
    golden = [asked(str(i), f"q{i}", "yes" if i < 10 else "no") for i in range(20)]

    def failing(case: ft.Case) -> str:
        if case.expected == "yes":
            raise TimeoutError("too slow")
        return "no"

    def right(case: ft.Case) -> str:
        return case.expected

    report = run(failing, right, scorers=[ft.Choice(["yes", "no"])], golden=golden)
    found = report.classification("failing")
    assert (found.accuracy, found.total) == (0.5, 20)
    assert (found.classes["yes"].recall, found.classes["yes"].support) == (0.0, 10)
    alone = run(failing, scorers=[ft.Choice(["yes", "no"])], golden=golden).classification("failing")
    assert (alone.accuracy, alone.classes["yes"].support) == (0.5, 10)


def test_a_candidate_that_never_says_anything_is_classified_as_wrong():
    def right(case: ft.Case) -> str:
        return case.expected

    def nothing(case: ft.Case) -> str:
        return ""

    golden = [asked(str(i), f"q{i}", "yes" if i % 2 else "no") for i in range(10)]
    found = run(right, nothing, scorers=[ft.Choice(["yes", "no"])], golden=golden).classification("nothing")
    assert (found.accuracy, found.total, found.classes["yes"].support) == (0.0, 10, 5)


def test_the_weakest_list_tells_what_has_no_score():
    def failing(case: ft.Case) -> str:
        if case.category == "hard":
            raise TimeoutError("too slow")
        return "1"

    golden = [asked(str(i), f"q{i}", category="hard" if i < 20 else "easy") for i in range(40)]
    weak = run(failing, golden=golden).weakest("failing")
    assert "fails 0 of 20 cases by exact_match; 20 more have no score (hard 20): see report.failures" in str(weak)


def test_other_measures_carry_no_verdict():
    report = run(zero, one, scorers=[steady(0.01), ft.ExactMatch()])
    assert report.verdict("one", baseline="zero").outcome == "not shown"
    page = report.to_html(lang="en")
    assert '<span class="outcome also">also measured</span>' in page
    assert 'class="outcome better"' not in page
    assert "also measured" in report.text(lang="en")


def test_groups_are_told_that_more_of_their_cases_would_not_help():
    golden = [asked(f"{i % 12}.{i}", f"q{i}", cluster=f"d{i % 12}") for i in range(60)]

    def some(case: ft.Case) -> str:
        return "1" if int(case.id.split(".")[0]) < 3 else "0"

    report = run(zero, some, golden=golden)
    found = report.verdict("some", baseline="zero")
    assert (found.outcome, found.reason, found.units) == ("not shown", "spread", 12)
    assert "12 groups (60 cases)" in report.to_html(lang="en")
    assert (
        f"More cases in these groups would not help; to show a difference of this size, about {found.items_needed}"
        in (report.text(lang="en"))
    )

import asyncio
import time

import pytest

import finetune_lib as ft


def cases(n: int = 20) -> list[ft.Case]:
    return [ft.Case(str(i), (), expected="1", category="甲" if i % 2 else "乙") for i in range(n)]


def never(case: ft.Case) -> str:
    return "0"


def always(case: ft.Case) -> str:
    return "1"


def evaluate(*candidates, scorers=None, golden=None, **options) -> ft.Report:
    evaluator = ft.Evaluator(scorers=scorers or [ft.ExactMatch()], **options)
    return evaluator.run(golden or cases(), candidates=list(candidates))


def test_means_and_verdict_of_two_candidates():
    report = evaluate(never, always)
    verdict = report.verdict("always", baseline="never")
    assert (report.mean("never"), report.mean("always")) == (0.0, 1.0)
    assert verdict.outcome == "better"
    assert (verdict.wins, verdict.losses, verdict.ties, verdict.missing) == (20, 0, 0, 0)
    assert 0.5 < verdict.estimate.low <= 1.0


def test_the_same_answers_show_no_difference():
    def also_never(case):
        return "0"

    verdict = evaluate(never, also_never).verdict("also_never", baseline="never")
    assert verdict.outcome == "not shown"
    assert verdict.estimate.p == 1.0


def test_the_other_way_round_is_worse():
    assert evaluate(never, always).verdict("never", baseline="always").outcome == "worse"


def test_means_by_category():
    def only_odd(case):
        return "1" if int(case.id) % 2 else "0"

    report = evaluate(only_odd)
    assert report.categories == ("乙", "甲")
    assert report.mean("only_odd", category="甲") == 1.0
    assert report.mean("only_odd", category="乙") == 0.0
    assert report.count("甲") == 10


def test_a_dataset_is_a_golden_set():
    golden = ft.Dataset.from_rows([{"prompt": "這部片真棒。", "completion": "1", "category": "短"}], system="判斷")

    def echo(case):
        assert [m.role for m in case.messages] == ["system", "user"]
        return case.prompt

    report = evaluate(echo, golden=golden)
    assert report.results["echo"][0].answer.text == "這部片真棒。"
    assert report.cases[0].category == "短"


def test_a_failed_answer_is_data_and_does_not_stop_the_others():
    def shaky(case):
        if case.id == "3":
            raise RuntimeError("quota <b>")
        return "1"

    report = evaluate(never, shaky)
    assert [(f.candidate, f.case, f.reason) for f in report.failures] == [("shaky", "3", "RuntimeError: quota <b>")]
    assert report.verdict("shaky", baseline="never").missing == 1
    assert report.scores("shaky")[3] is None
    assert report.mean("shaky") == 1.0


def test_a_failed_scorer_is_data():
    def picky(answer, case):
        return float("nan") if case.id == "0" else 1

    report = evaluate(always, scorers=[picky])
    assert [f.case for f in report.failures] == ["0"]
    assert "picky" in report.failures[0].reason


@pytest.mark.parametrize("answer", [1, None, b"1"])
def test_an_answer_that_is_no_text_is_a_failure(answer):
    def odd(case):
        return answer

    report = evaluate(always, odd)
    assert len(report.failures) == 20
    assert "not" in report.failures[0].reason


def test_when_nothing_was_answered_the_error_has_the_first_reason_and_the_report():
    def broken(case):
        raise ConnectionError("no route")

    with pytest.raises(ft.EvaluationError, match="no route") as error:
        evaluate(broken)
    assert len(error.value.report.failures) == 20


def test_own_functions_and_async_ones_score_and_answer():
    async def polite(answer, case):
        await asyncio.sleep(0)
        return "您" in answer

    async def clerk(case):
        await asyncio.sleep(0)
        return "您好"

    class Robot:
        name = "robot"

        async def __call__(self, case):
            return ft.Answer("你好")

    report = evaluate(clerk, Robot(), scorers=[polite])
    assert (report.mean("clerk"), report.mean("robot")) == (1.0, 0.0)


def test_several_scorers_are_kept_apart():
    def wordy(case):
        return "the answer is 1"

    report = evaluate(wordy, scorers=[ft.ExactMatch(), ft.Contains()])
    assert report.mean("wordy") == 0.0
    assert report.mean("wordy", scorer="contains") == 1.0


def test_exact_match_normalises_width_case_and_spaces_only():
    score = ft.ExactMatch()
    assert score("　ＹＥＳ \n", ft.Case("1", (), expected="yes")) == 1.0
    assert score("軟體", ft.Case("1", (), expected="软体")) == 0.0


def test_no_more_calls_at_once_than_asked_for():
    running = peak = 0

    async def slow(case):
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.01)
        running -= 1
        return "1"

    evaluate(slow, concurrency=3)
    assert peak == 3


def test_progress_counts_up_to_all_units():
    seen = []
    ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases(5), candidates=[never, always], on_progress=seen.append)
    assert [(p.stage, p.done, p.total) for p in seen] == [
        (stage, n, 10) for stage in ("answers", "scores") for n in range(1, 11)
    ]
    assert str(seen[-1]).startswith("scores 10/10")


def test_an_error_of_the_progress_function_is_the_callers_own():
    def impatient(progress):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases(3), candidates=[always], on_progress=impatient)


async def test_run_works_inside_a_running_loop_and_has_a_twin():
    inside = evaluate(never, always)
    twin = await ft.Evaluator(scorers=[ft.ExactMatch()]).run_async(cases(), candidates=[never, always])
    assert twin.scores("always") == inside.scores("always")


@pytest.mark.parametrize(
    ("golden", "candidates", "scorers", "message"),
    [
        ([], [always], [ft.ExactMatch()], "golden set is empty"),
        (cases(2), [], [ft.ExactMatch()], "at least one candidate"),
        (cases(2), [always], [], "at least one scorer"),
        (cases(2), [always, always], [ft.ExactMatch()], "two candidates are named 'always'"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(golden, candidates, scorers, message):
    with pytest.raises(ValueError, match=message):
        ft.Evaluator(scorers=scorers).run(golden, candidates=candidates)


def test_unknown_names_list_the_known_ones():
    report = evaluate(never, always)
    with pytest.raises(ValueError, match="there are never, always"):
        report.verdict("tuned", baseline="never")
    with pytest.raises(ValueError, match="there are exact_match"):
        report.mean("never", scorer="bleu")


def test_a_missing_extra_is_told_before_anything_is_asked(monkeypatch):
    import sys

    asked = []

    def costly(case):
        asked.append(case)
        return "1"

    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ft.MissingExtraError, match=r'pip install "finetune_lib\[eval\]"'):
        evaluate(costly, always)
    assert asked == []


def test_interrupting_run_stops_the_work(tmp_path):
    import os
    import signal
    import subprocess
    import sys

    script = tmp_path / "long.py"
    script.write_text(
        "import time, finetune_lib as ft\n"
        "async def slow(case):\n"
        "    import asyncio\n"
        "    print('asked', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "ft.Evaluator(scorers=[ft.ExactMatch()]).run([ft.Case('1', (), expected='')], candidates=[slow])\n"
    )
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"asked\n"
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert b"destroyed" not in errors


def test_the_terminal_report_lines_up_and_tells_all():
    def shaky(case):
        if case.id == "3":
            raise RuntimeError("boom")
        return "1"

    text = str(evaluate(never, shaky))
    assert "shaky is better than never" in text
    assert "1 missing" in text
    assert "shaky: RuntimeError: boom (1: 3)" in text
    from finetune_lib.pages.terminal import width

    table = text.split("\n\n")[2].splitlines()
    assert {width(line) for line in table} == {width(table[0])}


def test_a_few_wins_among_many_ties_are_not_called_better():
    """Four wins and no loss have p = 0.0625."""

    def now_and_then(case):
        return "1" if int(case.id) < 4 else "0"

    verdict = evaluate(never, now_and_then).verdict("now_and_then", baseline="never")
    assert verdict.outcome == "not shown"


def test_contains_without_an_expected_text_is_a_failure_and_no_point():
    golden = [ft.Case("1", (), expected="")]
    report = evaluate(always, scorers=[ft.Contains()], golden=golden)
    assert report.mean("always") is None
    assert "no expected text" in report.failures[0].reason


def test_a_candidate_that_fails_on_many_cases_gets_no_verdict():
    """It may fail on the hard ones: what it answered says nothing about the rest."""

    def lucky(case):
        if int(case.id) >= 8:
            raise TimeoutError("too slow")
        return "1"

    def late(case):
        return "0" if int(case.id) < 8 else "1"

    verdict = evaluate(late, lucky).verdict("lucky", baseline="late")
    assert (verdict.wins, verdict.missing) == (8, 12)
    assert (verdict.outcome, verdict.reason) == ("not shown", "missing")
    assert verdict.bounds == (-0.2, 0.4)
    assert "12 are missing and could undo it: run again" in verdict.advice
    # a baseline that is wrong wherever the other one failed has nothing to win there
    assert evaluate(never, lucky).verdict("lucky", baseline="never").outcome == "better"


def test_candidates_without_a_common_case_are_not_compared():
    def first(case):
        return "1" if case.id == "0" else 1 / 0

    def second(case):
        return "1" if case.id == "1" else 1 / 0

    report = evaluate(first, second)
    assert report.comparisons == ()
    assert "failed" in str(report)


@pytest.mark.parametrize("stop", [StopIteration, SystemExit])
def test_an_exception_that_no_future_carries_is_a_failure_too(stop):
    def strange(case):
        raise stop("done")

    report = evaluate(always, strange)
    assert len(report.failures) == 20
    assert stop.__name__ in report.failures[0].reason


def test_a_score_that_is_not_finite_is_a_failure():
    def endless(answer, case):
        return float("inf")

    assert len(evaluate(always, scorers=[endless]).failures) == 20


def test_a_golden_set_with_unread_lines_is_refused(tmp_path):
    path = tmp_path / "golden.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "1"}]}\n{oops\n')
    with pytest.raises(ft.InvalidDatasetError, match=r"golden\.jsonl:2"):
        evaluate(always, golden=ft.Dataset.load(path))


def test_a_golden_example_without_an_answer_is_named():
    with pytest.raises(ft.DataError, match="golden example 2 of rows is no case"):
        evaluate(always, golden=ft.Dataset.from_rows([{"prompt": "q", "completion": "1"}, {"prompt": "q"}]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency is at least 1"),
        ({"epochs": 0}, "epochs is at least 1"),
        ({"timeout": 0}, "timeout is above 0 seconds"),
        ({"budget": -1}, "budget is at least \\$0"),
        ({"budget": float("nan")}, "budget is at least"),
        ({"mode": "batches"}, "mode is one of live, batch, not 'batches'"),
        ({"epochs": 0, "timeout": -1}, "epochs.*timeout"),
    ],
)
def test_numbers_out_of_range_are_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(always, **options)


@pytest.mark.parametrize(("role", "message"), [("judge", r'ft\.PairwiseJudge\("gpt"\)'), ("scorers", "is a text")])
def test_a_name_is_nothing_that_can_be_called(role, message):
    with pytest.raises(TypeError, match=message):
        evaluate(always, never, **{role: ["gpt"] if role == "scorers" else "gpt"})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"scorers": [ft.ExactMatch]}, r"scorer 1 is the class ExactMatch.*write ft\.ExactMatch\(…\)"),
        ({"scorers": ["exact"]}, r"scorer 1 is a text, 'exact'; a scorer is an object as ft\.ExactMatch\(\)"),
        ({"scorers": ft.ExactMatch()}, r"scorers is ExactMatch: several are wanted, so write scorers=\[…\]"),
        ({"scorers": "exact"}, r"scorers is a text, 'exact'; .*write scorers=\[…\]"),
        ({"candidates": ft.ChatModel("m")}, r"candidates is ChatModel: several are wanted, so write candidates=\[…\]"),
        ({"candidates": [ft.ChatModel]}, r"candidate 1 is the class ChatModel.*write ft\.ChatModel\(…\)"),
        ({"golden": "golden.xlsx"}, r"'golden\.xlsx' is a path: write ft\.GoldenSet\.load\('golden\.xlsx'\)"),
        ({"golden": [{"input": "1"}]}, r"row 1 of golden is dict: write ft\.GoldenSet\.from_rows"),
        ({"training": "train.jsonl"}, r"'train\.jsonl' is a path: write ft\.Dataset\.load\('train\.jsonl'\)"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(options, told):
    given = {"scorers": [ft.ExactMatch()], "golden": [ft.Case("1", (), "x")], "candidates": [lambda _: "x"], **options}
    golden = given.pop("golden")
    with pytest.raises(TypeError, match=told):
        ft.Evaluator(scorers=given.pop("scorers"), store=":memory:").run(golden, **given)


@pytest.mark.parametrize("wrap", [ft.GoldenSet, lambda path: ft.FewShot("m", examples=path)])
def test_a_path_is_no_sequence(wrap):
    with pytest.raises(TypeError, match=r"'a\.csv' is a path: write ft\.(GoldenSet|Dataset)\.load\('a\.csv'\)"):
        wrap("a.csv")

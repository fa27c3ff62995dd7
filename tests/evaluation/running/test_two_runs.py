"""Two runs at once on one store pay each answer once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.doubles import Outcome, refusal
from tests.evaluation.running.double import completion
from tests.evaluation.running.scenario import cases

import finetune_lib as ft


def two(platform, path) -> list[ft.Report]:
    def one(_: int) -> ft.Report:
        return ft.Evaluator([ft.Contains()], platform=platform, store=path).run(
            cases(20), candidates=[ft.ChatModel("base")]
        )

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(2)))


def test_each_question_is_paid_once(double, platform, tmp_path):
    double.answer = lambda call: Outcome(body=completion(call.body), seconds=0.2)
    reports = two(platform, tmp_path / "answers.db")
    assert len(double.asked) == 20
    assert sum(report.run.paid_calls for report in reports) == 20
    assert sum(report.run.reused for report in reports) == 20
    assert reports[0].scores("base") == reports[1].scores("base")


@pytest.mark.usefixtures("hasty")
def test_what_the_other_run_got_no_answer_to_is_asked_again(double, platform, tmp_path):
    """Refused for good in whichever run asks first: the other one asks for itself and is told the same."""
    refused = refusal(400)
    double.answer = lambda call: refused if call.number % 5 == 0 else Outcome(body=completion(call.body), seconds=0.05)
    reports = two(platform, tmp_path / "answers.db")
    known = [sum(score is not None for score in report.scores("base")) for report in reports]
    assert min(known) >= 10
    assert max(Counter(double.asked).values()) <= 2

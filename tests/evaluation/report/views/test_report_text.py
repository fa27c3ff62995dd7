import re

import pytest
from tests.evaluation.report.views.evaluations import HOSTILE, always, failed, report, result, rich

from finetune_lib.evaluation.report import Failure
from finetune_lib.evaluation.report.views import report_text
from finetune_lib.evaluation.report.views.failing import groups
from finetune_lib.evaluation.report.views.numbers import duration, money, p_value, signed
from finetune_lib.pages.terminal import width


def blocks(text: str) -> list[str]:
    return text.split("\n\n")


def test_the_verdict_comes_first_with_its_numbers():
    first = blocks(report_text(report(), "en"))[0]
    assert first.startswith("tuned is better than base: correct +0.71, 95 % interval +0.")
    assert "p < 0.001 (Holm, 2 comparisons) (17 wins, 0 losses, 7 ties)" in first


def test_the_verdict_in_chinese():
    text = report_text(report(), "zh-Hant")
    assert text.startswith("tuned 優於 base：correct +0.71，95 % 信賴區間 +0.")
    assert "（17 勝、0 負、7 平）" in text
    assert "better" not in text
    assert "tuned 优于 base" in report_text(report(), "zh-Hans")


def test_where_nothing_is_shown_it_says_how_many_cases_to_label():
    nearly = report(("base", "tuned"), (lambda n: n % 4 == 0, lambda n: n % 4 == 0 or n == 6))
    text = report_text(nearly, "en")
    assert text.startswith("No difference between tuned and base is shown: correct +0.04")
    assert re.search(r"label about \d+ more cases, most of them of the category 行李", text)


def test_a_margin_can_show_that_candidates_are_equivalent():
    same = report(("base", "tuned"), (always, always))
    assert "equivalent" not in report_text(same, "en")
    assert report_text(same, "en", margin=0.5).startswith("tuned and base are equivalent within ±0.50")


def test_every_table_lines_up_with_chinese_in_it():
    shown = report_text(rich(), "zh-Hant")
    tables = [block.splitlines() for block in blocks(shown) if "──" in block]
    assert len(tables) == 5
    for lines in tables:
        rule = next(n for n, line in enumerate(lines) if "──" in line)
        assert {width(line) for line in lines[rule - 1 :]} == {width(lines[rule])}


def test_means_stand_with_what_is_known_of_money_and_time():
    text = report_text(rich(), "en")
    assert re.search(r"^tokens read +100 +100 +100$", text, re.MULTILINE)
    assert re.search(r"^US\$ per 1,000 answers +\$1.00", text, re.MULTILINE)
    assert "This run made 72 calls and reused 3 kept answers; it took 12.3 s and cost $0.070." in text


def test_failures_are_grouped_by_reason():
    text = report_text(rich(), "en")
    assert "2 failed:" in text
    assert "tuned: gpt: UnreadableAnswerError: no verdict (1: q23)" in text
    reasons = ["no answer in 60 s", "no answer in 61 s", "id 7f3a9c21d0", "id 00ff9c21d0", "other"]
    found = groups([Failure("base", str(n), reason) for n, reason in enumerate(reasons)])
    assert [(group.reason, group.cases) for group in found] == [
        ("no answer in 60 s", ["0", "1"]),
        ("id 7f3a9c21d0", ["2", "3"]),
        ("other", ["4"]),
    ]


def test_nothing_of_the_data_steers_the_terminal():
    text = report_text(report(candidates=("base", "a\x1b[2J\nb", "c\u202e")), "en")
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "a⟨U+001B⟩[2J⟨U+000A⟩b" in text
    assert "\u202e" not in report_text(rich(), "en")


def test_one_candidate_has_means_and_no_verdict():
    text = report_text(report(("base",), (lambda n: n % 4 == 0,)), "en")
    assert text.startswith("24 cases")
    assert "0.25" in text


def test_a_candidate_that_never_answered_is_told_among_the_failures():
    plain = report(("base", "dead"), (always, always))
    dead = {**plain.results, "dead": tuple(failed("ConnectionError: refused") for _ in plain.cases)}
    text = report_text(type(plain)(plain.cases, plain.candidates, plain.scorers, dead), "en")
    assert "better" not in text
    assert "24 failed:" in text
    assert "(24: q0, q1, q2, q3, q4, … and 19 more)" in text


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (money(None), "–"),
        (money(0.0), "$0.00"),
        (money(0.00034), "$0.00034"),
        (money(12345.678), "$12,345.68"),
        (money(-0.5), "−$0.50"),
        (duration(0.0004), "0 ms"),
        (duration(59.96), "60.0 s"),
        (duration(3600), "60 min"),
        (signed(-0.001), "0.00"),
        (signed(-0.5), "−0.50"),
        (p_value(0.0004), "p < 0.001"),
        (p_value(0.0312), "p = 0.031"),
    ],
)
def test_numbers_read_well(shown, told):
    assert shown == told


def test_a_score_outside_of_0_and_1_is_shown_as_it_is():
    plain = report(("base", "tuned"), (always, always))
    wide = {name: tuple(result("x", 40.0 + n % 7) for n in range(24)) for name in plain.candidates}
    assert "42." in report_text(type(plain)(plain.cases, plain.candidates, plain.scorers, wide), "en")
    assert HOSTILE not in report_text(rich(), "en")

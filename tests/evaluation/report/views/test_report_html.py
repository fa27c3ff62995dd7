import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.report.views.evaluations import HOSTILE, always, many, never, report, rich

from finetune_lib.evaluation.report.views import report_page
from finetune_lib.evaluation.report.views.data import LARGEST
from finetune_lib.evaluation.report.views.plots import around_zero, over, scale, stacked, whisker
from finetune_lib.jobs.metrics import Metrics, Step

NUMBERS = st.floats(-1e6, 1e6)


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def page() -> str:
    return report_page(rich(), lang="en")


def sections(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_the_page_has_its_sections_from_the_verdict_to_the_method(page):
    assert sections(page) == [
        "Verdict", "Scores", "Candidates with each other", "Categories", "Classification", "Judge and experts",
        "Money and time", "Cases", "Failures", "What was compared", "Method",
    ]  # fmt: skip


def test_better_candidates_come_first_in_the_verdict():
    shown = report_page(report(("base", "worse", "better"), (lambda n: n % 2 > 0, never, always)), lang="en")
    assert 0 < shown.index("better is better than base") < shown.index("worse is worse than base")


def test_the_verdict_says_what_it_means_and_what_is_missing(page):
    assert "Were there no difference, chance alone" in page
    assert "1 case is left out: the training data holds its like." in page
    assert re.search(r"1 of \d+ cases has no result on one side. Were it lost, the difference would be", page)


def test_only_one_script_runs_and_its_policy_names_it(page):
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy
    assert re.fullmatch(
        r"default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; base-uri 'none'; form-action 'none'",
        policy[1],
    )
    assert len(re.findall("<script", page)) == 2  # the script and the data, which is no script
    assert " style=" not in page
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert set(re.findall(r"<[^>]*\s(?:src|href)=\"(.)", markup)) == {"#"}


def test_the_data_holds_every_text_as_it_is(page):
    data = data_of(page)
    assert [case["id"] for case in data["cases"]] == [f"q{n}" for n in range(24)]
    hostile = data["cases"][1]
    assert hostile["turns"][hostile["asked"]]["t"] == HOSTILE
    assert hostile["answers"][0][0]["t"] == HOSTILE
    assert hostile["judgments"][0]["reason"]["t"] == HOSTILE
    assert data["cases"][3]["answers"][2][0]["error"].startswith("TimeoutError")
    assert [a["scores"]["correct"] for a in data["cases"][6]["answers"][1]] == [1.0, 0.0, 1.0]
    assert data["cases"][7]["contaminated"]


def test_a_huge_answer_is_cut_and_says_so(page):
    answer = data_of(page)["cases"][4]["answers"][2][0]
    assert (len(answer["t"]), answer["cut"]) == (LARGEST, 40_000 - LARGEST)


def test_levels_are_seen_from_the_candidate(page):
    first, second = data_of(page)["cases"][1]["judgments"]
    assert (first["first"], first["level"]) == (True, "first_much_better")
    assert ("first" in second, second["level"]) == (False, "first_slightly_better")


def test_outcomes_of_the_data_are_those_of_the_verdict(page):
    found = rich()
    data = data_of(page)
    for measure in found.measures:
        verdict = found.verdict("tuned", baseline="base", scorer=measure)
        column = [c["differences"][measure][1] for c in data["cases"] if not c.get("contaminated")]
        signs = [(d > 0) - (d < 0) for d in column if d is not None]
        assert (signs.count(1), signs.count(0), signs.count(-1)) == (verdict.wins, verdict.ties, verdict.losses), (
            measure
        )


def test_classification_and_trust_are_told(page):
    assert "macro F1" in page
    assert "Confusion matrix" in page
    assert "in both orders" in page
    assert "32 votes by 2 experts: Lin, Chen." in page


def test_money_time_and_where_the_model_comes_from(page):
    for text in (
        "US$ per 1,000 answers",
        "file-1",
        "ftjob-1 ($2.00)",
        "ft:m:org::1",
        "eval-1",
        "half of them within (p50)",
    ):
        assert text in page


def test_the_method_is_told(page):
    for text in ("Decided before the data was seen", "correct: exact|v:1", "q7", "Holm over the candidates", "UTC"):
        assert text in page


def test_the_loss_curve_stands_in_the_page_where_it_is_known():
    curve = Metrics((Step(1, 3.0), Step(2, 1.0, valid_loss=1.5))).plot().svg
    assert "validation loss" in report_page(report(), curve=curve, lang="en")
    assert "<figure" not in report_page(report(), lang="en")


def test_a_margin_is_drawn():
    shown = report_page(report(), lang="en", margin=0.1)
    assert 'class="margin"' in shown
    assert "margin of ±0.10" in shown
    assert 'class="margin"' not in report_page(report(), lang="en")


def test_the_notebook_gets_a_fragment_without_a_script():
    shown = report_page(rich(), fragment=True, lang="zh-Hant")
    assert shown.startswith('<div class="ftl evaluation" lang="zh-Hant">')
    assert "<html" not in shown
    assert "<script" not in shown
    assert "<img" not in shown
    assert "前 10 題" in shown
    assert "id=" not in re.sub(r'id="cases-list"', "", shown)


@pytest.mark.parametrize(
    ("lang", "title"), [("zh-Hant", "評估報告"), ("zh-Hans", "评估报告"), ("en", "Evaluation report")]
)
def test_the_page_is_in_the_language_that_was_asked_for(lang, title):
    shown = report_page(rich(), lang=lang)
    assert f'<html lang="{lang}">' in shown
    assert f"<h1>{title}</h1>" in shown


def test_a_single_candidate_and_a_report_without_scorers_have_a_page():
    alone = report_page(report(("base",), (lambda n: n % 4 == 0,)), lang="en")
    assert "There is one candidate" in alone
    both = rich()
    judged = report_page(type(both)(both.cases, both.candidates, (), both.results, judgments=both.judgments), lang="en")
    assert "tuned is better than base" in judged


def test_tables_name_their_columns_and_rows(page):
    for found in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert not re.search(r"<th(?![^>]*scope=)[ >]", found)


def test_a_large_report_is_made_in_a_moment():
    import time

    large = many(2000, 5)
    report_page(large, lang="en")  # comparisons, and the libraries that they need
    started = time.process_time()
    shown = report_page(large, lang="en")
    assert time.process_time() - started < 5
    assert len(data_of(shown)["cases"]) == 2000


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_any_interval_is_drawn_well_formed_and_inside(values, interval):
    for axis in (around_zero([*values, *interval]), over([*values, *interval])):
        low, value, high = sorted(interval)
        for svg in (whisker(axis, (value, low, high), label="<&>", kind="better", margin=0.1), scale(axis)):
            for element in ElementTree.fromstring(svg).iter():  # noqa: S314 - our own text
                places = [v for k, v in element.attrib.items() if k in {"x", "x1", "x2", "cx"}]
                assert all(0 <= float(place[:-1]) <= 100 for place in places)


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_shares_fill_the_bar(wins, ties, losses):
    drawn = ElementTree.fromstring(stacked(wins, ties, losses, label="x"))  # noqa: S314 - our own text
    widths = [float(part.attrib["width"][:-1]) for part in drawn]
    assert not widths or abs(sum(widths) - 100) < 0.1
    assert len(widths) == sum(map(bool, (wins, ties, losses)))

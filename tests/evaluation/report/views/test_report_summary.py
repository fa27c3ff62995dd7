"""The page for whoever decides: the verdict, money, what is lost, what to do; in three languages, linked both ways."""

import re

import pytest
from tests.evaluation.report.views.evaluations import HOSTILE, always, never, report, rich

import finetune_lib as ft
from finetune_lib.evaluation.report.views import summary_page

VERDICTS = {
    "better": ((lambda n: n % 4 == 0), always, "tuned can take the place of base: it is shown to be better."),
    "worse": (always, (lambda n: n % 4 == 0), "tuned must not take the place of base: it is shown to be worse."),
    "not shown": ((lambda n: n % 4 == 0), (lambda n: n % 3 == 0), "Not decided: it is not shown which one is better"),
}


def pair(before, after, **more) -> ft.Report:
    return report(("base", "tuned"), (before, after), **more)


@pytest.mark.parametrize("name", VERDICTS)
def test_each_outcome_has_its_sentence_and_its_step(name):
    before, after, sentence = VERDICTS[name]
    page = summary_page(pair(before, after), lang="en")
    assert sentence in page
    assert ("Stay with base" in page) == (name != "better")
    assert ("Replace base by tuned" in page) == (name == "better")


def test_equal_candidates_within_a_margin_are_as_good():
    assert "tuned is as good as base, within ±0.30: that is shown." in summary_page(
        pair(always, always), lang="en", margin=0.3
    )


def test_it_tells_shares_points_and_what_was_lost():
    page = summary_page(pair(lambda n: n % 4 == 0, lambda n: n % 3 == 0), lang="en")
    assert "25 %" in page
    assert "33 %" in page
    assert "<b>+8</b>" in page
    assert "It wins 6 cases and loses 4; 14 are tied." in page
    assert "退稅: lost 2, won 0" in page
    assert "交通: lost 2, won 0" in page
    assert "行李: lost" not in page
    assert [f"第 {n} 個問題" in page for n in (0, 4, 8, 16, 20)] == [False, True, True, True, False]


def test_the_best_candidate_is_shown_and_the_others_are_named():
    found = report(("base", "worse", "best"), (lambda n: n % 2 > 0, never, always))
    assert "best can take the place of base" in summary_page(found, lang="en")
    assert "Also compared: worse ▼ −0.50." in summary_page(found, lang="en")
    assert "worse must not take the place of base" in summary_page(found, candidate="worse", lang="en")
    with pytest.raises(ValueError, match="nobody"):
        summary_page(found, candidate="nobody")


@pytest.mark.parametrize(("lang", "said"), [("zh-Hant", "可以用 tuned 取代 base"), ("zh-Hans", "接下来怎么做")])
def test_it_speaks_chinese(lang, said):
    assert said in summary_page(pair(lambda n: n % 4 == 0, always), lang=lang)


def test_what_nobody_should_overlook_stands_beside_the_verdict():
    page = summary_page(rich(), candidate="rag", lang="en")
    assert "1 case was left out, because the training data holds its like" in page
    assert "2 of 24 answers of rag failed or were cut off" in page
    assert "A model judged, and nobody has compared" not in page


def test_nothing_in_the_data_can_run_or_fetch():
    page = summary_page(rich(), candidate="rag", lang="en", title=HOSTILE)
    assert "<script" not in page.lower().replace("&lt;script", "")
    assert "script-src 'none'" in page
    assert " style=" not in page


def test_both_pages_are_written_and_link_to_each_other(tmp_path):
    (tmp_path / "all").mkdir()
    written = pair(never, always).save_summary_html(
        tmp_path / "頁 1.html", full=tmp_path / "all" / "report.html", lang="en", title="Hotline <1>"
    )
    page, whole = written.read_text(encoding="utf-8"), (tmp_path / "all/report.html").read_text(encoding="utf-8")
    assert 'href="all/report.html"' in page
    assert 'href="../%E9%A0%81%201.html"' in whole
    assert all(re.search(r"<h1>Hotline &lt;1&gt;</h1>", text) for text in (page, whole))
    assert 'href="all' not in pair(never, always).to_html(lang="en")

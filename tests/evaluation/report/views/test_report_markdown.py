import re

from hypothesis import given
from hypothesis import strategies as st
from tests.evaluation.report.views.evaluations import report, rich

from finetune_lib.evaluation.report.views import report_markdown
from finetune_lib.evaluation.report.views.markdown import plain, table


def test_the_verdict_the_table_and_folded_parts():
    shown = report_markdown(report(), "en")
    assert shown.startswith("## Evaluation report\n\n- ▲ **tuned is better than base.** Were there no difference")
    assert "|candidate|measure|difference|95 % interval|p|won · tied · lost|outcome|\n|:--|--:|" in shown
    assert "|tuned|correct|+0.71|" in shown
    assert re.findall("<summary>(.*?)</summary>", shown) == ["Scores", "Categories", "Money and time", "Method"]
    assert shown.count("<details>") == shown.count("</details>") == 4


def test_markdown_in_chinese():
    shown = report_markdown(rich(), "zh-Hant")
    assert "**tuned 優於 base。**" in shown
    assert "<summary>失敗</summary>" in shown
    assert "有 1 題因訓練資料中有相似內容而排除。" in shown


def test_nothing_of_the_data_is_markup_a_mention_or_an_address():
    shown = report_markdown(rich(), "en")
    assert set(re.findall("<(/?[a-z]+)", shown)) == {"details", "/details", "summary", "/summary"}
    assert not re.search(r"@all|#1 |://|!\[|\u202e|(?<!\\)\$", shown)
    for line in shown.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


@given(st.lists(st.text(min_size=1), min_size=2, max_size=4))
def test_a_table_has_as_many_cells_as_its_header_whatever_is_in_them(cells):
    lines = table(cells, [cells]).splitlines()
    assert len(lines) == 3
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {len(cells) + 1}


@given(st.text())
def test_any_text_stays_on_one_line_without_a_tag(text):
    assert not re.search("[<>\n\r]", plain(text))

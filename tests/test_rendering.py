import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.metrics import Metrics, Step
from finetune_lib.rendering.curve import Line, curve_svg
from finetune_lib.rendering.terminal import table, width

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}\"'&"


def report(answer: str = "1") -> ft.Report:
    cases = [ft.Case("1", (ft.Message(role="user", content=HOSTILE),), expected=HOSTILE, category=HOSTILE)]

    def bot(case):
        return answer

    def broken(case):
        raise RuntimeError(HOSTILE)

    return ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[bot, broken])


def test_nothing_hostile_survives_as_markup(tmp_path):
    page = report(HOSTILE).save_html(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "<script" not in page
    assert "onerror=alert(1)&gt;" in page


def test_the_page_fetches_nothing(tmp_path):
    page = report().save_html(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<[^>]*\s(src|href)\s*=", page)


def test_the_page_replaces_an_older_one_and_leaves_no_other_file(tmp_path):
    target = tmp_path / "deep" / "r.html"
    report("first").save_html(target)
    report("second").save_html(target)
    assert "second" in target.read_text(encoding="utf-8")
    assert [path.name for path in target.parent.iterdir()] == ["r.html"]


def test_the_loss_curve_is_in_the_page_where_metrics_are_given(tmp_path):
    metrics = Metrics((Step(1, 3.0), Step(2, 1.0, valid_loss=1.5)))
    page = report().save_html(tmp_path / "r.html", metrics=metrics).read_text(encoding="utf-8")
    assert "<svg" in page
    assert "validation loss" in page
    assert "<svg" not in report().save_html(tmp_path / "s.html", metrics=Metrics()).read_text(encoding="utf-8")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 1e6)), max_size=30))
def test_any_curve_is_well_formed_and_inside_its_frame(points):
    svg = curve_svg([Line("a<b", points), Line("c", [])], x="step", y="loss")
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own text
    for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
        xs, ys = zip(*(map(float, place.split(",")) for place in line.attrib["points"].split()), strict=True)
        assert 0 <= min(xs) <= max(xs) <= 640
        assert 0 <= min(ys) <= max(ys) <= 260


@pytest.mark.parametrize(("text", "cells"), [("abc", 3), ("中文", 4), ("ｶﾅ", 2), ("Ａ", 2), ("e\u0301", 1), ("", 0)])
def test_width_counts_terminal_cells(text, cells):
    assert width(text) == cells


def test_tables_line_up_with_chinese_names():
    lines = table(["名稱", "n"], [["中文", "1"], ["x", "20"]]).splitlines()
    assert len({width(line) for line in lines}) == 1


def test_notebooks_show_fragments_without_a_page_around_them():
    fragment = report()._repr_html_()
    assert fragment.startswith("<div")
    assert "<html" not in fragment

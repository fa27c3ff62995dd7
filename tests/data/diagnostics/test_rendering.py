import json
import re
import string
import tomllib
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib.data.diagnostics import Change, diagnose, quote
from finetune_lib.data.diagnostics.locations import listed
from finetune_lib.data.diagnostics.quoting import COLUMNS
from finetune_lib.data.diagnostics.sarif import sarif
from finetune_lib.pages.curve import Line, curve_svg
from finetune_lib.pages.terminal import table, width
from finetune_lib.pages.wording import words
from finetune_lib.records import Origin

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}\"'&"


def report(answer: str = "1") -> ft.Report:
    cases = [ft.Case("1", (ft.Message(role="user", content=HOSTILE),), expected=HOSTILE, category=HOSTILE)]

    def bot(case):
        return answer

    def broken(case):
        raise RuntimeError(HOSTILE)

    return ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[bot, broken])


def test_the_page_replaces_an_older_one_and_leaves_no_other_file(tmp_path):
    target = tmp_path / "deep" / "r.html"
    report("first").save_html(target)
    report("second").save_html(target)
    assert "second" in target.read_text(encoding="utf-8")
    assert [path.name for path in target.parent.iterdir()] == ["r.html"]


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


# Findings in a terminal


def role(number, *, line=True, role="usr", meant=""):
    origin = Origin("data.jsonl", row=number, line=number if line else None)
    return diagnose("S309", origin, "/messages/0/role", role=role, meant=meant)


def checked(*findings, **more) -> ft.ValidationReport:
    return ft.ValidationReport("data.jsonl", 12, findings, **more)


def test_errors_come_first_and_the_summary_last():
    note = diagnose("J212", Origin("data.jsonl", line=1))
    copy = diagnose(
        "D801", Origin("data.jsonl", row=2, line=2), related=(Origin("data.jsonl", row=1, line=1),), first="line 1"
    )
    text = checked(note, copy, role(3)).text(lang="en")
    assert [line.split("[")[0] for line in text.splitlines() if "[" in line] == ["error", "warning", "info"]
    assert text.splitlines()[-1] == "data.jsonl: 12 examples: 1 error, 1 warning"


def test_what_is_the_same_is_said_once():
    lines = checked(*map(role, range(1, 4))).text(lang="en").splitlines()
    assert sum("role 'usr' is unknown" in line for line in lines) == 1
    assert [line.split("data.jsonl:")[1] for line in lines if "-->" in line] == [
        f"{n}  /messages/0/role" for n in (1, 2, 3)
    ]
    assert sum("= help" in line for line in lines) == 1


def test_another_message_or_hint_is_said_too():
    text = checked(role(1), role(2, role="bot", meant='; did you mean "assistant"?')).text(lang="en")
    assert text.count("error[S309]") == 2
    assert text.count("= help") == 2


def test_of_a_long_run_the_places_are_told_as_ranges():
    text = checked(*map(role, (1, 2, 3, 4, 5, 6, 8, 10, 11))).text(lang="en")
    assert "… and 6 more S309, on lines 4–6, 8, 10, 11" in text.splitlines()


def test_findings_that_are_counted_only_are_told():
    tally = {("S309", "error"): 5000}
    text = checked(*map(role, range(1, 8)), tally=tally).text(lang="en")
    assert "… and 4,997 more S309, on lines 4–7 …" in text.splitlines()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_ranges_name_every_number_and_no_other(numbers):
    told = listed([role(number) for number in numbers], words("en"), most=100).split(" ", 1)[1]
    parts = (part.split("–") for part in told.split(", "))
    assert {n for part in parts for n in range(int(part[0]), int(part[-1]) + 1)} == set(numbers)


@pytest.mark.parametrize(
    ("finding", "lang", "place"),
    [
        (role(3), "en", "data.jsonl:3  /messages/0/role"),
        (role(3, line=False), "en", "data.jsonl:row 3  /messages/0/role"),
        (role(3, line=False), "zh-Hant", "data.jsonl:第 3 列  /messages/0/role"),
        (diagnose("S309", Origin("a.xlsx", 2, cells={"": "問答!A3"}), role="x", meant=""), "zh-Hans", "a.xlsx:問答!A3"),
        (diagnose("S309", Origin("a.csv"), role="x", meant=""), "en", "a.csv"),
    ],
)
def test_a_place_is_a_cell_a_line_or_a_row(finding, lang, place):
    assert f"  --> {place}" in checked(finding).text(lang=lang).splitlines()


@pytest.mark.parametrize(
    "text", ["abc中文def", "“C”", "全形：，。", "前" * 300, "x" * 300, "ab\u200bcd", "\x1b[31mred"]
)
@pytest.mark.parametrize("start", [0, 1, 5])
def test_carets_stand_below_what_they_mark(text, start):
    finding = diagnose("S309", Origin("d", line=1), quote=quote(text, min(start, len(text) - 1), 2), role="x", meant="")
    shown, carets = (line[5:] for line in checked(finding).text(lang="en").splitlines() if line.startswith("   | "))
    assert width(shown) <= COLUMNS
    before = carets.index("^")
    assert set(carets[before:]) == {"^"}
    assert before + len(carets[before:]) <= max(width(shown), before + 1)
    whole = finding.quote.text
    if width(whole) <= COLUMNS and shown == whole:
        assert before == width(whole[: finding.quote.start])


def test_the_marked_part_is_seen_however_wide_the_line_is():
    finding = diagnose("S309", Origin("d", line=1), quote=quote("長" * 90 + "X" + "短" * 90, 90), role="x", meant="")
    shown, carets = (line[5:] for line in checked(finding).text(lang="en").splitlines() if line.startswith("   | "))
    column = carets.index("^")
    assert [c for n, c in enumerate(shown) if width(shown[:n]) == column] == ["X"]


def test_nothing_of_the_data_steers_the_terminal():
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\r\nfake: 0 errors"
    origin = Origin(f"f{evil}", row=1, line=1, cells={"": evil})
    finding = diagnose("S309", origin, f"/{evil}", related=(origin,), quote=quote(evil, 0, 3), role=evil, meant=evil)
    text = ft.ValidationReport(evil, 1, (finding,)).text(lang="en")
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert not any(line.startswith("fake") for line in text.splitlines())


def test_colours_are_there_only_where_they_are_asked_for():
    report = checked(role(1))
    assert "\x1b[1;31merror[S309]\x1b[0m" in report.text(lang="en", color=True)
    assert "\x1b" not in report.text(lang="en")
    assert re.sub("\x1b\\[[0-9;]*m", "", report.text(lang="en", color=True)) == report.text(lang="en")


def test_a_report_in_chinese_has_its_own_words_everywhere():
    tokens = ft.TokenCount(1000, 90, "o200k_base", exact=False)
    text = checked(*map(role, range(1, 9)), tokens=tokens).text(lang="zh-Hant")
    assert text.startswith("錯誤[S309] ")
    assert "建議：" in text
    assert "……另有 5 個 S309，位於第 4–8 行" in text
    assert (
        text.splitlines()[-1]
        == "data.jsonl：12 個範例，約 1,000 個 token（o200k_base），最長的範例 90：8 個錯誤、0 個警告"
    )
    assert "错误[S309]" in checked(role(1)).text(lang="zh-Hans")


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_language_has_every_word_with_the_same_places():
    tables = tomllib.loads(files("finetune_lib.pages").joinpath("wording.toml").read_text(encoding="utf-8"))
    english = {key: text for key, text in tables["en"].items() if not key.endswith("_one")}
    for lang in ("zh-Hant", "zh-Hans"):
        assert {key: fields(text) for key, text in tables[lang].items()} == {k: fields(t) for k, t in english.items()}
        assert not [key for key, text in english.items() if tables[lang][key] == text]


def test_every_word_is_used():
    source = "".join(
        path.read_text(encoding="utf-8")
        for room in ("pages", "data/diagnostics", "data/browsing", "data/measuring", "data/previewing", "cli")
        for path in (ROOT / "src" / "finetune_lib" / room).glob("*.py")
    )
    made_up = re.compile(
        "(error|warning|info)(s|s_counted|_only)|at_(line|row|cell)s?|safe|unsafe|token_(read|learned|cut)|.*_one"
    )
    assert [w for w in words("en") if not re.search(f"[\"']{w}[\"']", source) and not made_up.fullmatch(w)] == []


def test_an_explanation_shows_both_examples_in_the_language():
    text = ft.explain("J204", lang="zh-Hant")
    assert text.startswith("J204 trailing-comma (錯誤)")
    assert "有此問題:" in text
    assert "error" not in text


def test_a_diff_names_lines_codes_and_both_sides():
    change = Change(Origin("d", line=4), ("J204",), "safe", '{"a": 1,}', '{"a": 1}')
    text = checked(role(1), changes=lambda: [change]).diff()
    assert text.splitlines()[2:] == ["@@ -4,1 +4,1 @@ J204 (safe)", '-{"a": 1,}', '+{"a": 1}']


# The report as a page


def test_the_report_page_groups_folds_and_counts():
    page = checked(*map(role, range(1, 120)), tally={("S309", "error"): 5000}).to_html(lang="en")
    assert page.count("<li>") == 100
    assert "4,997 more" in page
    assert "lines 101–119" in page
    assert "4,881 more that are counted only" in page


def test_the_report_page_marks_the_quote_and_needs_no_script():
    finding = diagnose("J204", Origin("d", line=1), quote=quote('{"a": <b>,}', 9), column=10)
    page = checked(finding).to_html(lang="zh-Hant")
    assert '<mark class="quoted">,</mark>' in page
    assert "&lt;b&gt;" in page
    assert "<script" not in page
    assert "script-src 'none'" in page
    assert '<html lang="zh-Hant">' in page


def test_a_report_without_findings_says_so():
    assert "Nothing was found." in checked().to_html(lang="en")


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_notebooks_speak_the_language_of_the_locale(monkeypatch, lang):
    monkeypatch.setenv("FINETUNE_LIB_LANG", lang)
    data = ft.Dataset.from_rows([{"prompt": "q", "completion": "a"}])
    shown = {"en": "1 example", "zh-Hant": "1 個範例", "zh-Hans": "1 条样本"}[lang]
    assert shown in data._repr_html_()
    assert words(lang)["show"] in data.validate()._repr_html_()
    assert words(lang)["median"] in str(data.stats())
    assert words(lang)["median"] in data.stats()._repr_html_()


def test_a_dataset_in_a_notebook_shows_the_first_examples_cut():
    data = ft.Dataset.from_rows([{"prompt": "長" * 1000, "completion": HOSTILE}] * 12)
    html = data._repr_html_()
    assert html.count('scope="row"') == 10
    assert "長" * 400 + "…" in html
    assert "長" * 401 not in html
    assert "<img" not in html
    assert "2 more" in html


# SARIF 2.1.0


def sarif_of(*findings, **options):
    return json.loads(sarif(checked(*findings), lang="en", **options))["runs"][0]


def test_sarif_has_the_shape_of_its_standard():
    """SARIF 2.1.0 (OASIS), sections 3.13, 3.19, 3.27, 3.28, 3.30, 3.49."""
    first = diagnose("J204", Origin("data.jsonl", line=4), quote=quote("a,}", 1), column=2)
    copy = diagnose("D801", Origin("data.jsonl", 2, 2), related=(Origin("data.jsonl", 1, 1),), first="line 1")
    whole = diagnose("S309", Origin("data.jsonl"), role="x", meant="")
    log = json.loads(checked(first, copy, whole, diagnose("J212", Origin("data.jsonl", line=1))).to_sarif())
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", uri)
            region = place["physicalLocation"].get("region", {"startLine": 1})
            assert all(isinstance(number, int) and number >= 1 for number in region.values())
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 2}
    assert "region" not in run["results"][2]["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("資料 1.jsonl", "%E8%B3%87%E6%96%99%201.jsonl"),
        ("C:\\data\\a.jsonl", "C%3A/data/a.jsonl"),
        ("/etc/a", "etc/a"),
        ("\udc80", "%3F"),
        ("", "dataset"),
    ],
)
def test_sarif_names_files_as_relative_references(source, uri):
    finding = diagnose("S309", Origin(source, 1, 1), role="x", meant="")
    place = sarif_of(finding)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


def test_sarif_can_name_the_file_in_its_repository():
    result = sarif_of(role(1), path="data/train/data.jsonl")["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "data/train/data.jsonl"


def test_sarif_knows_a_finding_again_on_another_line():
    first, moved, other = (
        sarif_of(f)["results"][0]["partialFingerprints"] for f in (role(1), role(9), role(1, role="b"))
    )
    assert first == moved != other


def test_pages_open_from_a_file_with_a_harmless_name(monkeypatch):
    from finetune_lib.pages import browser as opening

    seen = []
    monkeypatch.setattr(opening.webbrowser, "open", seen.append)
    path = opening.shown_in_browser("<p>頁", name="../a\0:*?" + "長" * 300 + ".jsonl")
    assert path.read_text(encoding="utf-8") == "<p>頁"
    assert seen == [path.as_uri()]
    assert len(path.name) < 100

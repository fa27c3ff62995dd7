"""Radicals and ligatures that PDFs leave in a text: named, mended unasked, and let alone where they are meant."""

from __future__ import annotations

import json

import pytest

import finetune_lib as ft

MENDED = {
    "⾏動電源可以託運嗎？": "行動電源可以託運嗎？",
    "隨⾝攜帶": "隨身攜帶",
    "⻑沙⾏⾞時間": "長沙行車時間",
    "⻋票": "车票",
    "請洽⼆號⾨": "請洽二號門",
    "the oﬃce of the ﬁrst floor": "the office of the first floor",
    "⼿荷物はどこ": "手荷物はどこ",
}
MEANT = [
    "部首⾏與⾨",
    "⼀⼁⼂⼃",
    "⾏",
    "⾨ 是什麼部首？",
    "U+2F8F is ⾏ in Kangxi",
    "the ligature ﬁ",
    "ﬁ ﬂ",
    "行動電源",
    "Ⅳ ㎏ ①",
]


def data_of(text: str) -> ft.Dataset:
    rows = [{"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "好的，沒問題。"}]}]
    return ft.Dataset.from_rows(rows)


def findings(data: ft.Dataset) -> list:
    return [finding for finding in data.validate().diagnostics if finding.code == "E150"]


@pytest.mark.parametrize("text", MENDED)
def test_they_are_named_and_mended(text):
    data = data_of(text)
    (finding,) = findings(data)
    assert (finding.severity, finding.path) == ("warning", "/messages/0/content")
    fixed = data.fix()
    assert fixed[0].data["messages"][0]["content"] == MENDED[text]
    assert not findings(fixed)


def test_the_finding_names_the_character_and_the_usual_one():
    (finding,) = findings(data_of("⾏動電源，隨⾝攜帶"))
    assert "2 character(s)" in finding.message
    assert "U+2F8F KANGXI RADICAL WALK ENCLOSURE" in finding.message
    assert "“行”" in finding.message


@pytest.mark.parametrize("text", MEANT)
def test_what_is_meant_is_let_alone(text):
    data = data_of(text)
    assert not findings(data)
    assert data.fix()[0].data == data[0].data


def test_a_file_of_many_plain_rows_is_mended_too(tmp_path):
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"第{n}題：隨⾝攜帶？"},
                {"role": "assistant", "content": f"是{n}。"},
            ]
        }
        for n in range(300)
    ]
    path = tmp_path / "faq.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    data = ft.Dataset.load(path)
    assert data.validate().count("E150") == 300
    assert [row.prompt for row in data.fix()] == [f"第{n}題：隨身攜帶？" for n in range(300)]


def test_completions_are_looked_at_too():
    data = ft.Dataset.from_rows([{"prompt": "⾏動電源？", "completion": "隨⾝攜帶。"}])
    assert len({finding.path for finding in findings(data)}) == len(findings(data)) == 2

"""Documents of all kinds become sections that tell where they stand, and what cannot be read says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

import finetune_lib as ft
from finetune_lib.data.documents import Place, Section, passages_in, read_documents
from finetune_lib.tokens import counter_for


@pytest.fixture
def pdf(tmp_path: Path) -> Callable[..., Path]:
    """A PDF with these lines on its pages; an entry of the outline leads to a page."""

    def write(*pages: str, outline: dict[int, str] | None = None, password: str | None = None) -> Path:
        pdfmetrics.registerFont(UnicodeCIDFont("MSung-Light"))
        path = tmp_path / "handbook.pdf"
        canvas = Canvas(str(path), encrypt=password)
        for number, page in enumerate(pages, start=1):
            canvas.setFont("MSung-Light", 12)
            if title := (outline or {}).get(number):
                canvas.bookmarkPage(title)
                canvas.addOutlineEntry(title, title)
            for row, line in enumerate(page.split("\n")):
                canvas.drawString(50, 780 - 20 * row, line)
            canvas.showPage()
        canvas.save()
        return path

    return write


def told(paths: object) -> list[tuple[str, str]]:
    return [(str(section.place), section.text) for section in read_documents(paths)]  # type: ignore[arg-type]


def test_a_pdf_is_read_page_by_page_under_the_titles_of_its_outline(pdf):
    path = pdf(
        "請假應於三日前提出。", "病假每年三十日。", "Remote work is allowed.", outline={1: "第一章 請假", 3: "Remote"}
    )
    assert told(path) == [
        ("handbook.pdf, p. 1, 第一章 請假", "請假應於三日前提出。"),
        ("handbook.pdf, p. 2, 第一章 請假", "病假每年三十日。"),
        ("handbook.pdf, p. 3, Remote", "Remote work is allowed."),
    ]
    assert [section.place.link for section in read_documents(path)][1] == f"{path.as_uri()}#page=2"


def test_lines_of_a_pdf_are_joined_to_paragraphs(pdf):
    (section,) = read_documents(
        pdf(
            "未休完之特休假得折算工資，折算方式依法令規定由人事\n部門計算。\n"
            "Employees who work from home shall tell their super-\nvisor before noon of the day.\n"
            "- 病假：三十日\n- 事假：十四日"
        )
    )
    assert section.text.split("\n") == [
        "未休完之特休假得折算工資，折算方式依法令規定由人事部門計算。",
        "Employees who work from home shall tell their supervisor before noon of the day.",
        "- 病假：三十日",
        "- 事假：十四日",
    ]


def test_what_stands_on_each_page_is_told_once_and_nothing_is_lost(pdf):
    rules = [f"第{n}條 一\n第{n}條 二\n第{n}條 三" for n in "甲乙丙丁"]
    pages = [f"員工手冊\n{rule}\n第 {number} 頁" for number, rule in enumerate(rules, start=1)]
    found = [section.text for section in read_documents(pdf(*pages))]
    assert found == [f"員工手冊\n{rules[0]}\n第 1 頁", *rules[1:]]


def test_radicals_and_ligatures_of_a_font_are_the_usual_characters(pdf):
    (section,) = read_documents(pdf("⾏李⼆⼗三公⽄，⻑途⻄行"))
    assert section.text == "行李二十三公斤，長途西行"


def test_scanned_pages_are_refused_with_the_way_on(pdf):
    with pytest.raises(ft.ReadError, match=r"handbook\.pdf: 2 of 3 pages hold no text \(pages 1, 3\).*OCR"):
        list(read_documents(pdf("", "text", "")))


def test_a_protected_pdf_says_so(pdf):
    with pytest.raises(ft.ReadError, match=r"handbook\.pdf: .*password"):
        list(read_documents(pdf("secret", password="xyz")))


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
def test_damaged_documents_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"%PDF-1.7 and then nothing")
    with pytest.raises(ft.ReadError, match=rf"{re.escape(name)}: it cannot be read as {name[2:].upper()}"):
        list(read_documents(tmp_path))


def test_word_has_headings_paragraphs_and_tables_in_their_order(tmp_path):
    document = Document()
    document.add_paragraph("前言在標題之前。")
    document.add_heading("請假", level=1)
    document.add_paragraph("請假應於三日前提出。")
    table = document.add_table(rows=2, cols=3)
    for place, text in enumerate(["假別", "天數", "薪資", "病假", "三十日", "半薪"]):
        table.cell(place // 3, place % 3).text = text
    table.add_row().cells[0].merge(table.rows[2].cells[1]).text = "其他"
    document.add_paragraph("逾期不受理。")
    document.add_heading("加班", level=2)
    document.add_paragraph("須經主管同意。")
    document.save(str(tmp_path / "a.docx"))
    assert told(tmp_path / "a.docx") == [
        ("a.docx", "前言在標題之前。"),
        ("a.docx, 請假", "請假應於三日前提出。\n\n假別 | 天數 | 薪資\n病假 | 三十日 | 半薪\n其他\n\n逾期不受理。"),
        ("a.docx, 加班", "須經主管同意。"),
    ]


PAGE = """<!doctype html><html><head><title>T</title><meta charset="{charset}"><style>p {{}}</style></head><body>
<nav><a href="/">首頁</a></nav><p>前言</p>
<h1 id="bags">行李 <em>規定</em></h1><p>限重
23 公斤。<br>超過要付費。</p><ul><li>甲</li><li>乙</li></ul>
<table><tr><th>艙等</th><th>重量</th></tr><tr><td>經濟</td><td>23</td></tr></table>
<script>var x = "<p>沒有</p>"</script><!-- 也沒有 -->
<h2><a name="pets"></a>寵物</h2><div>要先<b>申請</b>。</div><pre>a
  b</pre></body></html>"""


@pytest.mark.parametrize("charset", ["utf-8", "big5", "gb18030"])
def test_a_page_has_its_text_and_not_what_is_for_machines(tmp_path, charset):
    path = tmp_path / "a.html"
    path.write_bytes(PAGE.format(charset=charset).encode(charset))
    sections = list(read_documents(path))
    assert [(section.place.heading, section.text) for section in sections] == [
        ("", "前言"),
        ("行李 規定", "限重 23 公斤。\n超過要付費。\n甲\n乙\n艙等 | 重量\n經濟 | 23"),
        ("寵物", "要先申請。\na\nb"),
    ]
    assert [section.place.link for section in sections[1:]] == [f"{path.as_uri()}#bags", f"{path.as_uri()}#pets"]


def test_markdown_begins_a_section_at_each_heading_but_not_in_code(tmp_path):
    (tmp_path / "a.md").write_text(
        "# 行李\n\n限重。\n\n```sh\n# no heading\n```\n\n## 寵物 ##\n要申請。\n# 空的\n", encoding="utf-8"
    )
    assert told(tmp_path / "a.md") == [
        ("a.md, 行李", "限重。\n\n```sh\n# no heading\n```"),
        ("a.md, 寵物", "要申請。"),
    ]


def test_texts_are_read_in_their_encoding_and_empty_ones_hold_nothing(tmp_path):
    (tmp_path / "a.txt").write_bytes("登機門在起飛前十分鐘關閉，請提早抵達登機門。".encode("cp950"))
    (tmp_path / "b.txt").write_bytes("\ufeff行李".encode("utf-16"))
    (tmp_path / "c.md").write_bytes(b"")
    (tmp_path / "d.md").write_text("<table><tr><td>x</td></tr></table>", encoding="utf-8")
    assert [text for _, text in told(tmp_path)] == [
        "登機門在起飛前十分鐘關閉，請提早抵達登機門。",
        "行李",
        "<table><tr><td>x</td></tr></table>",
    ]


def test_documents_of_other_kinds_are_named(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "~$a.docx").write_bytes(b"what Word leaves while a document is open")
    (tmp_path / ".hidden.md").write_text("x")
    (tmp_path / "data.csv").write_text("x")
    (tmp_path / "a.txt").write_text("text")
    with pytest.warns(UserWarning, match=r"not read: deep.old\.doc\. Save it as \.docx or PDF"):
        assert told(tmp_path) == [("a.txt", "text")]
    with pytest.raises(ft.ReadError, match=r"old\.doc: a document is one of \.pdf, \.docx"):
        list(read_documents(tmp_path / "deep" / "old.doc"))
    with pytest.raises(ft.ReadError, match=r"no\.pdf: No such file"):
        list(read_documents(tmp_path / "no.pdf"))


def test_passages_are_as_long_as_asked_for_and_nothing_is_lost():
    place = Place(Path("a.md"), heading="T")
    text = "\n\n".join(["這是一句話。" * 30, "word " * 200, "無" * 900])
    pieces = list(passages_in([Section(place, text)], tokens=100))
    count = counter_for(None).count
    assert max(count(piece.text) for piece in pieces) <= 300  # a run without any break is cut by characters
    assert {piece.place for piece in pieces} == {place}
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(text.split())

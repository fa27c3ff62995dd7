"""The marked workbook: the user's own with a note in each cell that has a finding, and nothing else changed."""

import zipfile

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib.cli import main

SHEET = "問 答"
LEAKED = "請打 0912-345-678 找王先生"


@pytest.fixture
def workbook(tmp_path):
    """Ten rows; a private number in B3, an empty answer in B5, and what a workbook of people has beside."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(["問題", "答案", "備註"])
    for number in range(2, 12):
        sheet.append([f"第 {number} 題怎麼辦？", f"請到 {number} 號櫃台辦理。", f"=A{number}&B{number}"])
    sheet["B3"], sheet["B5"] = LEAKED, None
    sheet["B3"].comment = Comment("老師：再確認", "老師")
    sheet["A2"].font, sheet["B5"].fill = Font(bold=True), PatternFill("solid", fgColor="FFFF00")
    sheet["E1"].number_format = "0.0%"
    sheet.column_dimensions["A"].width = 33.5
    sheet.row_dimensions[4].height = 40
    sheet.freeze_panes = "A2"
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=3))
    sheet.add_chart(chart, "G2")
    path = tmp_path / "faq.xlsx"
    book.save(path)
    return path


def report_of(path, **options):
    return ft.Dataset.load(path, **options).validate(ignore=["T274", "T261"])


def test_each_finding_is_a_note_in_its_cell_in_the_language(workbook):
    report = report_of(workbook)
    assert {d.cell for d in report.diagnostics if d.code in ("X951", "C406")} == {f"{SHEET}!B3", f"{SHEET}!B5"}
    path = report.mark(workbook, lang="zh-Hant")
    assert path.name == "faq.marked.xlsx"
    sheet = openpyxl.load_workbook(path)[SHEET]
    assert sheet["B3"].comment.text.startswith("老師：再確認\n\n警告 X951: 個人資料：手機號碼（臺灣）")
    assert sheet["B5"].comment.text.startswith("錯誤 C406: ")
    assert "\n建議：" in sheet["B5"].comment.text
    marked = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert marked == {d.cell.rpartition("!")[2] for d in report.diagnostics if d.cell}


def test_the_last_sheet_lists_all_findings_with_links(workbook):
    report = report_of(workbook)
    book = openpyxl.load_workbook(report.mark(workbook, lang="zh-Hans"))
    assert book.sheetnames == [SHEET, "检查结果"]
    sheet = book["检查结果"]
    assert "faq.xlsx" in sheet["A1"].value
    rows = list(sheet.iter_rows(min_row=3, max_row=2 + len(report.diagnostics)))
    assert sorted((row[1].value, row[2].value or "") for row in rows) == sorted(
        (d.code, d.cell or str(d.origin.row or "")) for d in report.diagnostics
    )
    assert [row[0].value for row in rows] == sorted((row[0].value for row in rows), key=["错误", "警告", "提示"].index)
    (private,) = [row for row in rows if row[1].value == "X951"]
    assert private[2].hyperlink.location == f"'{SHEET}'!B3"


def test_everything_else_stays_as_it_was(workbook):
    before = workbook.read_bytes()
    path = report_of(workbook).mark(workbook)
    assert workbook.read_bytes() == before
    old, new = openpyxl.load_workbook(workbook)[SHEET], openpyxl.load_workbook(path)[SHEET]
    assert new["C2"].value == "=A2&B2"
    for row, other in zip(old.iter_rows(), new.iter_rows(), strict=True):
        for cell, copy in zip(row, other, strict=True):
            kept = (cell.value, cell.font.b, cell.fill.fgColor.rgb, cell.number_format)
            assert (copy.value, copy.font.b, copy.fill.fgColor.rgb, copy.number_format) == kept
    assert new.column_dimensions["A"].width == 33.5
    assert new.row_dimensions[4].height == 40
    assert new.freeze_panes == "A2"
    assert len(new._charts) == 1


def test_what_a_copy_cannot_carry_is_said(workbook):
    odd = workbook.with_name("odd.xlsx")
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(odd, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/slicers/slicer1.xml", "<slicers/>")
    path = report_of(odd).mark(odd, lang="en")
    said = [row[0].value for row in openpyxl.load_workbook(path)["Findings"].iter_rows()]
    assert said[-1] == "Not in this copy: slicers. Keep the original for them."
    path = report_of(workbook).mark(workbook, lang="en")
    assert "Not in" not in str([row[0].value for row in openpyxl.load_workbook(path)["Findings"].iter_rows()])


def test_nothing_is_replaced_unless_asked(workbook):
    report, before = report_of(workbook), workbook.read_bytes()
    report.mark(workbook)
    for output in (None, workbook):
        with pytest.raises(FileExistsError):
            report.mark(workbook, output=output)
    assert workbook.read_bytes() == before
    assert report.mark(workbook, output=workbook, overwrite=True) == workbook
    assert openpyxl.load_workbook(workbook)[SHEET]["B5"].comment


def test_merged_cells_have_their_note_in_the_first(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["prompt", "completion"])
    for number in range(10):
        book.active.append([f"q{number}", f"a{number}"])
    book.active.merge_cells("B4:B5")
    book.save(tmp_path / "faq.xlsx")
    report = report_of(tmp_path / "faq.xlsx")
    assert "T260" in {d.code for d in report.diagnostics}
    sheet = openpyxl.load_workbook(report.mark(tmp_path / "faq.xlsx", lang="en")).active
    assert "T260" in sheet["B4"].comment.text or "T260" in sheet["A5"].comment.text


def test_a_text_of_a_finding_is_no_formula(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["prompt", "completion", "=1+1"])
    for number in range(10):
        book.active.append([f"q{number}", f"a{number}", "x"])
    book.active["C1"].data_type = "s"
    book.save(tmp_path / "faq.xlsx")
    path = ft.Dataset.load(tmp_path / "faq.xlsx").validate().mark(tmp_path / "faq.xlsx", lang="en")
    cells = [cell for row in openpyxl.load_workbook(path)["Findings"].iter_rows(min_row=3) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert any("=1+1" in str(cell.value) for cell in cells)


@pytest.mark.parametrize("name", ["faq.csv", "faq.xls", "faq.jsonl"])
def test_what_is_no_workbook_of_this_kind_is_refused_with_the_way(tmp_path, workbook, name):
    path = tmp_path / name
    path.write_text("prompt,completion\nq,a\n")
    with pytest.raises(ValueError, match=r"save it as \.xlsx"):
        report_of(workbook).mark(path)


def test_another_workbook_than_that_of_the_report_is_refused(tmp_path, workbook):
    other = tmp_path / "other.xlsx"
    other.write_bytes(workbook.read_bytes())
    with pytest.raises(ValueError, match=r"about faq\.xlsx, not about other\.xlsx"):
        report_of(workbook).mark(other)


def test_a_file_that_is_no_zip_is_said(workbook):
    report = report_of(workbook)
    workbook.write_bytes(b"PK no")
    with pytest.raises(ft.DataError, match=r"faq\.xlsx cannot be copied"):
        report.mark(workbook)


def test_the_command_marks_too(workbook, capsys):
    output = workbook.with_name("out.xlsx")
    assert main(["check", str(workbook), "--mark", str(output), "--lang", "zh-Hant"]) == 1
    assert "錯誤[C406]" in capsys.readouterr().out
    assert openpyxl.load_workbook(output)[SHEET]["B5"].comment.text.startswith("錯誤 C406: ")
    assert main(["check", str(workbook), "--mark", str(output)]) == 2
    assert main(["check", str(ROOT / "examples/data/sentiment.csv"), "--mark", str(output)]) == 2

"""Workbooks as people make them: titles, merged and hidden cells, formulas, dates, several sheets."""

import struct
import zipfile
from io import BytesIO

import pytest
from openpyxl import Workbook
from openpyxl.xml import LXML
from tests.files import workbook

from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.blob import MemoryBlob
from finetune_lib.data.reading.options import Options
from finetune_lib.data.reading.tables import read_excel

HEADER = ["問題", "答案"]


def book(*rows, title="問答", merged=(), formats=(), hidden=()):
    made = Workbook()
    sheet = made.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    for cell, form in dict(formats).items():
        sheet[cell].number_format = form
    for row in hidden:
        sheet.row_dimensions[row].hidden = True
    return made


def content(made):
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def read(made, **options):
    raw = made if isinstance(made, bytes) else content(made)
    return read_excel(MemoryBlob(raw), Options(**options), source="問答.xlsx")


def refused(made, **options):
    with pytest.raises(ReadError) as caught:
        read(made, **options)
    return caught.value.diagnostic


def pairs(reading):
    return [(example.data["prompt"], example.data["completion"]) for example in reading.examples]


def found(reading, *severities):
    wanted = severities or ("error", "warning")
    return [(d.code, d.cell) for d in reading.problems if d.severity in wanted]


# The whole way


def taiwanese():
    """A workbook as an office in Taiwan keeps it, with one thing of each kind that goes wrong."""
    made = Workbook()
    sheet = made.active
    sheet.title = "問答"
    sheet["A1"] = "桃園機場 客服問答集（114 年 3 月版）"
    sheet.merge_cells("A1:E1")
    sheet["A2"], sheet["B2"] = "製表：", "王小明"
    rows = [
        ["編號", "類　別", "　問題", "標準答案　", "備註"],
        [1, "登機", "幾點登機？", "起飛前 30 分鐘。", None],
        [2, None, "登機門在哪？", "看登機證。", None],
        ["二、退稅"],
        [3, "退稅", "退多少？", 0.05, None],
        [4, None, "退稅櫃檯在哪？", "=B3", None],
        [5],
    ]
    for number, row in enumerate(rows, start=4):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column, value)
    for cells in ("B5:B6", "A7:E7", "B8:B9"):
        sheet.merge_cells(cells)
    sheet["D8"].number_format = "0%"
    notes = made.create_sheet("說明")
    notes["A1"] = "請勿修改欄位名稱"
    old = made.create_sheet("舊版")
    old.append(HEADER)
    old.append(["q", "a"])
    return made


def test_a_workbook_of_an_office_becomes_clean_by_the_messages_alone():
    made = taiwanese()
    ambiguous = refused(made)
    assert ambiguous.code == "T257"
    assert "sheet='問答'" in ambiguous.hint
    reading = read(made, sheet="問答")
    assert found(reading) == [("T260", "問答!A7"), ("T259", "問答!D9"), ("T278", "問答!A10")]
    assert ("T279", "問答!D8") in found(reading, "info")
    assert found(reading, "error") == [("T259", "問答!D9")]
    made["問答"]["D9"] = "一樓大廳。"
    reading = read(made, sheet="問答")
    assert found(reading, "error") == []
    assert pairs(reading) == [
        ("幾點登機？", "起飛前 30 分鐘。"),
        ("登機門在哪？", "看登機證。"),
        ("退多少？", "5%"),
        ("退稅櫃檯在哪？", "一樓大廳。"),
    ]
    assert [example.category for example in reading.examples] == ["登機", "登機", "退稅", "退稅"]
    assert reading.examples[3].origin.cells["/completion"] == "問答!D9"


def test_titles_above_the_header_are_told():
    reading = read(taiwanese(), sheet="問答")
    note = next(d for d in reading.problems if d.code == "T258")
    assert (note.severity, note.cell, note.args["count"]) == ("info", "問答!A1", 2)
    assert "桃園機場" in note.message


# Sheets


def two_sheets(second, state="visible"):
    made = book(HEADER, ["q", "a"])
    other = made.create_sheet("其他")
    other.sheet_state = state
    for row in second:
        other.append(row)
    return made


def test_the_only_sheet_with_a_header_is_chosen_and_told():
    reading = read(two_sheets([["使用說明"], ["請勿修改"]]))
    assert pairs(reading) == [("q", "a")]
    assert ("T257", "問答!A1") in found(reading, "info")


def test_columns_may_tell_which_sheet_is_meant():
    made = two_sheets([["Frage", "Antwort"], ["f", "w"]])
    assert pairs(read(made, columns={"prompt": "Frage", "completion": "Antwort"})) == [("f", "w")]


def test_several_sheets_with_the_same_header_ask_for_one():
    diagnostic = refused(two_sheets([HEADER, ["q2", "a2"]]))
    assert (diagnostic.code, diagnostic.severity) == ("T257", "error")
    assert "問答, 其他" in diagnostic.message


def test_a_sheet_by_name():
    assert pairs(read(two_sheets([HEADER, ["q2", "a2"]]), sheet="其他")) == [("q2", "a2")]
    assert refused(two_sheets([]), sheet="無").code == "T276"


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_told_and_not_read(state):
    reading = read(two_sheets([HEADER, ["q2", "a2"]], state))
    assert pairs(reading) == [("q", "a")]
    assert found(reading, "info")[0] == ("T263", "其他!A1")
    assert pairs(read(two_sheets([HEADER, ["q2", "a2"]], state), sheet="其他")) == [("q2", "a2")]


def test_empty_sheets_and_charts_do_not_matter():
    made = two_sheets([])
    made.create_chartsheet("圖")
    assert pairs(read(made)) == [("q", "a")]


@pytest.mark.parametrize("rows", [[], [[None, " "]], [HEADER]])
def test_a_workbook_without_rows_is_empty(rows):
    assert refused(book(*rows)).code == "E101"


# Merged cells


def test_a_category_is_carried_down_and_told_once():
    reading = read(book(["類別", *HEADER], ["x", "q", "a"], [None, "q2", "a2"], [None, "q3", "a3"], merged=["A2:A4"]))
    assert [example.category for example in reading.examples] == ["x", "x", "x"]
    assert found(reading, "info", "warning") == [("T251", "問答!A1"), ("T275", "問答!A3")]


def test_without_merged_cells_nothing_is_carried():
    reading = read(book(["類別", *HEADER], ["x", "q", "a"], [None, "q2", "a2"]))
    assert [example.category for example in reading.examples] == ["x", None]


@pytest.mark.parametrize(
    ("rows", "cells", "cell"), [(["q", "a", None, "b"], "A2:A3", "A3"), (["q", "a", "r", None], "B2:B3", "B3")]
)
def test_a_question_or_answer_is_never_carried_down(rows, cells, cell):
    reading = read(book(HEADER, rows[:2], rows[2:], ["z", "z"], merged=[cells]))
    assert pairs(reading) == [("q", "a"), ("z", "z")]
    assert found(reading) == [("T260", f"問答!{cell}")]
    assert found(reading, "error")


def test_rows_merged_across_are_headings():
    reading = read(book(HEADER, ["一、行李", None], ["q", "a"], merged=["A2:B2"]))
    assert pairs(reading) == [("q", "a")]
    assert found(reading, "warning") == [("T260", "問答!A2")]


def test_a_header_over_two_rows():
    above = [["類別", "對話", None], [None, *HEADER], ["x", "q", "a"]]
    reading = read(book(*above, merged=["A1:A2", "B1:C1"]))
    assert (pairs(reading), reading.examples[0].category) == ([("q", "a")], "x")
    below = [[*HEADER, "分類"], [None, None, "大類"], ["q", "a", "x"]]
    reading = read(book(*below, merged=["A1:A2", "B1:B2"]))
    assert (pairs(reading), reading.examples[0].category) == ([("q", "a")], "x")


# Cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (2.5, "2.5"),
        (-3.0, "-3"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (1234567.25, "1234567.25"),
        (True, "TRUE"),
        ("007", "007"),
        (" x ", " x "),
        ("一行\n二行", "一行\n二行"),
        ("一行_x000D_\n二行", "一行\n二行"),
    ],
)
def test_cells_are_what_people_see(value, text):
    reading = read(book(HEADER, ["q", value]))
    assert pairs(reading) == [("q", text)]
    assert found(reading) == []


@pytest.mark.parametrize("form", ["0.0", "_(* #,##0_);_(* (#,##0)", "@", "General", "yyyy-mm-dd"])
def test_ordinary_formats_are_no_matter(form):
    assert found(read(book(HEADER, ["q", 46356.5], formats={"B2": form}))) == []


def test_a_number_beyond_excels_digits_is_doubtful():
    reading = read(book(HEADER, ["q", 12345678901234567890]))
    assert found(reading) == [("T256", "問答!B2")]


def test_a_formula_without_a_result_leaves_its_row_out():
    reading = read(book(HEADER, ["q", '=CONCAT("a","b")'], ["q2", "a2"]))
    assert pairs(reading) == [("q2", "a2")]
    assert found(reading, "error") == [("T259", "問答!B2")]
    assert '=CONCAT("a","b")' in next(d for d in reading.problems if d.code == "T259").args["text"]


def test_an_error_leaves_its_row_out_and_names_itself():
    made = book(HEADER, ["q", "#REF!"], ["q2", "a2"])
    made.active["B2"].data_type = "e"
    reading = read(made)
    assert pairs(reading) == [("q2", "a2")]
    assert [(d.cell, d.args["text"]) for d in reading.problems if d.severity == "error"] == [("問答!B2", "#REF!")]


def test_an_error_in_a_column_that_is_not_used_is_no_matter():
    made = book([*HEADER, "備註"], ["q", "a", "=A1"])
    assert found(read(made)) == []


def test_a_saved_formula_is_its_result():
    empty = b"<v></v>" if LXML else b"<v />"  # as openpyxl writes it with lxml, and without
    raw = with_part(content(book(HEADER, ["q", "=1+1"])), empty, b"<v>2</v>")
    assert pairs(read(raw)) == [("q", "2")]


def with_part(raw, old, new, part="xl/worksheets/sheet1.xml"):
    """A workbook with something else in one of its parts, as other programs write it."""
    source, target = zipfile.ZipFile(BytesIO(raw)), BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            assert name != part or old in data
            archive.writestr(name, data.replace(old, new) if name == part else data)
    return target.getvalue()


def test_hidden_rows_are_read_and_told():
    reading = read(book(HEADER, ["q", "a"], ["q2", "a2"], [None, None], hidden=[3, 4]))
    assert len(reading.examples) == 2
    note = next(d for d in reading.problems if d.code == "T263")
    assert (note.severity, note.cell, note.args["names"]) == ("info", "問答!A3", "問答!3:3")


def test_hidden_columns_that_are_used_are_told():
    made = book([*HEADER, "備註"], ["q", "a", "n"])
    for column in "BC":
        made.active.column_dimensions[column].hidden = True
    reading = read(made)
    assert pairs(reading) == [("q", "a")]
    notes = [(d.severity, d.cell, d.args["names"]) for d in reading.problems if d.code == "T263"]
    assert notes == [("info", "問答!B1", "問答!B:B")]


def test_a_cell_far_outside_is_refused_before_it_eats_the_memory():
    made = book(HEADER, ["q", "a"])
    made.active["XFD1048576"] = "x"
    diagnostic = refused(made)
    assert diagnostic.code == "T277"
    assert "問答!XFD1048576" in diagnostic.message


def test_a_date_that_no_calendar_has_is_named():
    dates = dict.fromkeys(("C2", "C3"), "yyyy-mm-dd")
    made = book([*HEADER, "日期"], ["q", "a", 45_000], ["q2", "a2", -1e12], formats=dates)
    diagnostic = refused(made)
    assert diagnostic.code == "T287"
    assert "問答!C3" in diagnostic.message


def test_a_number_as_large_is_no_date():
    named = dict(zip(("prompt", "completion"), HEADER, strict=True))
    assert pairs(read(book([*HEADER, "金額"], ["q", "a", -1e12]), columns=named)) == [("q", "a")]


def test_a_cut_text_is_doubtful():
    assert found(read(book(HEADER, ["q", "字" * 32_767]))) == [("T264", "問答!B2")]


def test_tables_may_begin_anywhere():
    made = Workbook()
    for cell, value in {"C3": "問題", "D3": "答案", "C5": "q", "D5": "a"}.items():
        made.active[cell] = value
    reading = read(made)
    assert reading.examples[0].origin.row == 1
    assert dict(reading.examples[0].origin.cells) == {"": "Sheet!C5", "/prompt": "Sheet!C5", "/completion": "Sheet!D5"}


def test_preference_rows_know_their_cells():
    reading = read(book(["問題", "系統提示", "較佳回答", "較差回答"], ["q", "s", "good", "bad"]))
    cells = reading.examples[0].origin.cells
    assert cells["/input/messages/1/content"] == "問答!A2"
    assert cells["/preferred_output/0/content"] == "問答!C2"
    assert cells["/non_preferred_output/0/content"] == "問答!D2"


@pytest.mark.parametrize("keep", [60, 800])
def test_a_damaged_workbook_is_told(keep):
    raw = content(book(HEADER, ["q", "a"]))
    assert refused(raw[:keep]).code == "E112"


def test_an_old_workbook_that_ends_inside_its_directory_is_told():
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    sizes = (0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    head = struct.pack("<8s16x5H6x10I", bytes.fromhex("d0cf11e0a1b11ae1"), *sizes).ljust(512, b"\xff")
    sectors = struct.pack("<3I", 0xFFFFFFFD, end, free).ljust(512, b"\xff")
    assert refused(head + sectors + bytes(68)).code == "E112"


def test_a_workbook_from_text_is_read_as_one_from_excel():
    made = workbook("[問答]\n問題\t答案\nq\t2\n")
    assert pairs(read(made)) == [("q", "2")]

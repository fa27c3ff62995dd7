"""Which columns are proposed for question and answer, which tables are explained instead, and what a grader keeps."""

import csv
import json
import re

import pytest
from tests.files import SHARED, workbook

import finetune_lib as ft

CASES = SHARED / "cases" / "columns"
WORKING = 'columns={"prompt": \''  # a line to copy


@pytest.fixture
def table(tmp_path):
    def table(header, rows, name="table.csv"):
        path = tmp_path / name
        if name.endswith(".xlsx"):
            workbook("[S]\n" + "\n".join("\t".join(row) for row in [header, *rows])).save(path)
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([header, *rows])
        return path

    return table


@pytest.fixture
def refused(table):
    def refused(*content, **options):
        with pytest.raises(ft.ReadError) as caught:
            ft.Dataset.load(table(*content), **options)
        return caught.value.diagnostic

    return refused


def proposed(found):
    """The columns of the line to copy; None where there is none."""
    match = re.search(r"""columns=\{"prompt": ('[^']*'), "completion": ('[^']*')\}""", found.hint)
    return match and (match[1][1:-1], match[2][1:-1])


def shared_tables():
    if not CASES.is_dir():
        return []
    lines = [line for name in ("tables", "real_tables") for line in (CASES / f"{name}.jsonl").open(encoding="utf-8")]
    return [json.loads(line) for line in lines]


# The tables are no part of the repository; each rule is tried above or below with a table that is.
@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize("case", shared_tables(), ids=lambda case: case["name"])
def test_the_shared_tables_are_proposed_rightly_or_not_at_all(case, table):
    try:
        data = ft.Dataset.load(table(case["header"], case["rows"]))
    except ft.ReadError as error:
        found, wanted = error.diagnostic, case["want"]
        assert proposed(found) == (tuple(wanted[1:]) if wanted[0] in ("pair", "label") else None)
        if wanted[0].startswith("conversation"):  # two columns of them, or nothing that parts them
            assert found.code in ("T306", "T307")
        return
    loaded = {d.code for d in data.problems} & {"T251", "T300", "T301", "T302", "T303"}
    kinds = {"pair": "T251", "conversation-long": "T300", "conversation-wide": "T301", "conversation-cell": "T302"}
    assert loaded == {{**kinds, "choice": "T303"}[case["want"][0]]}


ASKED = ["怎麼申請退費？", "可以開三聯式發票嗎", "如何修改收貨地址？", "週日有營業嗎？", "忘記密碼怎麼辦"]
TOLD = [
    "請至會員中心填寫退費單，三個工作天內處理。",
    "可以，結帳時填寫統一編號與抬頭即可。",
    "出貨前請來電客服，我們協助更改。",
    "週日照常營業，時間為十一點到九點。",
    "請按忘記密碼，系統會寄出重設連結。",
]
DAYS = [f"2026/3/{day}" for day in range(1, 6)]
IDS = [f"A-{number}" for number in range(1, 6)]
PEOPLE = ["王小明", "陳怡君", "林志豪", "張雅婷", "李建國"]
ENGLISH = [
    "How do I get a refund?",
    "Can I have an invoice",
    "Where do I change my address?",
    "Are you open on Sunday?",
    "I forgot my password",
]


@pytest.mark.parametrize(
    ("names", "columns", "right"),
    [
        (["時間戳記", "您的疑問", "答覆（必填）", "部門"], [DAYS, ASKED, TOLD, PEOPLE], ("您的疑問", "答覆（必填）")),
        (["案號", "承辦", "處理結果", "民眾反映"], [IDS, PEOPLE, TOLD, ASKED], ("民眾反映", "處理結果")),
        (["日期", "问句内容", "标准话术", "更新人员"], [DAYS, ASKED, TOLD, PEOPLE], ("问句内容", "标准话术")),
        (["Created", "Issue", "Resolution notes"], [DAYS, ENGLISH, TOLD], ("Issue", "Resolution notes")),
        (["c1", "c2", "c3"], [DAYS, ASKED, TOLD], ("c2", "c3")),
        (["upper", "lower"], [TOLD, ASKED], ("lower", "upper")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["table.csv", "table.xlsx"])
def test_a_pair_is_proposed_by_evidence(refused, table, names, columns, right, name):
    rows = list(zip(*columns, strict=True))
    found = refused(names, rows, name)
    assert (found.code, proposed(found)) == ("T253", right)
    data = ft.Dataset.load(table(names, rows, name), columns=dict(zip(("prompt", "completion"), right, strict=True)))
    assert {example.prompt for example in data} == set(columns[names.index(right[0])])


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["時間", "姓名", "電話"], [DAYS, PEOPLE, [f"0912-345-67{n}" for n in range(5)]]),
        (["question_zh", "舊版說明", "新版說明"], [ASKED, TOLD, TOLD[::-1]]),
        (["中文", "English"], [ASKED, ENGLISH]),
        (["您滿意這門課嗎？", "我們可以改進什麼？"], [TOLD, TOLD[::-1]]),
        (["品名", "介紹"], [PEOPLE, TOLD]),
        (["編號", "常見疑問"], [["1", "2", "3", "4", "5"], ASKED]),
    ],
)
def test_what_may_be_meant_otherwise_is_not_proposed(refused, names, columns):
    found = refused(names, list(zip(*columns, strict=True)))
    assert (found.code, proposed(found)) == ("T253", None)
    assert WORKING not in found.hint
    for name, column in zip(names, columns, strict=True):
        assert f"{name} (" in found.message
        assert column[0] in found.message


def test_what_a_column_holds_is_told_in_the_language(refused):
    found = refused(["時間", "姓名"], list(zip(DAYS, PEOPLE, strict=True)))
    assert "時間 (dates, 2026/3/1), 姓名 (names, 王小明)" in found.texts("en").message
    assert "時間 (日期, 2026/3/1), 姓名 (名字, 王小明)" in found.texts("zh-Hant").message


def test_a_table_without_names_proposes_none_of_its_rows(refused):
    found = refused([ASKED[0], TOLD[0]], list(zip(ASKED[1:], TOLD[1:], strict=True)))
    assert (found.code, proposed(found)) == ("T253", None)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_are_refused_with_the_same_words(library):
    frames = pytest.importorskip(library)
    make = frames.table if library == "pyarrow" else frames.DataFrame
    with pytest.raises(ft.ReadError) as caught:
        ft.Dataset.from_rows(make({"時間戳記": DAYS, "您的疑問": ASKED, "答覆建議": TOLD}))
    assert (caught.value.diagnostic.code, proposed(caught.value.diagnostic)) == ("T253", ("您的疑問", "答覆建議"))


def test_rows_of_known_formats_stay_what_they_are():
    polars = pytest.importorskip("polars")
    rows = [{"text": "Once upon a time"}, {"text": "there was"}]
    assert [dict(example.data) for example in ft.Dataset.from_rows(polars.DataFrame(rows))] == rows


# Tables that another program has put into cells


def test_lines_of_jsonl_saved_by_a_spreadsheet(refused, tmp_path):
    line = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
    assert refused([line], [[line], [line]]).code == "T311"
    assert refused(line.split(", "), [line.split(", ")] * 2).code == "T311"
    assert refused([line], [[line], [line]], "table.xlsx").code == "T311"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_lines_that_are_quoted_whole(tmp_path, mark):
    path = tmp_path / "quoted.csv"
    rows = "".join(f'"第{n}個問題？{mark}答案{n}"\n' for n in range(5))
    path.write_text(f'"prompt{mark}completion"\n{rows}', encoding="utf-8")
    with pytest.raises(ft.ReadError) as caught:
        ft.Dataset.load(path)
    assert (caught.value.diagnostic.code, caught.value.line) == ("T312", 1)


def test_the_shared_table_of_quoted_lines():
    path = SHARED / "cases" / "data_2026_11" / "C19_double_csv.csv"
    if not path.is_file():  # it is no part of the repository; the test above tries the same with lines that are
        pytest.skip("the shared cases are not here")
    with pytest.raises(ft.ReadError, match="T312"):
        ft.Dataset.load(path)


def test_one_column_of_texts_is_no_line_in_quotes(refused):
    assert refused(["notes"], [["one, two"], ["three"], ["four"]]).code == "T253"


# A comma that parts the last cell


OPTIONAL = "問題,答案,備註\n運費?,80 元,\n退費?,七天內,\n換貨?,十天內,\n"


@pytest.mark.parametrize(
    ("row", "code"),
    [("價格?,1,200 元", "T318"), ("價格?,約 NT$1,200", "T318"), ('價格?,"1,200 元",', None), ('價格?,"1",200', None),
     ("價格?,1200 元,見官網", None), ("幾樓?,3,5 樓也有", None), ("何時?,2026,200 人", None)],
)  # fmt: skip
def test_a_number_that_a_comma_parts_is_named(tmp_path, row, code):
    path = tmp_path / "prices.csv"
    path.write_text(OPTIONAL + row + "\n", encoding="utf-8")
    data = ft.Dataset.load(path)
    assert [(d.code, d.origin.line) for d in data.problems if d.severity == "error"] == ([(code, 5)] if code else [])
    assert len(data) == 3 + (code is None)


def test_numbers_in_a_column_that_is_filled_are_cells(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("問題,答案,頁\n幾歲?,5,120\n幾樓?,3,121\n幾元?,8,122\n", encoding="utf-8")
    assert len(ft.Dataset.load(path)) == 3


# Fields for a grader


RFT = [{"messages": [{"role": "user", "content": f"{n}+1=?"}], "reference_answer": str(n + 1)} for n in range(3)]


@pytest.mark.parametrize("name", ["table.csv", "table.xlsx"])
def test_fields_for_a_grader_come_through(table, name):
    rows = [[f"{n}+1=?", str(n + 1), "easy"] for n in range(3)]
    data = ft.Dataset.load(table(["prompt", "reference_answer", "level"], rows, name))
    assert [dict(example.data) for example in data] == [{**row, "level": "easy"} for row in RFT]
    grader = {
        "type": "string_check",
        "name": "g",
        "operation": "eq",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
    }
    report = data.validate(method="reinforcement", grader=grader)
    assert {d.code for d in report.errors} <= {"K701"}
    assert data.fix(method="reinforcement")[0].data == data[0].data


def test_messages_in_a_cell_that_end_with_a_question_keep_what_stands_beside(table):
    rows = [[json.dumps(row["messages"]), row["reference_answer"]] for row in RFT]
    data = ft.Dataset.load(table(["messages", "ground_truth"], rows))
    assert data[2].data == {"messages": RFT[2]["messages"], "ground_truth": "3"}
    assert "T319" in {d.code for d in data.problems}


def test_a_missing_answer_is_a_missing_field(table):
    data = ft.Dataset.load(table(["prompt", "reference_answer"], [["1+1=?", "2"], ["2+2=?", ""]]))
    assert [dict(example.data) for example in data][1] == {"messages": [{"role": "user", "content": "2+2=?"}]}


def test_a_grader_field_under_another_name_is_told(table):
    path = table(["題目", "標準答案", "難度"], [["1+1=?", "2", "易"], ["2+2=?", "4", "易"]])
    assert ft.Dataset.load(path)[0].answer == "2"
    told = ft.Dataset.load(path, columns={"reference_answer": "標準答案"})
    assert told[0].data == {"messages": [{"role": "user", "content": "1+1=?"}], "reference_answer": "2", "難度": "易"}


def test_beside_an_answer_to_learn_a_grader_field_is_not_used(table):
    data = ft.Dataset.load(table(["prompt", "completion", "reference_answer"], [["q", "a", "r"]]))
    assert (data[0].answer, set(data[0].data)) == ("a", {"messages"})
    learned = ft.Dataset.load(table(["prompt", "reference_answer"], [["q", "r"]]),
                              columns={"prompt": "prompt", "completion": "reference_answer"})  # fmt: skip
    assert learned[0].answer == "r"

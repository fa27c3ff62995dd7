"""What people leave in tables that is no example: ditto marks, placeholders, totals, names with a lost character."""

import pytest

import finetune_lib as ft


def loaded(folder, *rows, header="prompt,completion"):
    path = folder / "data.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return ft.Dataset.load(path)


def found(data):
    return [(d.code, d.origin.line) for d in data.problems if d.severity != "info"]


@pytest.mark.parametrize("mark", ["〃", '""""', "同上", "如上。", "同上題", "ditto", "Same as above", "見上"])
def test_ditto_marks_are_named_and_kept(tmp_path, mark):
    data = loaded(tmp_path, "哪裡退稅？,一樓", f"幾點退稅？,{mark}")
    assert found(data) == [("T283", 3)]
    assert len(data) == 2


def test_a_ditto_mark_for_a_category_is_named(tmp_path):
    data = loaded(tmp_path, "q,a,登機", "r,b,〃", header="prompt,completion,category")
    assert found(data) == [("T283", 3)]


@pytest.mark.parametrize(
    "text", ["待補", "（待補）", "TBD", "todo", "見附件", "詳見附件一", "請參閱附件", "see attachment"]
)
def test_placeholders_are_named(tmp_path, text):
    assert found(loaded(tmp_path, f"哪裡退稅？,{text}")) == [("T284", 2)]


@pytest.mark.parametrize(
    "text", ["如上所示的櫃檯", "請補件", "附件要簽名", "TBD 是什麼？", "“是”", "待機", "一樓，同上圖"]
)
def test_answers_that_only_hold_such_words_are_no_matter(tmp_path, text):
    assert found(loaded(tmp_path, f"q,{text}")) == []


@pytest.mark.parametrize("row", ["合計,12", "總計：,1200 元", "Total,35%", "小計,12 件"])
def test_total_rows_are_named(tmp_path, row):
    assert found(loaded(tmp_path, "一月幾件？,12 件", row)) == [("T285", 3)]


@pytest.mark.parametrize("row", ["合計,total", "合計怎麼算？,12", "總計,十二件，含運費"])
def test_other_rows_about_totals_are_no_matter(tmp_path, row):
    assert found(loaded(tmp_path, "一月幾件？,12 件", row)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("林?賢", "林?賢"),
        ("請找林?賢經理。", "林?賢"),
        ("王志?先生已離職。", "王志?"),
        ("聯絡人：陈?宏，电话 2", "陈?宏"),
    ],
)
def test_a_name_with_a_lost_character_is_named(tmp_path, text, name):
    data = loaded(tmp_path, f"找誰？,{text}")
    assert found(data) == [("T286", 2)]
    assert [d.args["text"] for d in data.problems if d.code == "T286"] == [name]


@pytest.mark.parametrize(
    "text", ["好嗎?我想退貨", "真的?假的", "如何?請問", "是林先生嗎?王小姐呢?", "張經理在嗎?李經理呢?"]
)
def test_question_marks_between_sentences_are_no_matter(tmp_path, text):
    assert found(loaded(tmp_path, f"{text},好")) == []

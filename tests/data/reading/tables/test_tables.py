"""Tables of text: headers in three languages, delimiters, quotes that break, and cells that stay what they are."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.data.reading import ReadError
from finetune_lib.data.reading.bytes.blob import MemoryBlob
from finetune_lib.data.reading.options import Options
from finetune_lib.data.reading.tables import read_csv
from finetune_lib.data.reading.tables.headers import recognise


def read(content, name="data.csv", **options):
    blob = MemoryBlob(content if isinstance(content, bytes) else content.encode())
    return read_csv(blob, Options(**options), source=name)


def pairs(reading):
    return [(example.data["prompt"], example.data["completion"]) for example in reading.examples]


def found(reading, severity=None):
    return [(d.code, d.origin.line) for d in reading.problems if severity in (None, d.severity)]


def refused(content, **options):
    with pytest.raises(ReadError) as caught:
        read(content, **options)
    return caught.value.diagnostic


# Headers


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("prompt,completion", {"prompt": 0, "completion": 1}),
        ("Question,Answer", {"prompt": 0, "completion": 1}),
        ("問題,答案,類別", {"prompt": 0, "completion": 1, "category": 2}),
        ("问题,回复,分类", {"prompt": 0, "completion": 1, "category": 2}),
        ("備註,使用者,助理,系統提示", {"prompt": 1, "completion": 2, "system": 3}),
        ("输入,输出", {"prompt": 0, "completion": 1}),
        ("　問題　,標準 答案：", {"prompt": 0, "completion": 1}),
        ("客戶問題（必填）,客服回覆內容", {"prompt": 0, "completion": 1}),
        ("問題 Question,答案/Answer", {"prompt": 0, "completion": 1}),
        ("user_input,assistant_response,System Prompt", {"prompt": 0, "completion": 1, "system": 2}),
        ("instruction,input,output", {"prompt": 0, "context": 1, "completion": 2}),
        ("instruction,context,response,category", {"prompt": 0, "context": 1, "completion": 2, "category": 3}),
        ("prompt,question,completion", {"prompt": 0, "completion": 2}),
        ("question,answer,correct answer", {"prompt": 0, "completion": 1}),
        ("text,label", {"prompt": 0, "completion": 1}),
        ("text,category", {"prompt": 0, "completion": 1}),
        ("prompt,completion,label", {"prompt": 0, "completion": 1, "category": 2}),
        ("prompt,chosen,rejected", {"prompt": 0, "chosen": 1, "rejected": 2}),
        ("問題,較佳回答,較差回答", {"prompt": 0, "chosen": 1, "rejected": 2}),
        ("messages,tools", {"messages": 0, "tools": 1}),
    ],
)
def test_names_are_recognised(names, expected):
    header = recognise(names.split(","))
    assert dict(header.places) == expected
    assert header.complete


@pytest.mark.parametrize("names", ["Frage,Antwort", "id,question,category", "promt,completion", "prompt", "q1,a1"])
def test_a_header_without_question_and_answer_is_not_complete(names):
    assert not recognise(names.split(",")).complete


def test_a_category_never_takes_the_answers_place():
    reading = read("question,label,answer,type\nq,positive,a,t\n", columns={"category": "label"})
    assert pairs(reading) == [("q", "a")]
    assert reading.examples[0].category == "positive"


def test_what_was_taken_for_what_is_told():
    reading = read("分類,提問,答覆,備註\nx,q,a,n\n")
    assert found(reading) == [("T251", 1), ("T261", 1)]
    assert "prompt = 提問" in reading.problems[0].message
    assert reading.examples[0].category == "x"


def test_exact_names_need_no_word():
    assert read("prompt,completion\nq,a\n").problems == ()


def test_columns_says_it_oneself_and_goes_before_names():
    reading = read("question,answer,改寫\nq,a,w\n", columns={"prompt": "改寫"})
    assert pairs(reading) == [("w", "a")]


def test_a_column_that_columns_names_and_that_is_not_there():
    assert refused("prompt,completion\nq,a\n", columns={"prompt": "問題"}).code == "T265"


def test_an_unknown_field_in_columns_is_a_wrong_argument():
    with pytest.raises(ValueError, match="columns= maps prompt"):
        read("prompt,completion\nq,a\n", columns={"promt": "prompt"})
    with pytest.raises(ValueError, match="not answer"):
        read("prompt,completion\nq,a\n", columns={"answer": "completion"})


@pytest.mark.parametrize(
    ("content", "code", "severity"),
    [
        ("question,query,answer\nq,w,a\n", "T266", "error"),
        ("Prompt,prompt,completion\nq,w,a\n", "T262", "error"),
        ("答案,回答,問題\na,b,q\n", "T266", "error"),
    ],
)
def test_two_columns_for_one_field_ask_for_a_word(content, code, severity):
    diagnostic = refused(content)
    assert (diagnostic.code, diagnostic.severity, diagnostic.origin.line) == (code, severity, 1)
    if code == "T266":  # nothing says which of them
        assert '": …}' in diagnostic.hint


def test_two_columns_for_a_category_are_a_warning_and_neither_is_taken():
    reading = read("prompt,completion,topic,genre\nq,a,t,g\n")
    assert [d.code for d in reading.problems if d.severity == "warning"] == ["T266"]
    assert reading.examples[0].category is None


def test_a_misspelled_name_is_suggested():
    diagnostic = refused("completion,promt\na,q\n")
    assert diagnostic.code == "T253"
    assert "columns={\"prompt\": 'promt', \"completion\": 'completion'}" in diagnostic.hint


def test_a_misspelled_optional_name_is_suggested():
    reading = read("prompt,completion,categroy\nq,a,c\n")
    assert "\"category\": 'categroy'" in reading.problems[0].hint


def test_a_table_without_a_header_loses_no_row_silently():
    diagnostic = refused("哪裡退稅？,一樓\n幾點開門？,九點\n")
    assert (diagnostic.code, diagnostic.origin.line) == ("T253", 1)
    assert "哪裡退稅？" in diagnostic.message


def test_rows_above_the_header_are_told():
    reading = read("客服問答 2025\n\n問題,答案\nq,a\n")
    assert pairs(reading) == [("q", "a")]
    assert (reading.examples[0].origin.row, reading.examples[0].origin.line) == (1, 4)
    assert ("T258", 1) in found(reading, "info")


def test_a_row_above_the_header_that_may_be_data_is_a_warning():
    reading = read("退稅在哪？,一樓\n問題,答案\nq,a\n")
    assert found(reading, "warning") == [("T258", 1)]


def test_words_of_a_header_further_down_are_data():
    rows = "".join(f"w{n},m{n}\n" for n in range(5))
    assert refused(f"wort,bedeutung\n{rows}question,answer\n").code == "T253"


def test_a_header_in_the_middle_is_no_example():
    reading = read("prompt,completion\nq,a\nprompt,completion\nq2,a2\n")
    assert pairs(reading) == [("q", "a"), ("q2", "a2")]
    assert found(reading) == [("T272", 3)]


@pytest.mark.parametrize("header", ["問題,答案", '"問題","答案"'])
def test_a_header_behind_a_mark_in_joined_files_is_no_example(header):
    reading = read(f"\ufeff{header}\nq,a\n\ufeff{header}\n\ufeffq2,a2\n")
    assert pairs(reading) == [("q", "a"), ("q2", "a2")]
    assert found(reading) == [("T251", 1), ("T272", 3)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("header", "last", "answer"),
    [
        ("問題,答案", "q,a", "a"),
        ("問題,答案", 'q,"a"', "a"),
        ('"問題","答案"', 'q,"第一行\n第二行"', "第一行\n第二行"),
        ("問題,答案,備註", "q,a,", "a"),
    ],
)
def test_files_joined_without_an_end_of_the_last_line_are_parted(header, last, answer, end, mark):
    first = end.join([header, last])
    reading = read(end.join([f"{first}{mark}{header}", "q2,a2" + "," * (header.count(",") - 1), ""]))
    assert [e.data["completion"] for e in reading.examples] == [answer, "a2"]
    line = 2 + last.count("\n")
    assert [(code, at) for code, at in found(reading) if code == "T272"] == [("T272", line)]
    assert [e.origin.line for e in reading.examples] == [2, line + 1]


def test_an_answer_that_ends_as_the_header_does_is_not_parted():
    reading = read("question,answer\nthe words question,answer\nq,a\n")
    assert pairs(reading) == [("the words question", "answer"), ("q", "a")]
    assert found(reading) == [("T251", 1)]


# Shapes of examples


def test_instruction_and_input_are_joined_by_a_blank_line():
    reading = read("instruction,input,output\nAdd,1 2,3\nGreet,,Hi\n")
    assert pairs(reading) == [("Add\n\n1 2", "3"), ("Greet", "Hi")]


def test_preference_columns_become_a_preference_row():
    reading = read("問題,較佳回答,較差回答,系統提示\nq,good,bad,be nice\n")
    assert dict(reading.examples[0].data) == {
        "input": {"messages": [{"role": "system", "content": "be nice"}, {"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "good"}],
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }


MESSAGES = '[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]'


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def test_a_column_of_conversations_holds_json():
    reading = read(f"messages,category\n{quoted(MESSAGES)},c\n")
    assert [m.content for m in reading.examples[0].messages] == ["q", "a"]
    assert set(reading.examples[0].data) == {"messages"}
    assert reading.examples[0].category == "c"


def test_pythons_form_of_a_list_is_read_and_told_once():
    row = quoted(MESSAGES.replace('"', "'"))
    reading = read(f"messages\n{row}\n{row}\n")
    assert len(reading.examples) == 2
    assert found(reading) == [("T273", 2)]


def test_broken_json_in_a_cell_leaves_that_row_out():
    reading = read(f"messages\n{quoted(MESSAGES)}\n{quoted(MESSAGES[:-1] + ',]')}\n{quoted(MESSAGES)}\n")
    assert len(reading.examples) == 2
    assert found(reading) == [("J204", 3)]


def test_a_column_named_messages_may_hold_plain_texts():
    assert pairs(read("messages,label\nwin a prize,spam\nhello,ham\n")) == [("win a prize", "spam"), ("hello", "ham")]


# Delimiters


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "，"])
def test_other_delimiters_are_found_and_told(delimiter):
    reading = read(f"question{delimiter}answer\nq, w{delimiter}a\n")
    assert pairs(reading) == [("q, w", "a")]
    assert ("T252", 1) in found(reading, "info")


def test_the_endings_own_delimiter_needs_no_word():
    assert "T252" not in {code for code, _ in found(read("question\tanswer\nq\ta\n", name="data.tsv"))}


def test_excels_own_line_names_the_delimiter():
    reading = read("sep=;\r\nquestion;answer\r\nq;a, b\r\n")
    assert pairs(reading) == [("q", "a, b")]
    assert reading.examples[0].origin.line == 3


def test_a_quote_behind_delimiter_and_space_opens_a_cell():
    assert pairs(read('prompt, completion\n"q, x", "a, b"\nq2, a2\n')) == [("q, x", "a, b"), ("q2", "a2")]


def test_a_leading_space_is_kept_where_no_quote_needs_it():
    assert pairs(read("prompt,completion\nq, a\n")) == [("q", " a")]


def test_old_line_ends_part_rows():
    assert pairs(read("問題,答案\r一,二\r三,四\r")) == [("一", "二"), ("三", "四")]


# Widths


def test_an_unquoted_comma_shifts_nothing():
    reading = read("prompt,completion\nq1,a1\nq2,yes, a2\nq3,a3\nshort\n")
    assert pairs(reading) == [("q1", "a1"), ("q3", "a3")]
    assert [(d.code, d.origin.line, d.origin.row) for d in reading.problems] == [("T254", 3, 2), ("T254", 5, 4)]


def test_empty_cells_at_the_end_are_in_order():
    reading = read("prompt,completion,,\nq,a,,\nq2,a2\nq3,a3,,,,\n")
    assert pairs(reading) == [("q", "a"), ("q2", "a2"), ("q3", "a3")]
    assert reading.problems == ()


def test_cells_under_no_name_are_told_once():
    reading = read("prompt,completion,\nq,a,x\nq2,a2,y\n")
    assert found(reading) == [("T274", 2)]


def test_blank_rows_are_skipped_and_rows_without_texts_are_told():
    reading = read("no,prompt,completion\n1,q,a\n,,\n , ,　\n2,,\n3,q3,a3\n")
    assert pairs(reading) == [("q", "a"), ("q3", "a3")]
    assert ("T278", 5) in found(reading, "warning")


# Quotes


def test_an_unclosed_quote_swallows_nothing():
    reading = read('prompt,completion\nq,a\nq2,"open\nq3,a3\nq4,a4\n')
    assert pairs(reading) == [("q", "a"), ("q3", "a3"), ("q4", "a4")]
    assert found(reading) == [("T267", 3)]


@pytest.mark.parametrize(
    "later", ['q3,"fine, really"', 'q3,"over\ntwo lines"', '"q3",a3', 'q3,"say ""hi"" twice"', 'q3,5" tall\nq4,a']
)
def test_rows_behind_an_unclosed_quote_are_read(later):
    reading = read(f'prompt,completion\n"open,a\nq2,a2\n{later}\nlast,a\n')
    assert pairs(reading)[0][0] == "q2"
    assert pairs(reading)[-1] == ("last", "a")
    assert found(reading) == [("T267", 2)]


def test_several_unclosed_quotes_are_each_found():
    rows = [f"q{n},a{n}" if n % 3 else f'q{n},"a{n}' for n in range(12)]
    reading = read("prompt,completion\n" + "\n".join(rows) + "\n")
    assert found(reading) == [("T267", n + 2) for n in range(0, 12, 3)]
    assert len(reading.examples) == 8


def test_the_line_is_where_the_quote_opens():
    reading = read('prompt,completion,note\n"two\nlines",a,"open\nq,a,n\n')
    assert found(reading, "error") == [("T267", 3)]
    assert pairs(reading) == [("q", "a")]


def test_text_behind_a_closing_quote_is_one_rows_matter():
    reading = read('prompt,completion\n"Hello" he said,a\nq,"say "hi" now"\nq3,a3\n')
    assert found(reading) == [("T268", 2), ("T268", 3)]
    assert pairs(reading) == [("q3", "a3")]


def test_quotes_inside_a_plain_cell_are_text():
    reading = read('prompt,completion\nq,5" tall\nsay "hi",a\n')
    assert pairs(reading) == [("q", '5" tall'), ('say "hi"', "a")]
    assert reading.problems == ()


def test_a_quoted_cell_over_lines_that_look_like_rows_is_doubtful():
    content = 'prompt,completion\nq,"a\nq2,a2\nq3,a3\nq4,a4\nq5,a5"\nq6,a6\n'
    reading = read(content)
    assert len(reading.examples) == 2
    assert found(reading) == [("T269", 2)]


def test_a_wide_row_with_a_cell_over_several_lines_is_one_error():
    reading = read('prompt,completion\nq,"multi\nline\ntext", extra\nq2,a2\n')
    assert found(reading) == [("T254", 2)]
    assert pairs(reading) == [("q2", "a2")]


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_csv_writer_wrote_is_read_as_it_was(rows, quoting):
    file = StringIO(newline="")
    writer = csv.writer(file, quoting=quoting)
    writer.writerow(["prompt", "completion"])
    writer.writerows([("¿" + prompt, completion) for prompt, completion in rows])
    reading = read(file.getvalue())
    assert pairs(reading) == [("¿" + prompt, completion) for prompt, completion in rows]
    assert found(reading, "error") == []


@given(st.binary(max_size=200), st.sampled_from([b"", b"prompt,completion\n", "問題;答案\n".encode()]))
def test_no_bytes_break_the_reader(raw, header):
    problems = read_or_reason(header + raw)
    assert all(problem is not None for problem in problems)


def read_or_reason(content):
    """The findings about a table, or the one that tells why it cannot be read."""
    try:
        return read(content).problems
    except ReadError as error:
        return [error.diagnostic]


# Cells


def test_texts_that_others_take_for_nothing_stay_text():
    answers = ["NA", "None", "null", "nan", "N/A"]
    reading = read("prompt,completion\n" + "".join(f"q,{answer}\n" for answer in answers))
    assert [answer for _, answer in pairs(reading)] == answers
    assert found(reading) == [("T255", line) for line in range(2, 7)]


@pytest.mark.parametrize("text", ["1E5", "007", "1e3", "+1", "3.10", "TRUE", "2025/3/4", "-"])
def test_texts_that_look_like_values_stay_text(text):
    reading = read(f"prompt,completion\nq,{text}\n")
    assert pairs(reading) == [("q", text)]
    assert reading.problems == ()


@pytest.mark.parametrize("text", ["1.23E+19", "1.23457E+15", "5-Mar", "Mar-05"])
def test_what_a_spreadsheet_has_changed_is_a_warning(text):
    assert found(read(f"prompt,completion\nq,{text}\n")) == [("T256", 2)]


@pytest.mark.parametrize("text", ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!"])
def test_an_exported_error_of_excel_leaves_the_row_out(text):
    reading = read(f"prompt,completion\nq,{text}\nq2,a2\n")
    assert found(reading) == [("T259", 2)]
    assert pairs(reading) == [("q2", "a2")]


@pytest.mark.parametrize(("length", "expected"), [(32_766, []), (32_767, [("T264", 2)]), (32_768, [])])
def test_a_text_as_long_as_a_cell_can_be_was_cut(length, expected):
    assert found(read(f"prompt,completion\nq,{'字' * length}\n")) == expected


def test_excel_counts_a_character_beyond_the_basic_plane_twice():
    assert found(read(f"prompt,completion\nq,{'😀' * 16_383}x\n")) == [("T264", 2)]


def test_bytes_in_another_encoding_cost_their_row_only():
    rows = ["問題,答案", "一,二", "三,四", "五,六"]
    content = b"\n".join(row.encode("cp950" if row == "三,四" else "utf-8") for row in rows)
    reading = read(content)
    assert pairs(reading) == [("一", "二"), ("五", "六")]
    assert found(reading, "error") == [("E114", 3)]


@pytest.mark.parametrize("content", ["\n,\n", "prompt,completion\n", "問題,答案\n,\n"])
def test_a_table_without_rows_is_empty(content):
    assert refused(content).code == "E101"

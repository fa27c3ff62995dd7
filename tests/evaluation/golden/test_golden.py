"""Golden sets: every shape of row and file that experts keep, and what a check says before money is spent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.files import SHARED

import finetune_lib as ft
from files import written
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.records import Case, Message, ToolCall

SHARED = SHARED / "cases"


def asked(question: str, *, id: str = "1", expected: str = "", **more) -> Case:
    return Case(id, (Message(role="user", content=question),), expected, **more)


def rows(*given: dict) -> GoldenSet:
    return GoldenSet.from_rows(given)


def lines(folder: Path, *given: object) -> Path:
    path = folder / "golden.jsonl"
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in given), encoding="utf-8")
    return path


class TestTables:
    def test_every_column_has_its_place_and_the_rest_is_metadata(self, tmp_path):
        table = [
            "編號,問題,標準答案,類別,客戶,來源",
            "A1,可以退貨嗎？,七天內可以。,退貨,王,FAQ",
            "A2,運費多少？,60 元。,運費,王,",
        ]
        golden = GoldenSet.load(written(tmp_path, "g.csv", "\n".join(table)))
        assert golden.cases == (
            asked(
                "可以退貨嗎？",
                id="A1",
                expected="七天內可以。",
                category="退貨",
                cluster="王",
                metadata={"來源": "FAQ"},
            ),
            asked("運費多少？", id="A2", expected="60 元。", category="運費", cluster="王"),
        )
        assert golden.columns == {
            "input": "問題", "expected": "標準答案", "category": "類別", "cluster": "客戶", "id": "編號",
        }  # fmt: skip

    @pytest.mark.parametrize("encoding", ["cp950", "utf-8-sig", "utf-16"])
    def test_encodings_of_spreadsheets(self, tmp_path, encoding):
        text = (
            "問題,答案,群組\n請問行李可以託運嗎？,可以，每件二十三公斤。,甲\n請問在哪裡辦理登機？,在第一航廈三樓。,乙\n"
            * 3
        )
        golden = GoldenSet.load(written(tmp_path, "g.csv", text.replace("可以，", "可以"), encoding=encoding))
        assert golden[0] == asked("請問行李可以託運嗎？", expected="可以每件二十三公斤。", cluster="甲")

    def test_a_workbook_with_a_title_merged_clusters_and_two_sheets(self, tmp_path):
        text = """
[說明]
這是說明
[題庫]
機場客服題庫\t\t\t
問題\t理想答案\t文件\t難度
幾點登機？\t30 分鐘前。\t手冊\t2
在哪裡登機？\t看登機證。\t\t1
!merge C3:C4
"""
        golden = GoldenSet.load(written(tmp_path, "g.xlsx", text))
        assert [case.cluster for case in golden] == ["手冊", "手冊"]
        assert [dict(case.metadata) for case in golden] == [{"難度": "2"}, {"難度": "1"}]
        assert (len(golden), golden.clusters) == (2, 1)

    def test_a_percentage_is_expected_as_people_see_it(self, tmp_path):
        from openpyxl import Workbook

        book = Workbook()
        for row in (["question", "expected"], ["How much is the discount?", 0.15]):
            book.active.append(row)
        book.active["B2"].number_format = "0%"
        book.save(tmp_path / "g.xlsx")
        assert GoldenSet.load(tmp_path / "g.xlsx")[0].expected == "15%"

    def test_questions_alone_are_cases_for_judges(self, tmp_path):
        golden = GoldenSet.load(
            written(tmp_path, "g.csv", "question,topic\nMay I return it?,returns\nHow much?,price\n")
        )
        assert [case.expected for case in golden] == ["", ""]
        assert (golden.unanswered, golden.categories) == (2, {"returns": 1, "price": 1})
        assert "2 cases without a right answer" in str(golden.check())

    def test_an_expected_answer_comes_before_another_one(self, tmp_path):
        golden = GoldenSet.load(written(tmp_path, "g.csv", "question,answer,ground_truth\nq,of a model,right\n"))
        assert (golden[0].expected, golden[0].metadata) == ("right", {"answer": "of a model"})

    def test_a_document_is_the_question_where_nothing_else_is(self, tmp_path):
        golden = GoldenSet.load(written(tmp_path, "g.csv", "document,summary\nA long text.,Short.\n"))
        assert (golden[0].prompt, golden[0].expected, golden[0].cluster) == ("A long text.", "Short.", None)

    def test_columns_can_be_told(self, tmp_path):
        path = written(tmp_path, "g.tsv", "客訴內容\t話術\t店\n壞了\t換新\t台北\n")
        golden = GoldenSet.load(
            path, columns={"question": "客訴內容", "expected": "話術", "cluster": "店"}, system="客服"
        )
        assert (golden[0].messages[0].content, golden[0].prompt) == ("客服", "壞了")
        assert (golden[0].expected, golden[0].cluster) == ("換新", "台北")

    @pytest.mark.parametrize(
        ("columns", "told"),
        [(None, "columns a, b"), ({"input": "c"}, "'c' (input)"), ({"input": "a", "cluster": "c"}, "'c' (cluster)")],
    )
    def test_a_table_without_a_question_says_what_to_do(self, tmp_path, columns, told):
        with pytest.raises(ft.ReadError) as caught:
            GoldenSet.load(written(tmp_path, "g.csv", "a,b\n1,2\n"), columns=columns)
        assert told in str(caught.value)
        assert "columns={" in str(caught.value)

    def test_a_told_column_that_is_not_there_is_refused_though_another_would_do(self, tmp_path):
        with pytest.raises(ft.ReadError, match="no column is named '客訴' \\(input\\)"):
            GoldenSet.load(written(tmp_path, "g.csv", "問題,答案\n可以嗎？,可以\n"), columns={"input": "客訴"})

    def test_an_unknown_field_is_a_wrong_argument(self, tmp_path):
        with pytest.raises(ValueError, match="not weight"):
            GoldenSet.load(written(tmp_path, "g.csv", "a,b\n1,2\n"), columns={"weight": "a"})

    def test_all_problems_at_once_with_their_lines(self, tmp_path):
        path = written(tmp_path, "g.csv", 'question,answer\nfine?,yes\n,no question\ntoo,many,cells\n"open?,x\n')
        with pytest.raises(ft.DataError) as caught:
            GoldenSet.load(path)
        assert all(f"g.csv:{line}" in str(caught.value) for line in (3, 4, 5))
        assert "g.csv:2" not in str(caught.value)

    def test_two_cases_of_one_id_are_named_with_their_cells(self, tmp_path):
        path = written(tmp_path, "g.xlsx", "[s]\nid\tquestion\tanswer\n7\tA?\ta\n7\tB?\tb\n")
        with pytest.raises(ft.DataError, match=r"s!A3: the id 7 stands at s!A2, too"):
            GoldenSet.load(path)

    def test_a_damaged_workbook_is_one_error(self, tmp_path):
        path = tmp_path / "g.xlsx"
        path.write_bytes(written(tmp_path, "whole.xlsx", "[s]\nquestion\tanswer\nq\ta").read_bytes()[:2000])
        with pytest.raises(ft.ReadError):
            GoldenSet.load(path)

    def test_a_frame_of_pandas(self):
        pandas = pytest.importorskip("pandas")  # optional: frames are known by what they can do
        golden = GoldenSet.from_rows(pandas.DataFrame({"input": ["q"], "ideal": ["a"], "n": [3]}))
        assert golden.cases == (asked("q", expected="a", metadata={"n": 3}),)

    def test_parquet_keeps_lists(self, tmp_path):
        pandas = pytest.importorskip("pandas")  # optional, as is pyarrow beneath it
        pytest.importorskip("pyarrow")
        pandas.DataFrame({"question": ["q"], "ideal": [["a", "b"]]}).to_parquet(tmp_path / "g.parquet")
        (case,) = GoldenSet.load(tmp_path / "g.parquet")
        assert (case.expected, case.metadata) == ("a", {"ideal": ["a", "b"]})


class TestRows:
    def test_of_several_ideal_answers_the_first_counts_and_all_stay(self):
        turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
        (case,) = rows({"input": turns, "ideal": ["a", "b"]})
        assert ([m.role for m in case.messages], case.expected) == (["system", "user"], "a")
        assert case.metadata == {"ideal": ["a", "b"]}

    def test_a_chat_expects_its_last_turn(self):
        turns = [{"role": role, "content": text} for role, text in zip(("user", "assistant") * 2, "abcd", strict=True)]
        (case,) = rows({"messages": turns, "category": "x", "source": "crm"})
        assert ([m.text for m in case.messages], case.expected) == (["a", "b", "c"], "d")
        assert (case.category, case.metadata) == ("x", {"source": "crm"})

    def test_a_chat_may_expect_calls(self):
        call = {"id": "c", "type": "function", "function": {"name": "stock", "arguments": '{"id": 7}'}}
        tool = {"type": "function", "function": {"name": "stock", "parameters": {}}}
        turns = [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}]
        (case,) = rows({"messages": turns, "tools": [tool]})
        assert (case.expected_calls, case.tools) == ((ToolCall("stock", '{"id": 7}'),), (tool,))
        assert (case.expected, rows({"messages": turns}).unanswered) == ("", 0)

    def test_rows_for_graders_keep_what_graders_read(self):
        (case,) = rows({"messages": [{"role": "user", "content": "q"}], "target": 77, "document": "d", "nums": [1, 2]})
        assert (case.prompt, case.expected) == ("q", "")
        assert case.metadata == {"target": 77, "document": "d", "nums": [1, 2]}

    def test_items_of_hosted_evals(self):
        (case,) = rows({"item": {"question": "q", "correct_answer": "a", "level": 2}, "sample": {"output_text": "x"}})
        assert (case.prompt, case.expected, case.metadata) == ("q", "a", {"level": 2})

    @pytest.mark.parametrize(
        "row",
        [
            {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "category": "k"},
            {"instruction": "q", "input": "", "output": "a", "category": "k"},
            {"prompt": "q", "completion": "a", "category": "k"},
            {"query": "q", "response": "a", "類別": "k"},
            {"prompt": "q", "completion": "a", "_ftl": {"category": "k"}},
        ],
    )
    def test_rows_of_other_projects(self, row):
        (case,) = rows(row)
        assert (case.prompt, case.expected, case.category) == ("q", "a", "k")

    def test_values_that_are_no_text_are_expected_as_json(self):
        found = rows({"question": "a?", "expected": 42}, {"question": "b?", "expected": {"金額": 5}})
        assert [case.expected for case in found] == ["42", '{"金額": 5}']

    def test_a_context_belongs_to_its_question(self):
        (case,) = rows({"question": "Who?", "context": "Ada wrote it.", "answer": "Ada"})
        assert case.prompt == "Who?\n\nAda wrote it."

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ({"answer": "a"}, "nothing is asked"),
            ({"messages": []}, "nothing is asked"),
            ({"messages": ["q"]}, "role and content"),
            ({"messages": [{"role": "user", "content": 5}]}, "malformed"),
            (
                {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ""}]},
                "neither text nor",
            ),
            ({"question": "q", "tools": "not JSON"}, "tools is a list"),
            ({"question": "q", "expected_calls": [{"arguments": {}}]}, "no name"),
        ],
    )
    def test_rows_that_are_no_case(self, row, reason):
        with pytest.raises(ft.DataError, match=f"golden:1: .*{reason}"):
            rows(row)

    def test_broken_lines_and_broken_rows_come_together(self, tmp_path):
        path = tmp_path / "g.jsonl"
        path.write_text('{"question": "q", "answer": "a"}\n{"question": \n{"answer": "a"}\n')
        with pytest.raises(ft.DataError) as caught:
            GoldenSet.load(path)
        assert "g.jsonl:2" in str(caught.value)
        assert "g.jsonl:3" in str(caught.value)

    def test_a_json_list_under_a_name(self, tmp_path):
        path = tmp_path / "g.json"
        path.write_text(json.dumps({"test": [{"question": "q", "answer": "a"}]}, indent=1))
        assert GoldenSet.load(path)[0].expected == "a"


class TestSets:
    def test_it_is_a_sequence(self):
        golden = GoldenSet.of([asked(f"q{n}", id=str(n), category="ab"[n % 2]) for n in range(5)])
        assert [case.id for case in golden[1:3]] == ["1", "2"]
        assert (golden.filter(lambda case: case.category == "a")).categories == {"a": 3}
        assert GoldenSet.of(golden) is golden

    def test_ids_are_unique(self):
        with pytest.raises(ft.DataError, match="the id 1"):
            GoldenSet.of([asked("a"), asked("b")])

    def test_the_golden_part_of_a_split(self):
        data = ft.Dataset.from_rows([{"prompt": f"第 {n} 題？", "completion": str(n)} for n in range(40)])
        golden = GoldenSet.from_dataset(data.split(golden=10, near=None).golden)
        assert len(golden) == 10
        assert all(case.prompt == f"第 {case.expected} 題？" for case in golden)

    def test_examples_of_several_files_keep_ids_of_their_own(self):
        one, other = (ft.Dataset.from_rows([{"prompt": n, "completion": n}], name=n) for n in "ab")
        assert [case.id for case in GoldenSet.from_dataset(one.extend(other))] == ["a:1", "b:1"]

    def test_children_of_one_example_are_one_cluster(self):
        row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
        golden = GoldenSet.from_dataset([ft.Example(row, family="f"), ft.Example(row, family="f")])
        assert ([case.id for case in golden], golden.clusters) == (["1", "2"], 1)

    def test_a_dataset_with_unread_lines_is_refused(self, tmp_path):
        path = tmp_path / "d.jsonl"
        path.write_text('{"messages": [{"role": "user", "content": "q"}]}\n{"messages": \n')
        with pytest.raises(ft.InvalidDatasetError):
            GoldenSet.from_dataset(ft.Dataset.load(path))

    def test_nothing_is_overwritten_unasked(self, tmp_path):
        golden = GoldenSet.of([asked("q")])
        golden.save(tmp_path / "g.jsonl")
        with pytest.raises(FileExistsError):
            golden.save(tmp_path / "g.jsonl")


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)
labels = st.none() | words.map(str.strip).filter(bool)
values = st.none() | st.booleans() | st.integers() | words | st.lists(words, max_size=2)
cases = st.builds(
    lambda texts, system, **more: Case(
        messages=(
            *([Message(role="system", content=system)] if system else []),
            *(Message(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(texts)),
        ),
        **more,
    ),
    texts=st.lists(words, min_size=1, max_size=3),
    system=st.none() | words,
    id=words.map(str.strip),
    expected=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    category=labels,
    cluster=labels,
    expected_calls=st.lists(st.builds(ToolCall, words, words), max_size=2).map(tuple),
    tools=st.lists(st.dictionaries(words | st.just("messages"), values, min_size=1, max_size=2), max_size=1).map(tuple),
    metadata=st.dictionaries(words, values, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(cases, min_size=1, max_size=4, unique_by=lambda case: case.id))
def test_what_is_saved_loads_as_it_was(tmp_path_factory, found):
    golden = GoldenSet.of(found)
    path = golden.save(tmp_path_factory.mktemp("golden") / "g.jsonl")
    again = GoldenSet.load(path)
    assert again == golden
    assert again.fingerprint == golden.fingerprint


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(cases, min_size=2, max_size=4, unique_by=lambda case: case.id), st.randoms())
def test_the_fingerprint_is_that_of_questions_and_answers(found, chance):
    mixed = chance.sample(found, len(found))
    assert GoldenSet.of(found).fingerprint == GoldenSet.of(mixed).fingerprint
    assert GoldenSet.of(found).fingerprint != GoldenSet.of(found[1:]).fingerprint


class TestChecks:
    def test_contradictions_and_duplicates(self):
        golden = GoldenSet.of(
            [
                asked("可以退貨嗎？", id="a", expected="可以。"),
                asked("可以退货吗", id="b", expected="不可以。"),
                asked("運費？", id="c", expected="60"),
                asked("運費", id="d", expected="60"),
                asked("時間？", id="e"),
            ]
        )
        check = golden.check()
        assert [(group.cases, group.answers) for group in check.contradictions] == [
            (("a", "b"), ("可以。", "不可以。"))
        ]
        assert [group.cases for group in check.duplicates] == [("c", "d")]
        assert (check.units, check.ok) == (3, False)

    def test_other_instructions_make_another_question(self):
        turns = [{"role": "user", "content": "Hello"}]
        golden = rows(
            *({"input": [{"role": "system", "content": s}, *turns], "ideal": s} for s in ("formal", "casual"))
        )
        assert golden.check().ok

    def test_contamination_is_shown_with_its_pair(self):
        training = ft.Dataset.from_rows(
            [
                {"prompt": "請問行李超重要怎麼計費呢？", "completion": "每公斤 300 元。"},
                {"prompt": "Where do I check in for my flight?", "completion": "Hall 3."},
            ],
            name="train.jsonl",
        )
        golden = GoldenSet.of(
            [
                asked("请问行李超重要怎么计费呢", id="equal"),
                asked("Where do I check in for my flights?", id="near"),
                asked("可以帶寵物嗎？", id="clean"),
            ]
        )
        check = golden.check(training)
        assert check.contaminated == {"equal", "near"}
        equal, near = check.contaminations
        assert (equal.similarity, equal.training) == (1.0, "train.jsonl:1")
        assert 0.7 <= near.similarity < 1
        assert near.training_question == "Where do I check in for my flight?"
        assert check.units == 1
        assert "train.jsonl:2" in str(check)

    def test_a_question_in_the_middle_of_a_training_conversation_is_known(self):
        turns = [
            ("user", "首航什麼時候開始販售？"),
            ("assistant", "五月。"),
            ("user", "在哪裡買？"),
            ("assistant", "官網。"),
        ]
        training = [ft.Example({"messages": [{"role": role, "content": text} for role, text in turns]})]
        assert GoldenSet.of([asked("首航什麼時候開始販售？")]).check(training).contaminated == {"1"}

    def test_reinforcement_rows_contaminate_too(self):
        training = [ft.Example({"messages": [{"role": "user", "content": "Use 4, 5 and 6 to make 26."}], "target": 26})]
        assert GoldenSet.of([asked("Use 4, 5 and 6 to make 26!")]).check(training).contaminated == {"1"}

    def test_categories_that_are_missing_or_tiny(self):
        training = [ft.Example({"prompt": n, "completion": n}, category="ab"[n == "z"]) for n in "xyz"]
        check = GoldenSet.of([asked(str(n), id=str(n), category="b") for n in range(3)]).check(training)
        assert (check.missing, check.tiny) == ({"a": 2}, {"b": 3})

    def test_choices_that_no_candidate_sees_are_told(self):
        check = rows({"question": "1 + 1?", "choices": ["1", "2"], "answer": "B", "level": 1}).check()
        assert check.apart == ("choices",)
        assert "belongs to the question: choices" in str(check)

    def test_power_before_a_cent_is_spent(self):
        golden = GoldenSet.of([asked(f"question {n}", id=str(n)) for n in range(100)])
        few, some, many = golden.check(difference=0.1).power
        assert (round(some.detectable, 2), some.needed) == (0.15, 234)
        assert few.detectable < some.detectable < many.detectable
        assert "label 134 more" in str(golden.check())
        assert golden.check(difference=0.2).power[0].needed is None

    def test_clusters_are_the_unit(self):
        golden = GoldenSet.of([asked(f"question {n}", id=str(n), cluster=str(n % 20)) for n in range(100)])
        alone = GoldenSet.of([asked(f"question {n}", id=str(n)) for n in range(20)])
        assert golden.check().power == alone.check().power

    @pytest.mark.parametrize("wrong", [{"difference": 0}, {"difference": 1.5}, {"near": 0}])
    def test_numbers_out_of_range(self, wrong):
        with pytest.raises(ValueError, match="above 0"):
            GoldenSet.of([asked("q")]).check(**wrong)


@pytest.mark.parametrize(
    ("name", "count", "system", "duplicates"),
    [
        ("evals_aba_mrpc_crlf.jsonl", 110, True, None),
        ("evals_chinese_typos.jsonl", 200, True, 6),
        ("evals_sarcasm_few_shot_crlf.jsonl", 5, False, 0),
    ],
)
def test_golden_sets_of_openai_evals(name, count, system, duplicates):
    path = SHARED / "golden" / name
    if not path.exists():
        pytest.skip("published data that is not part of the repository")
    golden = GoldenSet.load(path)
    assert len(golden) == count
    assert golden.unanswered == 0
    assert all((case.messages[0].role == "system") == system for case in golden)
    assert duplicates is None or sum(len(group.cases) - 1 for group in golden.check().duplicates) == duplicates


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "memory"])
def test_a_field_that_no_row_has_is_refused_whatever_the_file(tmp_path, kind):
    """It would fall back to what the names say, and another question would be asked."""
    rows = [{"input": "幾點開門？", "問題": "幾點登機？", "expected": "八點"}, {"input": "q", "expected": "a"}]
    columns = {"input": "問题", "expected": "expected"}  # a slip: 题 for 題
    if kind == "memory":
        with pytest.raises(ft.ReadError, match="問题") as caught:
            GoldenSet.from_rows(rows, columns=columns)
    else:
        path = tmp_path / f"golden.{kind}"
        if kind == "parquet":
            parquet = pytest.importorskip("pyarrow.parquet")
            parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(rows), path)
        else:
            text = json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows))
            path.write_text(text, encoding="utf-8")
        with pytest.raises(ft.ReadError, match="問题") as caught:
            GoldenSet.load(path, columns=columns)
    assert "the rows have input, 問題, expected" in str(caught.value)

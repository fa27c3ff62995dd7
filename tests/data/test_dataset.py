"""Dataset: what it holds, how it is split, saved and reported, and what it refuses."""

import json
import math
import random
from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest
from tests.files import ROOT

import finetune_lib as ft

OFFLINE = ft.connect("http://127.0.0.1:9/v1", api_key="none")


def pairs(count, *, start=0):
    return [{"prompt": f"question {n}", "completion": f"answer {n}"} for n in range(start, start + count)]


def dataset(count=20):
    return ft.Dataset.from_rows(pairs(count))


def chat(question, answer, **extra):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **extra}


def preference(question, preferred, other):
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }


def prompts(part):
    return [example.prompt for example in part]


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.jsonl"
    sound = [json.dumps(row) for row in pairs(3)]
    path.write_text("\n".join([sound[0], '{"prompt": "half', *sound[1:]]) + "\n")
    return ft.Dataset.load(path)


# Sequence


def test_a_dataset_is_a_sequence():
    data = dataset(5)
    assert len(data) == 5
    assert data[0].prompt == "question 0"
    assert data[-1].answer == "answer 4"
    assert [example.prompt for example in data] == [f"question {n}" for n in range(5)]
    assert data[2] in data
    assert next(reversed(data)) is data[4]


def test_an_index_out_of_range_is_an_index_error():
    with pytest.raises(IndexError):
        dataset(3)[3]


def test_a_slice_is_a_dataset_of_the_same_name():
    data = dataset(5)
    part = data[1:3]
    assert isinstance(part, ft.Dataset)
    assert prompts(part) == ["question 1", "question 2"]
    assert part.name == data.name


def test_a_slice_keeps_the_lines_that_could_not_be_read(broken):
    assert [(d.code, d.origin.line) for d in broken[:1].validate(target="local").errors] == [
        ("K701", None),
        ("J219", 2),
    ]


def test_datasets_are_equal_by_content_not_by_origin():
    assert dataset(3) == ft.Dataset.from_rows(pairs(3), name="other")
    assert dataset(3) != dataset(4)
    assert dataset(3) != ft.Dataset.from_rows(list(reversed(pairs(3))))
    assert dataset(1) != pairs(1)


def test_datasets_have_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(dataset(1))


def test_a_dataset_cannot_be_changed_in_place():
    data = dataset(2)
    with pytest.raises(TypeError, match="assignment"):
        data[0] = data[1]
    with pytest.raises(TypeError, match="deletion"):
        del data[0]


@pytest.mark.parametrize(
    ("record", "attribute"),
    [
        (dataset(1)[0], "category"),
        (dataset(1)[0].origin, "row"),
        (dataset(1).validate(), "examples"),
        (dataset(1).validate().diagnostics[0], "code"),
    ],
    ids=["example", "origin", "report", "diagnostic"],
)
def test_records_are_frozen(record, attribute):
    with pytest.raises(FrozenInstanceError):
        setattr(record, attribute, None)


def test_repr_counts_examples_and_unread_lines(broken):
    assert repr(dataset(2)) == "Dataset('rows', 2 examples)"
    assert repr(broken) == "Dataset('broken.jsonl', 3 examples, 1 unread line)"


# From memory


def test_rows_in_memory_become_chats_with_a_system_message():
    data = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}], system="你是機場客服。")
    assert [(m.role, m.content) for m in data[0].messages] == [
        ("system", "你是機場客服。"),
        ("user", "幾點登機？"),
        ("assistant", "起飛前 30 分鐘。"),
    ]


def test_a_system_message_is_added_only_where_there_is_none():
    own = {"messages": [{"role": "developer", "content": "mine"}, *chat("q", "a")["messages"]]}
    data = ft.Dataset.from_rows([own, chat("q", "a")], system="given")
    assert data[0].messages[0].content == "mine"
    assert [m.role for m in data[1].messages] == ["system", "user", "assistant"]


def test_the_category_rides_beside_the_example():
    data = ft.Dataset.from_rows([{"prompt": "q", "completion": "a", "category": "travel"}])
    assert data[0].category == "travel"
    assert b"travel" not in b"".join(data.lines())


def test_rows_are_numbered_from_one():
    assert [example.origin.row for example in dataset(3)] == [1, 2, 3]


def test_a_role_that_is_no_text_is_no_obstacle_to_adding_a_system_message():
    row = {"messages": [{"role": ["user"], "content": "q"}, {"role": "assistant", "content": "a"}]}
    data = ft.Dataset.from_rows([row], system="s")
    assert "S309" in {finding.code for finding in data.validate().errors}


@pytest.mark.parametrize("value", [date(2026, 1, 2), ("a", "b")], ids=["date", "tuple"])
def test_validate_reports_values_that_json_does_not_have(value):
    report = ft.Dataset.from_rows([{"prompt": "q", "completion": value}]).validate()
    assert "/messages/1/content" in {finding.path for finding in report.errors}


def test_equal_examples_are_duplicates_even_without_an_origin():
    example = ft.Example(chat("q", "a"))
    report = ft.Dataset([example, ft.Example(chat("q", "a"))]).validate()
    assert "D801" in {finding.code for finding in report.warnings}


# Split


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_split_is_a_partition(seed):
    data = dataset(50)
    split = data.split(validation=0.2, golden=5, seed=seed)
    assert (len(split.train), len(split.validation), len(split.golden)) == (35, 10, 5)
    assert sorted(prompts(split.train) + prompts(split.validation) + prompts(split.golden)) == sorted(prompts(data))


def test_the_parts_keep_the_order_of_the_data():
    for part in dataset(30).split(validation=8, golden=8):
        rows = [example.origin.row for example in part]
        assert rows == sorted(rows)


def test_a_split_is_deterministic_and_depends_on_the_seed():
    first, again, other = (dataset(40).split(golden=10, seed=seed).golden for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_split_does_not_depend_on_the_order_of_the_rows():
    rows = pairs(40)
    shuffled = random.Random(5).sample(rows, len(rows))
    first = ft.Dataset.from_rows(rows).split(golden=10)
    second = ft.Dataset.from_rows(shuffled).split(golden=10)
    assert set(prompts(first.golden)) == set(prompts(second.golden))


@pytest.mark.parametrize(
    "rows",
    [
        [chat(f"question {n % 8}", f"answer {n}") for n in range(40)],
        [
            {"messages": [{"role": "system", "content": f"s{n}"}, *chat(f"question {n % 8}", "a")["messages"]]}
            for n in range(40)
        ],
        [preference(f"question {n % 8}", f"good {n}", f"bad {n}") for n in range(40)],
    ],
    ids=["chat", "chat-with-systems", "preference"],
)
def test_equal_questions_stay_together(rows):
    split = ft.Dataset.from_rows(rows).split(validation=10, golden=10)
    asked = [{example.messages[-2].text for example in part} for part in split]
    assert not asked[0] & asked[1]
    assert not asked[0] & asked[2]
    assert not asked[1] & asked[2]


def test_pairs_with_equal_questions_stay_together(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": f"q{n % 5}", "completion": f"a{n}"}) for n in range(20)))
    split = ft.Dataset.load(path).split(golden=4)
    assert not set(prompts(split.golden)) & set(prompts(split.train))


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, (10, 0, 0)), ({"golden": 3}, (7, 0, 3)), ({"validation": 0.01}, (9, 1, 0)), ({"golden": 0.25}, (8, 0, 2))],
)
def test_parts_are_counts_or_shares(given, expected):
    split = dataset(10).split(**given)
    assert (len(split.train), len(split.validation), len(split.golden)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"golden": 10}, "none is left"),
        ({"golden": 5, "validation": 5}, "none is left"),
        ({"golden": 1.0}, "share below 1.0"),
        ({"validation": -1}, "share below 1.0"),
    ],
)
def test_a_split_that_leaves_nothing_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        dataset(10).split(**given)


@pytest.mark.parametrize("given", [{"golden": 3}, {"golden": 3, "validation": 3}])
def test_a_split_of_one_question_alone_is_refused(given):
    data = ft.Dataset.from_rows([chat("the only question", f"answer {n}") for n in range(10)])
    with pytest.raises(ValueError, match="stays together"):
        data.split(**given)


# Lines that could not be read


def test_validate_lists_the_broken_line_and_the_others_are_readable(broken):
    assert prompts(broken) == ["question 0", "question 1", "question 2"]
    assert [example.origin.line for example in broken] == [1, 3, 4]
    assert [(d.code, d.origin.line) for d in broken.validate(target="local").errors] == [("K701", None), ("J219", 2)]


@pytest.mark.parametrize(
    "use",
    [
        lambda data, _: data.split(golden=1),
        lambda data, folder: data.save(folder / "out.jsonl"),
        lambda data, _: ft.Job.create(data, model="tiny", platform=OFFLINE),
    ],
    ids=["split", "save", "job"],
)
def test_broken_data_is_neither_split_nor_saved_nor_trained(broken, tmp_path, use):
    with pytest.raises(ft.InvalidDatasetError, match=r"broken\.jsonl:2") as caught:
        use(broken, tmp_path)
    assert "J219" in {error.code for error in caught.value.report.errors}
    assert [path.name for path in tmp_path.iterdir()] == ["broken.jsonl"]


def test_drop_unread_leaves_the_broken_lines_out(broken, tmp_path):
    whole = broken.drop_unread()
    assert ft.Dataset.load(whole.save(tmp_path / "whole.jsonl")) == whole
    assert len(whole.split(golden=1).train) == 2


# Save


def test_save_writes_one_object_a_line(tmp_path):
    path = ft.Dataset.from_rows([chat("幾點？", "九點。\n準時。")]).save(tmp_path / "new" / "out.jsonl")
    assert path.read_bytes() == (json.dumps(chat("幾點？", "九點。\n準時。"), ensure_ascii=False) + "\n").encode()


def test_save_refuses_a_file_that_is_there(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        dataset(2).save(path)
    assert path.read_text() == "mine"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_save_overwrites_when_told_to(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    dataset(2).save(path, overwrite=True)
    assert ft.Dataset.load(path) == dataset(2)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_save_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path):
    path = dataset(2).save(tmp_path / "out.jsonl")
    with pytest.raises(ft.DataError, match="example 2 holds a value that JSON has no form for"):
        ft.Dataset.from_rows([chat("q", "a"), chat("q", object())]).save(path, overwrite=True)
    assert ft.Dataset.load(path) == dataset(2)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_save_never_writes_what_is_not_json(tmp_path):
    path = tmp_path / "out.jsonl"
    with pytest.raises(ValueError, match="JSON"):
        ft.Dataset.from_rows([{"prompt": "q", "completion": math.nan}]).save(path)
    assert not list(tmp_path.iterdir())


def test_half_characters_survive_a_save(tmp_path):
    data = ft.Dataset.from_rows([chat("half \ud83d", "幾點"), chat("whole 🛫", "\udc00")])
    assert ft.Dataset.load(data.save(tmp_path / "out.jsonl")) == data


# Report


def with_roles(roles):
    return ft.Dataset.from_rows([{"messages": [{"role": role, "content": "x"}]} for role in roles])


def test_a_clean_report_is_ok():
    report = dataset(10).validate()
    assert report.ok
    assert report.diagnostics == ()
    assert report.raise_for_errors() is report
    assert report.summary.startswith("rows: 10 examples, ")
    assert str(report) == report.summary


def test_errors_and_warnings_are_told_apart():
    rows = [*(chat(f"q{n}", "a") for n in range(9)), chat("q0", "a"), chat("", "a"), chat("q", "")]
    report = ft.Dataset.from_rows(rows).validate()
    assert not report.ok
    assert [(d.code, d.path) for d in report.errors] == [("C406", "/messages/1/content")]
    assert [(d.code, d.origin.row) for d in report.warnings] == [("D801", 10), ("C406", 11)]
    assert report.summary.endswith(": 1 error, 2 warnings")


def test_raise_for_errors_carries_the_report():
    report = with_roles(["usr"]).validate()
    with pytest.raises(ft.InvalidDatasetError, match=r"S309.*\n.*rows:row 1  /messages/0/role") as caught:
        report.raise_for_errors()
    assert caught.value.report is report
    assert isinstance(caught.value, ValueError)


def test_more_than_five_equal_codes_collapse_to_the_lines_of_the_rest(tmp_path):
    path = tmp_path / "roles.jsonl"
    path.write_text("\n".join('{"messages": [{"role": "usr", "content": "x"}]}' for _ in range(8)))
    text = str(ft.Dataset.load(path).validate())
    assert text.count("error[S309]") == 1
    assert "… and 5 more S309, on lines 4–8" in text.splitlines()


def test_five_equal_codes_are_all_shown():
    text = str(with_roles(["usr"] * 5).validate())
    assert text.count("/messages/0/role") == 5
    assert "more S309" not in text


def test_the_collapsed_rest_of_many_names_twenty_lines():
    text = str(with_roles(["usr"] * 30).validate())
    line = next(line for line in text.splitlines() if "more S309" in line)
    assert line == "… and 27 more S309, on rows 4–30"


def test_the_report_as_json_has_one_shape():
    report = with_roles(["usr"]).validate()
    content = json.loads(report.to_json())
    assert content == report.to_dict()
    assert list(content) == ["ok", "examples", "diagnostics"]
    finding = next(entry for entry in content["diagnostics"] if entry["code"] == "S309")
    keys = ["code", "slug", "severity", "line", "row", "path", "cell", "message", "hint", "related", "fix"]
    assert list(finding) == keys
    assert (finding["slug"], finding["row"], finding["path"]) == ("role-unknown", 1, "/messages/0/role")


def test_findings_come_in_the_order_of_the_fields():
    keys = [f"extra{n}" for n in range(12)]
    row = chat("q", "a")
    row["messages"][0].update(dict.fromkeys(keys, 1))
    report = ft.Dataset.from_rows([row]).validate()
    assert [d.path for d in report.diagnostics if d.code == "S307"] == [f"/messages/0/{key}" for key in keys]


def test_reports_and_datasets_escape_markup_in_notebooks():
    script = "<script>alert(1)</script>"
    data = ft.Dataset.from_rows([chat(script, "a"), {"messages": [{"role": script, "content": "x"}]}], name=script)
    for html in (data._repr_html_(), data.validate()._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_tokens_are_counted_once_for_each_sound_example():
    report = ft.Dataset.from_rows([chat("ab", "cd"), chat("ab", 5)]).validate(model="tiny")
    assert report.tokens == ft.TokenCount(total=12, longest=12, encoding="bytes", exact=True)
    assert "12 tokens (bytes), longest example 12" in report.summary


def test_the_files_of_the_examples_folder_are_clean():
    folder = ROOT / "examples" / "data"
    clean = [path for path in sorted(folder.iterdir()) if path.name.startswith(("airport", "sentiment"))]
    assert len(clean) == 5
    for path in clean:
        assert ft.Dataset.load(path).validate(model="tiny").errors == ()


@pytest.mark.parametrize("path", ["a.csv", Path("a.csv"), b"a.csv"])
def test_a_path_is_no_sequence_of_examples(path):
    with pytest.raises(TypeError, match=r"examples, and .*a\.csv.* is a path: write ft\.Dataset\.load\("):
        ft.Dataset(path)

"""What holds for any data: nothing is lost on the way through a file, and nothing crashes."""

import csv
import io
import json
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import finetune_lib as ft

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
TEXT = st.text(max_size=60)
# A table of which a tenth is control characters is taken for a binary file.
WRITTEN = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t\r"), max_size=60)
FILLED = WRITTEN.filter(str.strip)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
OWN = "messages role content weight input prompt completion preferred_output non_preferred_output tool_calls tools type"
FOREIGN = "conversations from value instruction output history system images chosen rejected question answer text _ftl"
KEYS = st.sampled_from([*OWN.split(), *FOREIGN.split()])
NEARLY = st.recursive(
    SCALARS | st.sampled_from(["user", "assistant", "tool"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
MESSAGE = st.dictionaries(st.sampled_from(["role", "content", "weight", "tool_calls"]), NEARLY, max_size=4)
ROW = st.dictionaries(KEYS, NEARLY, min_size=1, max_size=3) | st.fixed_dictionaries({"messages": st.lists(MESSAGE)})


@pytest.fixture
def fresh(tmp_path):
    """A new path on each call, as one test runs many examples."""
    numbers = count()
    return lambda suffix: tmp_path / f"{next(numbers)}{suffix}"


@SHARED_FOLDER
@given(rows=st.lists(st.dictionaries(ANY_TEXT, JSON, max_size=3), min_size=1, max_size=4))
def test_any_objects_survive_load_and_save(fresh, rows):
    path = fresh(".jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = ft.Dataset.load(path)
    again = ft.Dataset.load(first.save(fresh(".jsonl")))
    assert [dict(example.data) for example in again] == rows
    assert again == first


@SHARED_FOLDER
@given(rows=st.lists(st.dictionaries(TEXT, JSON, max_size=3), min_size=1, max_size=4), indent=st.none() | st.just(1))
def test_an_array_gives_the_same_as_its_lines(fresh, rows, indent):
    path = fresh(".json")
    path.write_text(json.dumps(rows, indent=indent))
    assert [dict(example.data) for example in ft.Dataset.load(path)] == rows


@SHARED_FOLDER
@given(pairs=st.lists(st.tuples(WRITTEN, FILLED), min_size=1, max_size=5))
def test_any_pairs_survive_a_table(fresh, pairs):
    table = io.StringIO(newline="")
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows([("prompt", "completion"), *pairs])
    path = fresh(".csv")
    path.write_bytes(table.getvalue().encode())
    first = ft.Dataset.load(path)
    assert [(example.prompt, example.answer) for example in first] == pairs
    assert ft.Dataset.load(first.save(fresh(".jsonl"))) == first


@SHARED_FOLDER
@given(texts=st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4))
def test_any_text_survives_save_and_load(fresh, texts):
    data = ft.Dataset.from_rows([{"prompt": prompt, "completion": answer} for prompt, answer in texts])
    again = ft.Dataset.load(data.save(fresh(".jsonl")))
    assert [(example.prompt, example.answer) for example in again] == texts


@given(
    questions=st.lists(st.integers(0, 12), min_size=3, max_size=40),
    seed=st.integers(),
    validation=st.integers(0, 5),
    golden=st.integers(0, 5),
)
@example(questions=[0, 0, 0, 0, 1, 1], seed=0, validation=4, golden=1)  # two groups for three parts
def test_a_split_is_a_partition_with_no_question_in_two_parts(questions, seed, validation, golden):
    rows = [{"prompt": f"q{question}", "completion": str(place)} for place, question in enumerate(questions)]
    try:
        split = ft.Dataset.from_rows(rows).split(validation=validation, golden=golden, seed=seed)
    except ValueError:
        largest = max(questions.count(question) for question in questions)
        assert validation + golden + 2 * largest > len(questions)
        return
    assert len(split.train)
    assert bool(len(split.validation)) == bool(validation)
    assert bool(len(split.golden)) == bool(golden)
    assert sorted(int(e.answer) for part in split for e in part) == list(range(len(rows)))
    asked = [{e.prompt for e in part} for part in split]
    assert not any(first & second for first, second in pairwise([*asked, asked[0]]))


def readable_or_refused(path, **options):
    """Some examples, some findings, or one error that names the file; nothing else may come out."""
    try:
        data = ft.Dataset.load(path, **options)
    except ft.ReadError as error:
        message = str(error)
    else:
        message = str(data.validate()) if len(data) or not data.validate().ok else ""
    assert path.name in message


@SHARED_FOLDER
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv"])
@given(content=st.binary(max_size=120) | st.text("[]{}\",:\n\r\t '“”\\utfnN01ae\ufeff", max_size=60).map(str.encode))
def test_no_bytes_crash_a_reader(fresh, suffix, content):
    path = fresh(suffix)
    path.write_bytes(content)
    readable_or_refused(path)


@SHARED_FOLDER
@pytest.mark.parametrize("encoding", ["cp950", "gb18030", "utf-16"])
@given(content=st.binary(max_size=80))
def test_no_bytes_crash_a_reader_of_another_encoding(fresh, encoding, content):
    path = fresh(".csv")
    path.write_bytes(b"prompt,completion\n" + content)
    readable_or_refused(path, encoding=encoding)


@pytest.mark.parametrize("method", ["supervised", "dpo", "reinforcement"])
@given(rows=st.lists(ROW, min_size=1, max_size=3))
def test_validate_reports_on_any_row_and_raises_nothing(method, rows):
    report = ft.Dataset([ft.Example(row) for row in rows]).validate(method=method, model="tiny")
    assert "K701" in {finding.code for finding in report.errors}
    assert json.loads(report.to_json())["examples"] == len(rows)
    assert report.summary in str(report)


@given(rows=st.lists(ROW, min_size=1, max_size=3))
def test_a_system_message_can_be_added_to_any_rows(rows):
    assert len(ft.Dataset.from_rows(rows, system="s")) == len(rows)


@given(rows=st.lists(ROW, min_size=1, max_size=3), safe_only=st.booleans())
def test_any_rows_are_interpreted_fixed_and_counted(rows, safe_only):
    data = ft.Dataset.from_rows(rows)
    fixed = data.fix(safe_only=safe_only)
    assert fixed.account.read == len(rows)
    assert fixed.account.kept == len(fixed)
    assert data.stats().examples == len(rows)

"""Real files of other projects, against the verdicts that their index gives."""

import json
import re
from pathlib import Path

import pytest

import finetune_lib as ft
from finetune_lib import tokens

CASES = Path(__file__).parents[2] / "shared" / "cases"
# Files of other projects under their own licences, which are no part of this repository; the rules that they try
# are tried on our own inputs in test_checks.py and test_readers.py as well.
if not CASES.is_dir():
    pytest.skip("the shared cases are not here", allow_module_level=True)

SUITE = sorted((CASES / "json" / "JSONTestSuite" / "test_parsing").iterdir())
NAUGHTY = json.loads((CASES / "naughty" / "blns.json").read_text(encoding="utf-8"))
# RFC 8259 lets a reader refuse them: the file would say two things at once.
STRICTER_THAN_THE_SUITE = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}

VALID = [
    ("bad/lf_openai_training_blank_lines.jsonl", "supervised", 10),
    ("ft/fw_text2sql_dataset.jsonl", "supervised", 100),
    ("ft/gsm8k_chat_train.jsonl", "supervised", 449),
    ("ft/gsm8k_chat_validation.jsonl", "supervised", 50),
    ("ft/node_fine-tuning-data.jsonl", "supervised", 10),
    ("ft/stock_toolcall_training.jsonl", "supervised", 86),
    ("ft/fw_countdown_rl_train.jsonl", "reinforcement", 32),
    ("ft/rft_countdown_train_100.jsonl", "reinforcement", 100),
    ("ft/rft_countdown_valid_15.jsonl", "reinforcement", 15),
    ("ft/rft_tool_valid.jsonl", "reinforcement", 10),
    ("ft/zava_rft_train.jsonl", "reinforcement", 10),
]
VALID_BUT_FEW = [
    ("ft/fw_prompt_router.sample.jsonl", {}, 2),
    ("ft/toy_chat_fine_tuning.jsonl", {}, 5),
    ("together_fx/valid_conversational_single_turn.jsonl", {}, 3),
    ("together_fx/valid_instruction.jsonl", {"target": "local"}, 2),
    ("together_fx/valid_preference_openai.jsonl", {"method": "dpo"}, 2),
    ("together_fx/valid_weights_all.jsonl", {}, 2),
    ("together_fx/valid_weights_mixed.jsonl", {}, 2),
]
BROKEN_LINES = [
    ("axolotl_prose_first_line.jsonl", "J201", [1]),
    ("evals_atpl_smart_quotes.jsonl", "J202", list(range(2, 11))),
    ("evals_email_parsing.jsonl", "J201", [1, 2, 3]),
    ("evals_extract_names_yaml.jsonl", "J201", [1, 2, 3, 4, 6, 7, 8, 9]),
    ("evals_human_safety_raw_newline_crlf.jsonl", "J201", [2, 3]),
    ("evals_jokes_ellipsis.jsonl", "J201", [3]),
    ("evals_logic_riddles_line19.jsonl", "J201", [19]),
    ("evals_matmul_python_repr.jsonl", "J203", list(range(1, 21))),
    ("evals_play24_unescaped_quotes.jsonl", "J201", list(range(1, 10))),
    ("hikariming_9407_trailing_comma.json", "J204", [14007]),
    ("hikariming_mingci_trailing_comma.json", "J204", [62]),
    ("lmeval_nan.jsonl", "J215", [1, *range(3, 9), 10, 13, 16, 17, *range(19, 25)]),
    ("nemo_string_lines.jsonl", "J218", list(range(1, 11))),
]
REFUSED_FILES = [
    ("bad/axolotl_utf16le_bom.jsonl", "E103", 1),
    ("bad/datajuicer_pretty_array.jsonl", "J209", 1),
    ("ft/lf_dataset_info.json", "J210", 1),
    ("together_fx/empty.csv", "E101", None),
    ("together_fx/empty.jsonl", "E101", None),
    ("together_fx/non_utf8.jsonl", "E103", 1),
]
# What another validator refuses on its first line, and where this one must point.
REFUSED_ROWS = [
    ("assistant_role_exists", "supervised", "C401", "/messages"),
    ("empty_messages", "supervised", "S305", "/messages"),
    ("extra_column", "supervised", "S317", None),
    ("invalid_weight", "supervised", "S313", "/messages/0/weight"),
    ("missing_field_in_conversation", "supervised", "S312", "/messages/1/content"),
    ("invalid_preference_openai_empty_messages", "dpo", "S305", "/input/messages"),
    ("invalid_preference_openai_empty_non_preferred_output", "dpo", "P602", "/non_preferred_output"),
    ("invalid_preference_openai_empty_preferred_output", "dpo", "P602", "/preferred_output"),
    ("invalid_preference_openai_invalid_role_in_messages", "dpo", "S309", "/input/messages/0/role"),
    ("invalid_preference_openai_missing_content_non_preferred", "dpo", "S312", "/non_preferred_output/0/content"),
    ("invalid_preference_openai_missing_content_preferred", "dpo", "S312", "/preferred_output/0/content"),
    ("invalid_preference_openai_missing_input", "dpo", "S304", "/input"),
    ("invalid_preference_openai_missing_messages_in_input", "dpo", "S304", "/input/messages"),
    ("invalid_preference_openai_missing_role_preferred", "dpo", "S308", "/preferred_output/0"),
    ("invalid_preference_openai_multiple_preferred_outputs", "dpo", "P602", "/preferred_output"),
    ("invalid_preference_openai_non_assistant_role_in_non_preferred", "dpo", "P602", "/non_preferred_output/0/role"),
    ("invalid_preference_openai_non_dict_message", "dpo", "S310", "/input/messages/0"),
    ("invalid_preference_openai_non_string_content_in_messages", "dpo", "S311", "/input/messages/0/content"),
]
DUPLICATES = [
    ("ft/lf_alpaca_zh_demo.json", 8),
    ("ft/lf_dpo_zh_demo.json", 11),
    ("ft/sarcasm_baseline_20.jsonl", 0),
    ("golden/evals_chinese_typos.jsonl", 6),
]


def load(name):
    return ft.Dataset.load(CASES / name)


def names_of_the_tables():
    rows = [*VALID, *VALID_BUT_FEW, *REFUSED_FILES, *DUPLICATES]
    bad, together = [row[0] for row in BROKEN_LINES], [row[0] for row in REFUSED_ROWS]
    return [*(row[0] for row in rows), *(f"bad/{name}" for name in bad), *(f"together_fx/{n}.jsonl" for n in together)]


@pytest.mark.parametrize("name", names_of_the_tables())
def test_each_file_of_these_tables_stands_in_the_index(name):
    assert f"| {name} |" in (CASES / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "method", "examples"), VALID)
def test_a_valid_file_has_no_error(name, method, examples):
    report = load(name).validate(method=method)
    assert report.errors == ()
    assert report.examples == examples


@pytest.mark.parametrize(("name", "check", "examples"), VALID_BUT_FEW)
def test_a_valid_file_of_few_examples_has_that_error_alone(name, check, examples):
    report = load(name).validate(**check)
    assert [d.code for d in report.errors] == ["K701"]
    assert report.examples == examples


@pytest.mark.parametrize("name", [name for name, method, _ in VALID if method == "reinforcement"])
def test_prompts_alone_are_not_for_supervised_training(name):
    data = load(name)
    lines = [d.origin.line for d in data.validate().errors if d.code == "C401"]
    assert lines == [example.origin.line for example in data]


@pytest.mark.parametrize(("name", "code", "lines"), BROKEN_LINES)
def test_broken_lines_are_named_and_no_others(name, code, lines):
    data = load(f"bad/{name}")
    found = [(d.code, d.origin.line) for d in data.validate().errors if d.code[0] in "EJT"]
    assert found == [(code, line) for line in lines]
    with pytest.raises(ft.InvalidDatasetError):
        data.split(golden=1)


@pytest.mark.parametrize(("name", "code", "line"), REFUSED_FILES)
def test_a_file_that_is_no_dataset_is_refused_as_a_whole(name, code, line):
    with pytest.raises(ft.ReadError) as caught:
        load(name)
    assert (caught.value.diagnostic.code, caught.value.line) == (code, line)


def test_a_file_with_a_utf16_mark_loads_with_its_encoding():
    assert len(ft.Dataset.load(CASES / "bad/axolotl_utf16le_bom.jsonl", encoding="utf-16")) == 10


@pytest.mark.parametrize(("name", "method", "code", "path"), REFUSED_ROWS)
def test_a_row_that_others_refuse_is_refused_at_its_place(name, method, code, path):
    errors = [d for d in load(f"together_fx/{name}.jsonl").validate(method=method).errors if d.code != "K701"]
    assert (errors[0].code, errors[0].origin.line, errors[0].path) == (code, 1, path)


@pytest.mark.parametrize(("name", "count"), DUPLICATES)
def test_exact_duplicates_are_counted(name, count):
    assert [d.code for d in load(name).validate().warnings].count("D801") == count


def test_blank_lines_are_noted_and_counted_out():
    found = load("bad/lf_openai_training_blank_lines.jsonl").validate().diagnostics
    assert [(d.code, d.origin.line) for d in found] == [("J212", line) for line in range(2, 19, 2)]


def test_a_crlf_array_loads():
    data = load("bad/hikariming_dangjian_crlf.json")
    assert len(data) == 19
    assert data[9].data["output"] == ""


def test_a_split_keeps_the_published_parts_apart():
    train, validation = (load(f"ft/gsm8k_chat_{part}.jsonl") for part in ("train", "validation"))
    assert not {e.prompt for e in train} & {e.prompt for e in validation}
    split = train.split(golden=0.1)
    assert not {e.prompt for e in split.golden} & {e.prompt for e in split.train}


def test_token_counts_are_those_that_were_published():
    """The notebook counts 3 a message, its role and content, and 3 for the reply."""
    count = tokens.counter_for("gpt-3.5-turbo").count
    examples = load("ft/toy_chat_fine_tuning.jsonl")
    whole = [3 + sum(3 + count(m.role) + count(m.text) for m in e.messages) for e in examples]
    answers = [sum(count(m.text) for m in e.messages if m.role == "assistant") for e in examples]
    assert whole == [45, 111, 26, 28, 8032]
    assert answers == [10, 28, 9, 4, 8000]


@pytest.mark.parametrize(
    "name",
    [
        "ft/gsm8k_chat_train.jsonl",
        "ft/lf_c4_demo.jsonl",
        "ft/lf_alpaca_zh_demo.json",
        "ft/fw_text2sql_dataset.jsonl",
        "ft/lf_kto_en_demo.json",
    ],
)
def test_estimates_are_as_near_as_their_diagnostic_says(name):
    texts = [json.dumps(dict(example.data), ensure_ascii=False) for example in load(name)[:100]]
    exact, estimate = (sum(map(tokens.counter_for(model).count, texts)) for model in ("gpt-4o", "unknown"))
    assert estimate == pytest.approx(exact, rel=0.3)


# JSONTestSuite: each text as a value in a row, so that it is its grammar that decides


def verdict(folder, text, suffix):
    """The value that a row gives back, or None where the row is refused."""
    path = folder / f"case{suffix}"
    row = b'{"value": ' + text.strip() + b"}"
    path.write_bytes(b"[" + row + b"]" if suffix == ".json" else row)
    try:
        data = ft.Dataset.load(path)
    except ft.ReadError:
        return None
    unread = [d for d in data.validate().errors if d.code[0] in "EJ"]
    return None if unread or len(data) != 1 else data[0].data["value"]


def cases(prefix):
    chosen = [p for p in SUITE if p.name.startswith(prefix) and p.name not in STRICTER_THAN_THE_SUITE]
    return [pytest.param(path.read_bytes(), id=path.stem) for path in chosen]


@pytest.mark.parametrize("text", cases("y_"))
def test_json_is_accepted(tmp_path, text):
    expected = json.dumps(json.loads(text))
    assert json.dumps(verdict(tmp_path, text, ".json")) == expected
    if b"\n" not in text.strip():
        assert json.dumps(verdict(tmp_path, text, ".jsonl")) == expected


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("text", cases("n_"))
def test_what_is_not_json_is_refused(tmp_path, text, suffix):
    assert verdict(tmp_path, text, suffix) is None


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("path", SUITE, ids=[path.stem for path in SUITE])
def test_no_case_crashes_a_reader(tmp_path, path, suffix):
    copy = tmp_path / f"case{suffix}"
    copy.write_bytes(path.read_bytes())
    try:
        message = str(ft.Dataset.load(copy).validate().raise_for_errors())
    except ft.DataError as error:
        message = f"refused: {error}"
    assert message.startswith("refused")
    assert copy.name in message


# Naughty strings


def test_naughty_strings_survive_as_contents(tmp_path):
    rows = [{"prompt": text, "completion": f"answer {n}"} for n, text in enumerate(NAUGHTY)]
    data = ft.Dataset.from_rows(rows, system="naughty")
    again = ft.Dataset.load(data.save(tmp_path / "naughty.jsonl"))
    assert [example.prompt for example in again] == NAUGHTY
    assert again == data


def test_naughty_strings_raise_no_error_but_for_empty_ones():
    rows = [{"prompt": "q", "completion": text} for text in NAUGHTY]
    report = ft.Dataset.from_rows(rows).validate(model="gpt-4o-mini", today=None)
    assert {d.origin.row for d in report.errors if d.code == "C406"} == {
        row for row, text in enumerate(NAUGHTY, start=1) if not text.strip()
    }
    assert {d.code for d in report.errors} <= {"C406", "K709"}


def test_naughty_strings_are_text_in_notebooks():
    html = ft.Dataset.from_rows([{"prompt": t, "completion": t} for t in NAUGHTY if "<" in t][:10])._repr_html_()
    assert not re.search(r"<(script|img|svg|iframe|a)\b", html, re.IGNORECASE)

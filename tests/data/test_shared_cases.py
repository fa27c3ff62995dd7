"""Real files of other projects, against the verdicts that their index gives."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from tests.files import SHARED

import finetune_lib as ft
from finetune_lib import tokens

CASES = SHARED / "cases"
# Files of other projects under their own licences, which are no part of this repository; the rules that they try
# are tried on our own inputs in test_checks.py and test_readers.py as well.
if not CASES.is_dir():
    pytest.skip("the shared cases are not here", allow_module_level=True)

FOLDERS = ("bad", "ft", "golden", "together_fx", "naughty")
SUITE = sorted((CASES / "json" / "JSONTestSuite").glob("test_*/*.json"))
BLNS = (CASES / "naughty" / "blns.json").read_text(encoding="utf-8")
NAUGHTY = json.loads(BLNS)
# RFC 8259 lets a reader refuse them: the file would say two things at once.
STRICTER_THAN_THE_SUITE = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
EVERY = "every"  # the line of each example
TEXTS = [n for n, line in enumerate(BLNS.split("\n"), start=1) if line.startswith('  "')]


@dataclass(frozen=True)
class Verdict:
    """What a correct validator says: how many examples there are, and which errors on which lines.

    `errors` names all errors of the file, but for those of `beside`, which other rules find in the same rows.
    """

    examples: int
    errors: dict = field(default_factory=dict)
    method: str = "supervised"
    target: str | None = None
    copies: int = 0
    beside: str = ""


def few(examples, errors=None, **more):
    """A file of fewer examples than a platform takes."""
    return Verdict(examples, {"K701": [None]} | (errors or {}), **more)


def row(code, path, method="dpo", *, examples=2, also=()):
    """A file of which Together refuses the first row for this."""
    return Verdict(examples, {code: [(1, path)]} | {other: [1] for other in also}, method, target="together")


def together(examples, method="supervised"):
    return Verdict(examples, method=method, target="together")


SFT, DPO, RFT = "supervised", "dpo", "reinforcement"
NO_ROWS = Verdict(0, {"J222": [1]})
VERDICTS = {
    # Broken files
    "bad/axolotl_prose_first_line.jsonl": few(1, {"J228": [1], "S309": [2]}),
    "bad/axolotl_utf16le_bom.jsonl": Verdict(10, {"P605": EVERY}),
    "bad/datajuicer_pretty_array.jsonl": Verdict(29, {"J209": [1], "S317": EVERY}),
    "bad/evals_atpl_smart_quotes.jsonl": Verdict(1, {"J202": range(2, 11)}),
    "bad/evals_email_parsing.jsonl": Verdict(0, {"J206": [1, 2, 3]}),
    "bad/evals_extract_names_yaml.jsonl": Verdict(0, {"J228": [1, 2, 3, 4, 6, 7, 8, 9]}),
    "bad/evals_human_safety_raw_newline_crlf.jsonl": few(2, {"J208": [2, 3]}),
    "bad/evals_jokes_ellipsis.jsonl": few(2, {"J221": [3]}),
    "bad/evals_logic_riddles_line19.jsonl": Verdict(49, {"J206": [19]}),
    "bad/evals_matmul_python_repr.jsonl": Verdict(0, {"J203": range(1, 21)}),
    "bad/evals_play24_unescaped_quotes.jsonl": Verdict(0, {"J206": range(1, 10)}),
    "bad/hikariming_9407_trailing_comma.json": Verdict(2801, {"J204": [14006], "C406": [9602, 10177]}, copies=15),
    "bad/hikariming_dangjian_crlf.json": Verdict(19, {"C406": [47]}),
    "bad/hikariming_mingci_trailing_comma.json": Verdict(12, {"J204": [61], "C406": [57]}),
    "bad/lf_openai_training_blank_lines.jsonl": Verdict(10),
    "bad/lf_wiki_long_jsonl_named_json.json": few(2, {"S317": [1, 2]}, copies=1),
    "bad/lmeval_nan.jsonl": Verdict(7, {"J215": [1, *range(3, 9), 10, 13, 16, 17, *range(19, 25)], "S317": EVERY}),
    "bad/nemo_string_lines.jsonl": Verdict(0, {"J218": range(1, 11)}),
    # Data for training, and what lies beside it
    "ft/coig_cqia_sample.json": few(2),
    "ft/dbpedia_samples.jsonl": Verdict(200, {"S317": EVERY}),
    "ft/fw_countdown_rl_train.jsonl": Verdict(32, method=RFT),
    "ft/fw_prompt_router.sample.jsonl": few(2),
    "ft/fw_text2sql_dataset.jsonl": Verdict(100),
    "ft/gsm8k_chat_train.jsonl": Verdict(449),
    "ft/gsm8k_chat_validation.jsonl": Verdict(50),
    "ft/lf_alpaca_zh_demo.json": Verdict(1000, copies=8),
    "ft/lf_c4_demo.jsonl": Verdict(300, {"S317": EVERY}),
    "ft/lf_dataset_info.json": NO_ROWS,
    "ft/lf_dpo_zh_demo.json": Verdict(300, method=DPO, copies=11),
    "ft/lf_kto_en_demo.json": Verdict(300, {"S306": EVERY}),
    "ft/lf_mllm_demo.json": few(6, {"S322": [2, 26, 49, 72, 96, 119]}),
    "ft/lf_reason_tool_use_demo_50.jsonl": Verdict(
        50,
        {"F506": [2, 3, 5, 7, *range(11, 19), 20, 22, 24, 30, 32, 33, 34, 35, 42, 45]},
        beside="S307 F505 F510",
    ),
    "ft/lf_v1_dpo_demo.jsonl": Verdict(10, method=DPO),
    "ft/node_fine-tuning-data.jsonl": Verdict(10),
    "ft/rft_countdown_grader_config_aoai.json": NO_ROWS,
    "ft/rft_countdown_response_schema.json": NO_ROWS,
    "ft/rft_countdown_train_100.jsonl": Verdict(100, method=RFT),
    "ft/rft_countdown_valid_15.jsonl": Verdict(15, method=RFT),
    "ft/rft_tool_valid.jsonl": Verdict(10, method=RFT),
    "ft/sarcasm_baseline_20.jsonl": Verdict(20),
    "ft/stock_toolcall_training.jsonl": Verdict(86),
    "ft/toy_chat_fine_tuning.jsonl": few(5),
    "ft/zava_rft_grader-config.json": NO_ROWS,
    "ft/zava_rft_train.jsonl": Verdict(10, method=RFT),
    # Golden sets
    "golden/evals_aba_mrpc_crlf.jsonl": Verdict(110),
    "golden/evals_chinese_typos.jsonl": Verdict(200, copies=6),
    "golden/evals_sarcasm_few_shot_crlf.jsonl": few(5),
    # What Together's own check passes and refuses
    "together_fx/assistant_role_exists.jsonl": row("C401", "/messages", SFT, examples=1),
    "together_fx/empty_messages.jsonl": row("S305", "/messages", SFT, examples=1),
    "together_fx/extra_column.jsonl": row("S306", "/extra_column", SFT, examples=1),
    "together_fx/invalid_json.jsonl": Verdict(1, {"J218": [2]}, target="together"),
    "together_fx/invalid_multimodal_content.jsonl": row("S322", "/messages/0/content/1/image_url/url", SFT, examples=1),
    "together_fx/invalid_preference_openai_empty_messages.jsonl": row("S305", "/input/messages"),
    "together_fx/invalid_preference_openai_empty_non_preferred_output.jsonl": row("P602", "/non_preferred_output"),
    "together_fx/invalid_preference_openai_empty_preferred_output.jsonl": row("P602", "/preferred_output"),
    "together_fx/invalid_preference_openai_invalid_role_in_messages.jsonl": row("S309", "/input/messages/0/role"),
    "together_fx/invalid_preference_openai_missing_content_non_preferred.jsonl": row(
        "S312", "/non_preferred_output/0/content"
    ),
    "together_fx/invalid_preference_openai_missing_content_preferred.jsonl": row("S312", "/preferred_output/0/content"),
    "together_fx/invalid_preference_openai_missing_input.jsonl": row("S304", "/input"),
    "together_fx/invalid_preference_openai_missing_messages_in_input.jsonl": row("S304", "/input/messages"),
    "together_fx/invalid_preference_openai_missing_role_preferred.jsonl": row("S308", "/preferred_output/0"),
    "together_fx/invalid_preference_openai_multiple_preferred_outputs.jsonl": row("P602", "/preferred_output"),
    "together_fx/invalid_preference_openai_non_assistant_role_in_non_preferred.jsonl": row(
        "P602", "/non_preferred_output/0/role"
    ),
    "together_fx/invalid_preference_openai_non_dict_message.jsonl": row("S319", "/input/messages/0"),
    "together_fx/invalid_preference_openai_non_string_content_in_messages.jsonl": row(
        "S311", "/input/messages/0/content"
    ),
    "together_fx/invalid_weight.jsonl": row("S313", "/messages/0/weight", SFT, examples=1, also=["C407"]),
    "together_fx/missing_field_in_conversation.jsonl": row("S312", "/messages/1/content", SFT, examples=1),
    "together_fx/valid.jsonl": together(2),
    "together_fx/valid_conversational_single_turn.jsonl": together(3),
    "together_fx/valid_instruction.jsonl": together(2),
    "together_fx/valid_preference_openai.jsonl": together(2, DPO),
    "together_fx/valid_weights_all.jsonl": together(2),
    "together_fx/valid_weights_mixed.jsonl": together(2),
    # Texts, of which none is a row
    "naughty/blns.json": Verdict(0, {"J218": TEXTS}),
}
# Files in which there is nothing to validate: the code, and the line that it names.
REFUSED = {
    "naughty/LICENSE": ("T253", 8),
    "together_fx/empty.csv": ("E101", None),
    "together_fx/empty.jsonl": ("E101", None),
    "together_fx/non_utf8.jsonl": ("E112", 1),
}
# All their rows are read, though a platform would not read the file as it is.
ARRANGED = [
    "bad/datajuicer_pretty_array.jsonl",
    "bad/hikariming_9407_trailing_comma.json",
    "bad/hikariming_mingci_trailing_comma.json",
]
BROKEN = [
    name
    for name, verdict in VERDICTS.items()
    if name not in ARRANGED and any(code[0] in "EJT" for code in verdict.errors)
]
PROMPTS = [name for name, verdict in VERDICTS.items() if verdict.method == RFT]
# A configuration of a grader, and the rows whose fields it reads.
GRADERS = [
    ("rft_countdown_grader_config_aoai.json", "rft_countdown_train_100.jsonl"),
    ("rft_countdown_grader_config_aoai.json", "rft_countdown_valid_15.jsonl"),
    ("zava_rft_grader-config.json", "zava_rft_train.jsonl"),
]


def load(name):
    return ft.Dataset.load(CASES / name)


def places(verdict, data):
    """The lines, or lines and paths, of each error code that the verdict names."""
    every = [example.origin.line for example in data]
    return {code: every if lines == EVERY else list(lines) for code, lines in verdict.errors.items()}


def errors_of(report, verdict):
    """The same of a report: each place once for each code; that there are too few rows is no matter where none is."""
    paths = {code for code, lines in verdict.errors.items() if isinstance(lines[0], tuple)}
    found = defaultdict(dict)
    for d in report.errors:
        if d.code not in verdict.beside.split() and (verdict.examples or d.code != "K701"):
            found[d.code][(d.origin.line, d.path) if d.code in paths else d.origin.line] = None
    return {code: list(lines) for code, lines in found.items()}


def test_the_tables_name_each_file_and_the_index_does_too():
    there = {f"{folder}/{path.name}" for folder in FOLDERS for path in (CASES / folder).iterdir()}
    index = re.findall(r"^\| \w+ \| (\S+) \|", (CASES / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(VERDICTS) | set(REFUSED) == there
    assert {name for name in there if not name.startswith("naughty")} <= set(index)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_file_has_the_errors_of_its_verdict_and_no_other(name):
    verdict, data = VERDICTS[name], load(name)
    report = data.validate(method=verdict.method, target=verdict.target)
    assert errors_of(report, verdict) == places(verdict, data)
    assert len(data) == report.examples == verdict.examples
    assert report.count("D801") == verdict.copies
    assert report.ok == (not verdict.errors)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_without_a_row_is_refused_as_a_whole(name):
    with pytest.raises(ft.ReadError) as caught:
        load(name)
    assert (caught.value.diagnostic.code, caught.value.line) == REFUSED[name]


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_with_unread_lines_is_not_split_or_saved(name, tmp_path):
    data = load(name)
    with pytest.raises(ft.InvalidDatasetError):
        data.split(golden=1)
    with pytest.raises(ft.InvalidDatasetError):
        data.save(tmp_path / "saved.jsonl")


@pytest.mark.parametrize("name", ARRANGED)
def test_a_file_that_is_only_arranged_otherwise_is_mended_by_saving(name, tmp_path):
    data = load(name)
    assert ft.Dataset.load(data.save(tmp_path / "saved.jsonl")) == data
    fixed = data.fix()
    assert (fixed, fixed.account.unread) == (data, 0)
    assert not [d for d in fixed.validate().errors if d.code[0] in "EJT"]


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_alone_are_not_for_supervised_training(name):
    data = load(name)
    lines = [d.origin.line for d in data.validate().errors if d.code == "C401"]
    assert lines == [example.origin.line for example in data]


@pytest.mark.parametrize(("grader", "rows"), GRADERS)
def test_a_grader_reads_fields_that_its_rows_have(grader, rows):
    config = json.loads((CASES / "ft" / grader).read_text(encoding="utf-8"))
    assert load(f"ft/{rows}").validate(method=RFT, grader=config).ok
    others = load("ft/fw_countdown_rl_train.jsonl").validate(method=RFT, grader=config)
    assert others.count("P607") >= 32


def test_blank_lines_are_noted_and_counted_out():
    found = load("bad/lf_openai_training_blank_lines.jsonl").validate().diagnostics
    assert [(d.code, d.origin.line) for d in found] == [("J212", line) for line in range(2, 19, 2)]


def test_a_trailing_comma_names_its_own_line_and_where_a_value_was_expected():
    for name, line in (("9407", 14007), ("mingci", 62)):
        (found,) = (d for d in load(f"bad/hikariming_{name}_trailing_comma.json").problems if d.code == "J204")
        assert (found.origin.line, [origin.line for origin in found.related]) == (line - 1, [line])


def test_a_file_with_a_utf16_mark_is_read_and_told():
    data = load("bad/axolotl_utf16le_bom.jsonl")
    assert [(d.code, d.severity) for d in data.problems] == [("E104", "info")]
    assert data == ft.Dataset.load(CASES / "bad/axolotl_utf16le_bom.jsonl", encoding="utf-16")


def test_a_question_that_is_missing_is_a_warning_at_its_line():
    found = load("ft/toy_chat_fine_tuning.jsonl").validate().warnings
    assert [d.origin.line for d in found if d.code == "C408"] == [4]


def test_a_crlf_array_loads_with_its_texts():
    path = CASES / "bad/hikariming_dangjian_crlf.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [(e.prompt, e.answer) for e in load("bad/hikariming_dangjian_crlf.json")] == [
        ("\n\n".join(filter(None, (row["instruction"], row["input"]))), row["output"]) for row in rows
    ]


def test_characters_that_were_lost_are_named_by_line():
    found = load("ft/lf_c4_demo.jsonl").validate().diagnostics
    assert [d.origin.line for d in found if d.code == "E107"] == [11, 94, 109, 165]


def test_labels_of_a_foreign_format_are_kept():
    labels = [example.data["label"] for example in load("ft/lf_kto_en_demo.json")]
    assert (labels.count(True), labels.count(False)) == (150, 150)


def test_a_preference_of_sharegpt_ends_in_the_users_turn():
    data = load("ft/lf_dpo_zh_demo.json")
    assert {example.data["input"]["messages"][-1]["role"] for example in data} == {"user"}


def test_an_answer_that_is_a_tool_call_needs_no_content():
    data = load("ft/stock_toolcall_training.jsonl")
    calls = [e.data["messages"][-1] for e in data if e.data["messages"][-1].get("tool_calls")]
    assert len(calls) == 36
    assert not any("content" in message for message in calls)


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


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("text", cases("y_"))
def test_json_that_is_no_row_is_not_called_broken(tmp_path, text, suffix):
    path = tmp_path / f"case{suffix}"
    path.write_bytes(text)
    unread = {d.code for d in ft.Dataset.load(path).problems if d.severity == "error"}
    assert unread <= {"J209", "J218", "J222", "E101"}


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ""])
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

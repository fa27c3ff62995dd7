"""Validation as a whole: the same everywhere, bounded in memory, with suppression and a baseline."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import finetune_lib as ft
from finetune_lib import catalog, tokens
from finetune_lib.data.checks import parts
from finetune_lib.data.diagnostics import KEPT_PER_CODE, Findings, diagnose
from finetune_lib.records import Origin


def chat(question, answer, **extra):
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **extra}


def lines(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)


@pytest.fixture
def messy(tmp_path):
    """Rows of every sort over several parts: broken, blank, doubled, contradicting, private."""
    rows = [chat(f"第 {number} 個問題是什麼？", f"答案是 {number * 7}。") for number in range(400)]
    rows[50] = "{broken"
    rows[60] = ""
    rows[70] = rows[3]
    rows[80] = chat("第 5 個問題是什麼？", "不告訴你。")
    rows[90] = chat("我的身分證字號是 A123456789", "好的。")
    rows[100] = {"messages": [{"role": "bot", "content": "嗨"}]}
    rows[110] = {"conversations": [{"from": "human", "value": "問"}, {"from": "gpt", "value": "答"}]}
    path = tmp_path / "messy.jsonl"
    path.write_text(lines(*rows), encoding="utf-8")
    return path


def found(report):
    return {(d.code, d.origin.line) for d in report.diagnostics}


def test_all_sorts_are_found_at_their_lines(messy):
    report = ft.Dataset.load(messy).validate()
    assert {("J223", 51), ("J212", 61), ("D801", 71), ("D804", 81), ("X951", 91), ("S309", 101)} <= found(report)
    assert report.examples == 398
    assert ("S303", None) in found(report)


@pytest.mark.parametrize("size", [1, 300, 5000])
def test_the_size_of_the_parts_changes_nothing(messy, monkeypatch, size):
    whole = ft.Dataset.load(messy).validate()
    monkeypatch.setattr(parts, "PART_BYTES", size)
    assert ft.Dataset.load(messy).validate() == whole


@pytest.mark.parametrize("executor", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_gives_the_same_report(messy, monkeypatch, executor):
    monkeypatch.setattr(parts, "PART_BYTES", 4000)
    alone = ft.Dataset.load(messy).validate()
    with executor(2) as pool:
        together = ft.Dataset.load(messy).validate(executor=pool)
    assert together == alone
    assert together.to_json() == alone.to_json()


def test_dask_gives_the_same_report(messy, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the dask extra is optional")
    monkeypatch.setattr(parts, "PART_BYTES", 4000)
    alone = ft.Dataset.load(messy).validate()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as pool,
    ):
        assert ft.Dataset.load(messy).validate(executor=pool) == alone


def test_rows_in_memory_give_the_findings_of_their_file(messy):
    read = ft.Dataset.load(messy).drop_unread()
    of_file = {(d.code, d.origin.line) for d in read.validate().diagnostics}
    in_memory = {(d.code, d.origin.line) for d in ft.Dataset(list(read), name="messy.jsonl").validate().diagnostics}
    assert in_memory == of_file


def test_a_million_findings_are_counted_and_a_thousand_kept():
    gathered = Findings(diagnose("J212", Origin("x", row=n, line=n)) for n in range(1, 5001))
    assert sum(gathered.counts.values()) == 5000
    assert len(gathered.kept) == KEPT_PER_CODE


def test_the_report_says_how_many_it_left_out(tmp_path):
    path = tmp_path / "bots.jsonl"
    path.write_text(lines(*[{"messages": [{"role": "bot", "content": "x"}]}] * (KEPT_PER_CODE + 7)))
    report = ft.Dataset.load(path).validate(content=False, duplicates=False)
    assert report.count("S309") == KEPT_PER_CODE + 7
    assert report.to_dict()["left_out"]["S309"] == 7
    assert len(report.errors) < report.count("error")


@pytest.mark.parametrize("wanted", ["X951", "X9", "pii"])
def test_a_code_a_family_and_a_name_can_be_ignored(messy, wanted):
    report = ft.Dataset.load(messy).validate(ignore=[wanted])
    assert ("X951", 91) not in found(report)
    assert "M001" not in {d.code for d in report.diagnostics}


def test_what_is_ignored_in_vain_is_told(messy):
    report = ft.Dataset.load(messy).validate(ignore=["F502"])
    assert [d.args["ignored"] for d in report.diagnostics if d.code == "M001"] == ["F502"]


def test_a_row_can_ignore_for_itself_and_the_mark_is_never_saved(tmp_path):
    path = tmp_path / "marked.jsonl"
    row = chat("我的身分證字號是 A123456789", "好的。", _ftl={"ignore": ["X951"], "category": "個資"})
    path.write_text(lines(row, chat("我的身分證字號是 A123456789，請記下", "好。")), encoding="utf-8")
    data = ft.Dataset.load(path)
    report = data.validate()
    assert {d.origin.line for d in report.diagnostics if d.code == "X951"} == {2}
    assert data[0].category == "個資"
    saved = data.save(tmp_path / "out.jsonl")
    assert "_ftl" not in saved.read_text(encoding="utf-8")
    again = ft.Dataset.load(data.save(tmp_path / "with.jsonl", metadata=True))
    assert (again[0].category, again[0].ignore) == ("個資", ("X951",))


def test_a_row_that_ignores_in_vain_is_told(tmp_path):
    path = tmp_path / "marked.jsonl"
    path.write_text(lines(chat("q", "a", _ftl={"ignore": ["D804"]})))
    report = ft.Dataset.load(path).validate()
    assert [(d.args["ignored"], d.origin.row) for d in report.diagnostics if d.code == "M001"] == [("D804", 1)]


def test_a_baseline_leaves_what_is_new(messy, tmp_path):
    before = ft.Dataset.load(messy).validate().save_json(tmp_path / "before.json")
    moved = messy.read_text(encoding="utf-8").splitlines()
    moved = [moved[100], *moved[:100], *moved[101:], '{"messages": []}']
    messy.write_text("\n".join(moved) + "\n", encoding="utf-8")
    new = ft.Dataset.load(messy).validate().new_since(before)
    assert {(d.code, d.origin.line) for d in new if d.severity == "error"} == {("S305", 401)}


def test_a_report_travels_whole(messy):
    report = ft.Dataset.load(messy).validate()
    again = pickle.loads(pickle.dumps(report))
    assert again == report
    assert again.diff() == report.diff() != ""


def test_a_model_is_looked_up_once_a_run(messy, monkeypatch):
    find, looked_up = catalog.find, []
    monkeypatch.setattr(catalog, "find", lambda model: looked_up.append(model) or find(model))
    monkeypatch.setattr(parts, "PART_BYTES", 4000)
    tokens.counter_for.cache_clear()
    for content in (False, True):
        ft.Dataset.load(messy).validate(model="gpt-4.1-mini", content=content)
    assert looked_up == ["gpt-4.1-mini"] * 3  # for the rules of each run, and once for the counter


def test_format_alone_finds_every_error_of_the_form(messy):
    everything = ft.Dataset.load(messy).validate()
    form = ft.Dataset.load(messy).validate(tokens=False, duplicates=False, content=False)
    assert {(d.code, d.origin.line) for d in form.errors} == {(d.code, d.origin.line) for d in everything.errors}
    assert form.tokens is None


def test_special_tokens_are_found_even_where_only_the_format_is_asked(tmp_path):
    path = tmp_path / "special.jsonl"
    path.write_text(lines(chat("q", "a"), chat("q2", "b <|endoftext|>"), json.dumps(chat("q3", "c \ud83d"))))
    report = ft.Dataset.load(path).validate(tokens=False, duplicates=False, content=False)
    assert {("K703", 2), ("E108", 3)} <= found(report)


def test_frames_of_findings(messy):
    frame = ft.Dataset.load(messy).validate().to_pandas()
    assert set(frame["code"]) >= {"J223", "S309"}
    assert {"line", "message", "hint"} <= set(frame.columns)


@pytest.mark.parametrize(("lang", "word"), [("en", "help:"), ("zh-Hant", "建議："), ("zh-Hans", "建议：")])
def test_the_report_speaks_three_languages(messy, lang, word):
    text = ft.Dataset.load(messy).validate().text(lang=lang)
    assert word.rstrip(":：") in text

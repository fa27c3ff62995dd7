"""Data for a base at hand is held against its own tokenizer and template: every line that it cannot say is named."""

import json

import pytest
from tests.bases import folder_of_base

import finetune_lib as ft
from finetune_lib.rendering.templates import CHATML

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "台北"}'}}


def chat(question, answer="a", **more):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]}


def saved(tmp_path, *rows):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return ft.Dataset.load(path)


def found(report, *codes):
    return [(d.code, d.origin.line) for d in report.diagnostics if d.code in codes]


@pytest.fixture
def base(tmp_path):
    return str(folder_of_base(tmp_path / "base", chat_template=CHATML, limit=100))


def test_every_line_is_named(tmp_path, base):
    rows = [chat("q1"), chat("q2", None, tool_calls=[CALL]), chat("q3"), chat("q4", None, tool_calls=[CALL])]
    report = saved(tmp_path, *rows).validate(model=base)
    assert found(report, "K721") == [("K721", 2), ("K721", 4)]
    assert "the call of weather" in str(report)


def test_lengths_are_those_of_the_template(tmp_path, base):
    frame = len(
        "<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n".replace("<|im_start|>", "s").replace(
            "<|im_end|>", "e"
        )
    )
    fits = 100 - frame - len("q")
    report = saved(tmp_path, chat("q", "x" * fits), chat("q", "x" * (fits + 1)), chat("x" * 100)).validate(model=base)
    assert found(report, "K702", "K710", "K708") == [("K702", 2), ("K710", 3)]
    assert report.tokens.exact
    assert report.tokens.total == 3 * frame + (1 + fits) + (2 + fits) + 101
    assert report.tokens.longest == frame + 101


def test_a_row_that_is_broken_is_told_once(tmp_path, base):
    report = saved(tmp_path, {"messages": [{"role": "user"}]}, chat("q"), {"messages": "x"}).validate(model=base)
    assert found(report, "K721", "K720", "K702", "K710") == []
    assert {d.origin.line for d in report.errors if d.origin.line} == {1, 3}


def test_a_base_without_a_template_is_told_once(tmp_path):
    base = folder_of_base(tmp_path / "base", chat_template=None)
    report = saved(tmp_path, chat("q1"), chat("q2")).validate(model=str(base))
    assert [d.code for d in report.diagnostics if d.code[:3] == "K72"] == ["K720"]
    assert "chatml" in str(report)


def test_preferences_and_reinforcement_are_held_against_it_too(tmp_path, base):
    long, short = [{"role": "assistant", "content": "x" * 100}], [{"role": "assistant", "content": "x"}]
    asked = {"messages": [{"role": "user", "content": "q"}]}
    rows = [{"input": asked, "preferred_output": one, "non_preferred_output": other}
            for one, other in ((short, short), (short, long), (long, short))]  # fmt: skip
    report = saved(tmp_path, *rows).validate(model=base, method="dpo")
    assert found(report, "K702", "K710") == [("K702", 2), ("K702", 3)]
    questions = [{"messages": [{"role": "user", "content": "x" * size}]} for size in (5, 100)]
    report = saved(tmp_path, *questions).validate(model=base, method="reinforcement")
    assert found(report, "K702", "K710") == [("K710", 2)]


def test_data_for_a_service_is_not_held_against_a_folder(tmp_path, base):
    report = saved(tmp_path, chat("q", None, tool_calls=[CALL])).validate(model=base, target="openai")
    assert found(report, "K721", "K720") == []

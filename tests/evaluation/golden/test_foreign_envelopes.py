"""What another tool wrote around its cases is refused: it would load as cases that ask and expect nonsense."""

from __future__ import annotations

import json

import pytest

import finetune_lib as ft

RESULT = {
    "testIdx": 0,
    "promptIdx": 0,
    "prompt": {"raw": "幾公斤？"},
    "response": {"output": "23"},
    "gradingResult": None,
}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("promptfooconfig.yaml", "prompts:\n  - '{{said}}'\ntests:\n  - vars: {question: q}\n", "YAML is a config"),
        ("out.jsonl", json.dumps(RESULT) + "\n" + json.dumps(RESULT) + "\n", "results of promptfoo"),
        ("more.csv", "question,__expected\n幾公斤？,levenshtein:sitting\n登機,23\n", "__expected: assertions"),
    ],
)
def test_it_is_refused_by_name(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ft.DataError, match=message):
        ft.GoldenSet.load(tmp_path / name)

"""Hundreds of answers as models write them, read as people read them: `answers.toml` beside this file."""

import tomllib
from pathlib import Path

import pytest

from finetune_lib.evaluation.scorers import NumericMatch
from finetune_lib.records import Case

ANSWERS = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))


def right_and_wrong(kind, key):
    for group in ANSWERS[kind]:
        if key not in group:
            continue
        for right in ("right", "wrong"):
            for answer in group.get(right, ()):
                yield pytest.param(group, answer, right == "right", id=f"{group[key]!s:.30} {right} {answer:.40}")


@pytest.mark.parametrize(("group", "answer", "right"), [*right_and_wrong("number", "expected")])
def test_numbers(group, answer, right):
    told = NumericMatch()(answer, Case("7", (), group["expected"]))
    assert told.value == right, told.reason


@pytest.mark.parametrize("expected", [text for group in ANSWERS["number"] for text in group.get("refused", ())])
def test_no_one_number_is_expected(expected):
    with pytest.raises(ValueError, match=r"case 7 expects (no number|several numbers)"):
        NumericMatch()("5", Case("7", (), expected))

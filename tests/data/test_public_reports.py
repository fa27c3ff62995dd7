"""Inputs written after public reports of trouble with such data, with the right answer of each."""

import pytest
from tests.files import SHARED

import finetune_lib as ft

CASES = SHARED / "cases" / "data_2026_11"
if not CASES.is_dir():
    pytest.skip("the shared cases are not here", allow_module_level=True)


def learned(row):
    return [turn["content"] for turn in row.data["messages"] if turn["role"] == "assistant" and turn.get("weight") != 0]


def test_a_turn_that_is_masked_is_not_learned_before_and_after_a_fix():
    data = ft.Dataset.load(CASES / "M19_loss_swift.jsonl")
    assert {text for row in data for text in learned(row)} == {"right"}
    assert {text for row in data.fix(safe_only=False) for text in learned(row)} == {"right"}


def test_a_mask_in_a_cell_counts():
    data = ft.Dataset.load(CASES / "C10_messages_json.csv")
    assert [learned(data[place]) for place in range(4)] == [["答0"], ["答1"], [], ["答3"]]


def test_pictures_cost_what_they_cost():
    found = ft.Dataset.load(CASES / "M15_vision.jsonl").estimate("gpt-4o")
    assert 0.25 <= found.cost <= 1.94
    assert not found.exact


def test_latex_that_json_ate_is_named_and_restored():
    data = ft.Dataset.load(CASES / "L01_latex_valid_json.jsonl")
    report = data.validate()
    assert {finding.origin.line for finding in report.diagnostics if finding.code == "E126"} == set(range(1, 12))
    assert not [finding for finding in report.diagnostics if finding.code == "E105"]
    asked, answered = (turn["content"] for turn in data.fix(safe_only=False)[0].data["messages"])
    assert (asked, answered) == (r"計算 $\frac{1}{2} \times 3$", r"$\theta = \nu \rho$ 等於 0")

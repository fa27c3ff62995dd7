"""A report as JSON opens again as it was."""

from __future__ import annotations

import json

import pytest

import finetune_lib as ft


def test_a_saved_report_opens_again_with_the_same_verdicts(report: ft.Report, tmp_path):
    again = ft.Report.load(report.save_json(tmp_path / "report.json"))
    assert again == report
    for measure in report.measures:
        ours = again.verdict("tuned", baseline="base", scorer=measure)
        assert ours == report.verdict("tuned", baseline="base", scorer=measure)
    assert str(again) == str(report)


def test_it_is_plain_json_that_says_the_verdicts(report: ft.Report, tmp_path):
    body = json.loads(report.save_json(tmp_path / "report.json").read_text(encoding="utf-8"))
    assert body["format"] == "finetune_lib.report"
    assert body["verdicts"] == [str(comparison) for comparison in report.comparisons]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "finetune_lib.report", "version": 99}', "\ud83d".encode("utf-8", "replace")]
)
def test_what_is_no_report_is_refused_by_name(content, tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ft.ReadError, match=r"other\.json is no report"):
        ft.Report.load(path)


def test_a_missing_file_is_a_read_error(tmp_path):
    with pytest.raises(ft.ReadError, match=r"none\.json"):
        ft.Report.load(tmp_path / "none.json")

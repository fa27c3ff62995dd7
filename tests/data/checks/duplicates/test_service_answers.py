"""Sixty sound answers of customer service, as people write them, with their polite openings and closings."""

from pathlib import Path

import finetune_lib as ft


def test_polite_openings_and_closings_make_no_duplicates():
    """Answers of customer service begin and end alike; each says something else, and none is to go."""
    data = ft.Dataset.load(Path(__file__).parent / "service_answers.csv")
    assert len(data) == 60
    assert [d for d in data.validate(near=True).diagnostics if d.code.startswith("D8")] == []
    assert len(data.deduplicate(near=True)) == 60
    other = [(d.prompt.replace("？", "呢？"), d.answer) for d in data][
        :1
    ]  # one that is the same in other words is named
    grown = data.extend(
        ft.Dataset.from_rows([{"prompt": question, "completion": answer} for question, answer in other])
    )
    assert [d.code for d in grown.validate(near=True).diagnostics if d.code.startswith("D8")] == ["D802"]

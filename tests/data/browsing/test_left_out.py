"""Rows that somebody who read the page has marked are left out, and no others."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.rows.identity import content_hash


def test_a_list_of_other_data_is_refused_and_rows_that_moved_are_found(tmp_path):
    data = ft.Dataset.from_rows([{"prompt": f"{n}?", "completion": "a"} for n in range(3)])
    hashes = [content_hash(row.data) for row in data]
    path = tmp_path / "a.left-out.json"

    def listed(*rows: tuple[int, str]) -> None:
        left_out = [{"example": number, "row": row} for number, row in rows]
        path.write_text(json.dumps({"dataset": "a", "left_out": left_out}))

    listed((1, hashes[2]))
    assert [row.prompt for row in data.leave_out(path)] == ["0?", "1?"]
    listed((2, hashes[1]), (3, "0" * 32))
    with pytest.raises(ft.DataError, match=r"1 of 2 examples are not in this data.*numbers 3"):
        data.leave_out(path)
    listed((1, hashes[0]))
    twice = ft.Dataset.from_rows([{"prompt": "9?", "completion": "a"}, *data.to_rows(), *data.to_rows()])
    with pytest.raises(ft.DataError, match="1 of 1"):  # which of the two is meant cannot be told
        twice.leave_out(path)
    path.write_text('{"left_out": 1}')
    with pytest.raises(ft.DataError, match="no list of examples to leave out"):
        data.leave_out(path)

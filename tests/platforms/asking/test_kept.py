"""The file of what was paid for."""

from __future__ import annotations

import sqlite3
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.errors import DataError
from finetune_lib.platforms.asking import Kept, Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_what_is_put_comes_back(body):
    kept = Kept(":memory:")
    kept.put("k", "m", body)
    assert kept.get("k") == body
    kept.forget("k")
    assert kept.get("k") is None
    kept.close()


def test_it_is_there_in_the_next_process_and_nobody_else_may_read_it(tmp_path):
    path = tmp_path / "deep" / "answers.db"
    one, other = Kept(path), Kept(path)
    one.put("a", "m", {"text": "half \ud83d"})
    other.put("b", "m", {"text": "行李"})
    assert one.get("b") == {"text": "行李"}
    one.close()
    other.close()
    again = Kept(path)
    assert again.get("a") == {"text": "half \ud83d"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again.close()


def test_a_file_that_is_damaged_is_told(tmp_path):
    kept = Kept(tmp_path / "a.db")
    kept.put("a", "m", {})
    kept._db.execute("UPDATE replies SET body = '{half'")
    with pytest.raises(DataError, match="cannot be read"):
        kept.get("a")
    kept.close()


def test_a_full_disk_is_told(tmp_path):
    kept = Kept(tmp_path / "a.db")
    kept._db.execute("PRAGMA max_page_count=4")
    with pytest.raises(DataError, match="could not be kept") as caught:
        kept.put("a", "m", {"text": "x" * 100_000})
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    kept.close()


def test_a_store_of_earlier_versions_has_thought_and_answer_in_one_text():
    kept = {"text": "<think>hm</think>yes", "usage": [1, 1], "finish_reason": "stop", "model": "m", "seconds": 0.1}
    reply = Reply.from_json(kept)
    assert (reply.reasoning, reply.text) == ("hm", "yes")
    assert Reply.from_json(reply.as_json()) == reply

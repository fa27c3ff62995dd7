"""The platform's memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from finetune_lib.local.store import Store, UnknownCursorError


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path)) as store:
        yield store


def ids(found):
    return [body["id"] for body in found[0]]


def test_object_comes_back_as_it_was(store):
    body = {"id": "a", "text": "台灣 🏙", "none": None, "deep": {"list": [1, 2.5, True]}}
    store.add("job", body)
    assert store.get("job", "a") == body
    assert store.get("file", "a") is None
    assert store.get("job", "b") is None


def test_changes_are_merged(store):
    store.add("job", {"id": "a", "status": "queued", "model": "tiny"})
    assert store.update("job", "a", {"status": "running"}) == {"id": "a", "status": "running", "model": "tiny"}
    assert store.get("job", "a")["status"] == "running"


def test_deleted_object_is_gone(store):
    store.add("file", {"id": "a"})
    assert store.delete("file", "a")
    assert not store.delete("file", "a")
    assert ids(store.page("file")) == []


def test_failed_transaction_leaves_nothing(store):
    store.add("job", {"id": "a", "status": "queued"})

    def start():
        with store.transaction():
            store.add("event", {"id": "e"}, parent="a")
            store.update("job", "a", {"status": "running"})
            store.set_run("a", attempt=1, offset=10)
            raise KeyError

    with pytest.raises(KeyError):
        start()
    assert store.get("event", "e") is None
    assert store.get("job", "a")["status"] == "queued"
    assert store.run("a") == (0, 0)
    store.add("event", {"id": "e"}, parent="a")
    assert ids(store.page("event", parent="a")) == ["e"]


def test_inner_transaction_falls_with_the_outer_one(store):
    def nest():
        with store.transaction():
            with store.transaction():
                store.add("job", {"id": "a"})
            raise KeyError

    with pytest.raises(KeyError):
        nest()
    assert store.get("job", "a") is None


def test_same_mark_is_told_once(store):
    store.add("event", {"id": "a"}, parent="job", mark="step 1")
    store.add("event", {"id": "b"}, parent="job", mark="step 1")
    store.add("event", {"id": "c"}, parent="other", mark="step 1")
    store.add("event", {"id": "d"}, parent="job")
    store.add("event", {"id": "e"}, parent="job")
    assert ids(store.page("event", parent="job")) == ["e", "d", "a"]


def test_pages_know_whether_more_follow(store):
    for name in "abc":
        store.add("file", {"id": name})
    assert store.page("file", limit=3)[1] is False
    assert store.page("file", limit=2)[1] is True
    assert store.page("file")[1] is False
    assert ids(store.page("file", limit=2)) == ["c", "b"]
    assert ids(store.page("file", limit=2, after="b")) == ["a"]
    assert ids(store.page("file", limit=2, after="b", ascending=True)) == ["c"]


def test_unknown_cursor_is_refused(store):
    store.add("job", {"id": "a"})
    with pytest.raises(UnknownCursorError):
        store.page("file", after="a")


def test_fields_are_matched_whole(store):
    for name, purpose in [("a", "batch"), ("b", "evals"), ("c", "batch")]:
        store.add("file", {"id": name, "purpose": purpose, "metadata": {"a b.c": name}})
    assert ids(store.page("file", where={"$.purpose": "batch"})) == ["c", "a"]
    assert ids(store.page("file", where={'$.metadata."a b.c"': "b"})) == ["b"]
    assert ids(store.page("file", where={"$.purpose": "bat"})) == []


def test_all_is_there_after_opening_again(tmp_path):
    with closing(Store(tmp_path)) as store:
        store.add("job", {"id": "a"})
        store.set_run("a", attempt=2, offset=7)
        store.blob("f").write_bytes(b"x")
    with closing(Store(tmp_path)) as store:
        assert store.get("job", "a") == {"id": "a"}
        assert store.run("a") == (2, 7)
        assert store.blob("f").read_bytes() == b"x"


def test_threads_do_not_lose_each_others_changes(store):
    store.add("job", {"id": "a", "count": 0})

    def count(_):
        with store.transaction():
            store.update("job", "a", {"count": store.get("job", "a")["count"] + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    assert store.get("job", "a")["count"] == 200

"""The store against a plain list, under any sequence of calls."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from finetune_lib.local.store import Store

PARENTS = st.sampled_from(["job-1", "job-2"])
MARKS = st.none() | st.sampled_from(["step 1", "step 2", "step 3"])
VALUES = st.none() | st.integers(-5, 5) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


class RollbackError(Exception):
    """Ends a transaction."""


class StoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name))
        self.kept = []  # (parent, mark, body), the oldest first
        self.added = 0

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def new(self, value):
        self.added += 1
        return {"id": f"e{self.added}", "value": value}

    @rule(parent=PARENTS, mark=MARKS, value=VALUES)
    def add(self, parent, mark, value):
        body = self.new(value)
        self.store.add("event", body, parent=parent, mark=mark)
        if mark is None or (parent, mark) not in [entry[:2] for entry in self.kept]:
            self.kept.append((parent, mark, body))

    @rule(parent=PARENTS, value=VALUES)
    def add_and_roll_back(self, parent, value):
        with suppress(RollbackError), self.store.transaction():
            self.store.add("event", self.new(value), parent=parent)
            for _, _, body in self.kept:
                self.store.delete("event", body["id"])
            raise RollbackError

    @precondition(lambda self: self.kept)
    @rule(choice=st.integers(0), value=VALUES)
    def update(self, choice, value):
        _, _, body = self.kept[choice % len(self.kept)]
        body["value"] = value
        assert self.store.update("event", body["id"], {"value": value}) == body

    @precondition(lambda self: self.kept)
    @rule(choice=st.integers(0))
    def delete(self, choice):
        _, _, body = self.kept.pop(choice % len(self.kept))
        assert self.store.delete("event", body["id"])

    @rule()
    def open_again(self):
        self.store.close()
        self.store = Store(Path(self.folder.name))

    @rule(parent=st.none() | PARENTS, limit=st.integers(1, 4), ascending=st.booleans())
    def walk_all_pages(self, parent, limit, ascending):
        wanted = [body for owner, _, body in self.kept if parent in (None, owner)]
        found, after, more = [], None, True
        while more:
            page, more = self.store.page("event", parent=parent, after=after, limit=limit, ascending=ascending)
            assert len(page) == limit or not more
            found += page
            after = page[-1]["id"] if page else None
        assert found == (wanted if ascending else wanted[::-1])

    @invariant()
    def nothing_is_lost(self):
        assert self.store.page("event", ascending=True) == ([body for _, _, body in self.kept], False)


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestStore = StoreMachine.TestCase

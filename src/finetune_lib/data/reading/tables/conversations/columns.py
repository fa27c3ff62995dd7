"""A table with the turns of a conversation in numbered columns: `user_1`, `assistant_1`, `user_2` …."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.tables.body import at_cell
from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.conversations.turns import Chats, Turn, cell_of
from finetune_lib.data.reading.tables.headers import folded
from finetune_lib.data.reading.tables.words import role_of
from finetune_lib.records import Example, Origin

CHINESE = "一二三四五六七八九十"
NUMBERED = re.compile(rf"(?P<name>.*?[^\W\d_])[\s_\-#.(]*(?P<number>\d{{1,2}}|[{CHINESE}])?\)?")
WORDS = {
    "question": "user", "prompt": "user", "問題": "user", "问题": "user", "使用者": "user",
    "reply": "assistant", "response": "assistant", "completion": "assistant", "答案": "assistant", "回應": "assistant",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbered:
    """A column of one turn of each conversation."""

    number: int
    role: str
    place: int


@dataclass(slots=True)
class TurnsInColumns(Chats):
    """Rows that each hold a conversation.

    Attributes:
        turns: The columns in the order of the conversation.
        names: The header.
    """

    turns: Sequence[Numbered] = ()
    names: Sequence[str] = ()

    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """The conversation up to the last filled turn; one that is empty in the middle makes it none."""
        said = [Turn(turn.role, cell_of(row, turn.place), row.address(turn.place)) for turn in self.turns]
        last = max((place for place, turn in enumerate(said) if turn.text), default=-1)
        hole = next((self.turns[place] for place in range(last) if not said[place].text), None)
        if hole:
            yield diagnose("T308", at_cell(origin, row, hole.place), column=self.names[hole.place])
        else:
            yield self.chat(said, row, origin)


def numbered_turns(names: Sequence[str]) -> Sequence[Numbered]:
    """The columns of turns by their names: at least two questions, each but the last with its answer; else none.

    A first turn may go without a number, as in `user, assistant, user.1, assistant.1`.
    """
    found = [turn for place, name in enumerate(names) if (turn := _numbered(name, place))]
    sides: Mapping[str, list[int]] = {
        role: sorted(turn.number for turn in found if turn.role == role) for role in ("user", "assistant")
    }
    users, assistants = sides["user"], sides["assistant"]
    open_end = 1 if users[:1] > [0] else 0  # a first one without a number is no sign that a second question goes on
    pairs = len(users) > 1 and len(assistants) in (len(users), len(users) - open_end)
    if not pairs or users[: len(assistants)] != assistants or len(set(users)) < len(users):
        return ()
    return sorted(found, key=lambda turn: (turn.number, turn.role == "assistant"))


def _numbered(name: str, place: int) -> Numbered | None:
    match = NUMBERED.fullmatch(folded(name))
    if match is None:
        return None
    word = match["name"].strip()
    role = WORDS.get(word) or role_of(word)
    if role not in ("user", "assistant"):
        return None
    digits = match["number"] or "0"
    return Numbered(int(digits) if digits.isdecimal() else CHINESE.index(digits) + 1, role, place)

"""From turns to the chat of one example; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.tables.body import Making
from finetune_lib.data.reading.tables.cells import Row, is_blank, letters, text_of
from finetune_lib.records import Example, Origin


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says at once.

    Attributes:
        role: Who speaks.
        text: What is said.
        cell: The spreadsheet cell that it stands in; empty in other tables.
    """

    role: str
    text: str
    cell: str = ""


@dataclass(slots=True)
class Chats(Making):
    """Conversations of a table; what no answer follows is left out and told once.

    Attributes:
        places: From what a row is read for to its column; a category and a system message among them.
        texts: The columns of what is said.
    """

    places: Mapping[str, int]
    texts: Sequence[int]
    paths: Mapping[str, str] = field(init=False)
    _unanswered: list[Origin] = field(default_factory=list[Origin])

    def __post_init__(self) -> None:
        """Work out where what stands beside a conversation is."""
        self.paths = {f"/{name}": letters(place) for name, place in self.places.items() if name == "category"}

    def chat(self, turns: Sequence[Turn], row: Row, origin: Origin) -> Example | Diagnostic:
        """The example of one conversation, or why it gives none."""
        messages, unanswered = _answered(_joined([*self._system(turns, row), *turns]))
        if len({turn.role for turn in messages} & {"user", "assistant"}) < 2:
            return diagnose("T315", origin)
        if unanswered:
            self._unanswered.append(origin)
        said = [{"role": turn.role, "content": turn.text} for turn in messages]
        cells = {f"/messages/{place}/content": turn.cell for place, turn in enumerate(messages) if turn.cell}
        origin = replace(origin, cells={**origin.cells, **cells}) if cells else origin
        return Example({"messages": said}, origin, self._category(row))

    def end(self) -> Iterator[Example | Diagnostic]:
        """The note on questions without an answer."""
        if self._unanswered:
            yield diagnose("T314", self._unanswered[0], count=len(self._unanswered))

    def _system(self, turns: Sequence[Turn], row: Row) -> Iterator[Turn]:
        text = cell_of(row, self.places.get("system"))
        if text and not any(turn.role == "system" for turn in turns):
            yield Turn("system", text, row.address(self.places["system"]))

    def _category(self, row: Row) -> str | None:
        return cell_of(row, self.places.get("category")) or None


def cell_of(row: Row, place: int | None) -> str:
    """The text of a row's cell without spaces around it; empty where there is none."""
    cell = row.cells[place] if place is not None and place < len(row.cells) else ""
    return "" if is_blank(cell) else text_of(cell).strip()


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    """Without empty turns; what one side says in several rows is one turn of several lines."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and turn.text and joined[-1].role == turn.role:
            joined[-1] = replace(joined[-1], text=f"{joined[-1].text}\n{turn.text}")
        elif turn.text:
            joined.append(turn)
    return joined


def _answered(turns: list[Turn]) -> tuple[list[Turn], bool]:
    """Up to the last answer, and whether something stands behind it."""
    last = max((place for place, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
    return turns[: last + 1], last + 1 < len(turns)

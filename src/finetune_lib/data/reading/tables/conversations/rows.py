"""A table with a turn in each row: who speaks in one column, what is said in another, and what tells talks apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.options import ReadError, unreadable
from finetune_lib.data.reading.tables.body import at_cell
from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.conversations.turns import Chats, Turn, cell_of
from finetune_lib.data.reading.tables.evidence import Column
from finetune_lib.data.reading.tables.words import role_of
from finetune_lib.records import Example, Origin

FEW_ROWS = 12  # so few rows without anything that parts them are one conversation
LISTED = 4
GROUPED = frozenset({"ids", "numbers", "names"})


@dataclass(frozen=True, slots=True)
class Parted:
    """What tells the conversations of a table apart.

    Attributes:
        by: A column of ids, blank rows between them, a counter that begins anew, or nothing: they are one.
        place: The column, of an id or a counter.
        down: Whether an empty id is that of the row above.
    """

    by: str
    place: int | None = None
    down: bool = False


@dataclass(slots=True)
class _Talk:
    """The turns of one conversation so far, each with its number in it where a column counts them."""

    row: Row
    origin: Origin
    turns: list[tuple[int, Turn]] = field(default_factory=list[tuple[int, Turn]])


@dataclass(slots=True)
class TurnsInRows(Chats):
    """Rows that are gathered to conversations.

    Attributes:
        roles: Speakers that the user names.
        parted: What tells the conversations apart.
    """

    roles: Mapping[str, str] | None = None
    parted: Parted = Parted("nothing: all rows are one")
    _talks: dict[object, _Talk] = field(default_factory=dict[object, _Talk])
    _broken: set[object] = field(default_factory=set[object])
    _key: object = None
    _counted: int | None = None
    _blank: bool = False
    _lost: bool = False

    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """A finding where the row does not tell who speaks, or where."""
        key = self._key_of(row)
        if key is None:
            self.lost()
            yield diagnose("T317", origin, what="to which conversation it belongs", text="")
            return
        talk = self._talks.setdefault(key, _Talk(row, origin))
        if self._lost:
            self._broken.add(key)
        self._key, self._lost = key, False
        if not (text := cell_of(row, self.places["content"])):
            yield diagnose("T278", origin)
            return
        speaker, number = cell_of(row, self.places["role"]), cell_of(row, self.places.get("turn"))
        role = role_of(speaker, self.roles)
        if role is None or ("turn" in self.places and not number.isdecimal()):
            self._broken.add(key)
            what, name = ("which turn it is", "turn") if role else ("who speaks", "role")
            yield diagnose("T317", at_cell(origin, row, self.places[name]), what=what, text=number if role else speaker)
        else:
            turn = Turn(role, text, row.address(self.places["content"]))
            talk.turns.append((int(number or 0), turn))

    def blank(self) -> None:
        """A blank row may part conversations."""
        self._blank = True

    def lost(self, row: Row | None = None) -> None:
        """The conversations of the rows around one that could not be read are not whole, nor is that of its own id."""
        named = cell_of(row, self.parted.place) if row and self.parted.by == "column" else ""
        self._broken |= {named, self._key}
        self._lost = True

    def end(self) -> Iterator[Example | Diagnostic]:
        """The conversations in the order of their first rows."""
        for key, talk in self._talks.items():
            turns = sorted(talk.turns, key=lambda counted: counted[0])
            if key in self._broken:
                yield diagnose("T313", talk.origin)
            else:
                yield self.chat([turn for _, turn in turns], talk.row, talk.origin)
        yield from Chats.end(self)

    def _key_of(self, row: Row) -> object:
        """The conversation that a row belongs to; None where it should say so and does not."""
        cell = cell_of(row, self.parted.place)
        blank, self._blank = self._blank, False
        if self.parted.by == "column":
            return cell or (self._key if self.parted.down and self._talks else None)
        if self.parted.by == "counter":
            counted, last = int(cell) if cell.isdecimal() else None, self._counted
            self._counted = counted if counted is not None else last
            begins = counted is not None and last is not None and counted <= last
            return len(self._talks) if begins or not self._talks else self._key
        return len(self._talks) if not self._talks or (blank and self.parted.by == "blank rows") else self._key


def parted_by(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    taken: Sequence[int],
    roles: Mapping[str, str] | None,
    whole: bool,
    gaps: bool,
) -> Parted | None:
    """What tells the conversations apart: ids, blank rows, a counter; few rows are one conversation; else None.

    Args:
        columns: The columns.
        rows: The filled rows at the table's head.
        taken: The columns of who speaks, and what.
        roles: Speakers that the user names.
        whole: Whether these are all rows of the table.
        gaps: Whether blank rows stand between them.
    """
    free = [column for column in columns if column.place not in taken]
    sides = [role_of(cell_of(row, taken[0]), roles) for row in rows]
    ids = [found for column in free if (found := _as_id(column, rows, sides, whole=whole))]
    if ids:
        return max(ids, key=lambda found: found[0])[1]
    if gaps:
        return Parted("blank rows")
    counters = [column.place for column in free if column.is_named("turn") and _counts_anew(column, rows)]
    if counters:
        return Parted("counter", counters[0])
    one = any(column.is_named("conversation") and len(set(column.values)) == 1 for column in free)
    return Parted("nothing: all rows are one") if whole and (one or len(rows) <= FEW_ROWS) else None


def told_apart(column: Column, rows: Sequence[Row]) -> Parted:
    """By the column that the user names; an empty cell is that of the row above where the first row has one."""
    return Parted("column", column.place, down=bool(rows) and bool(cell_of(rows[0], column.place)))


def _as_id(
    column: Column, rows: Sequence[Row], sides: Sequence[str | None], *, whole: bool
) -> tuple[tuple[bool, bool, int], Parted] | None:
    """How well a column tells conversations apart: its values repeat, and nearly each has both sides."""
    cells = [cell_of(row, column.place) for row in rows]
    named = column.is_named("conversation")
    blank = not all(cells)
    if not cells or not cells[0] or (blank and not named) or len(set(column.values)) == len(cells):
        return None
    if column.holds in ("dates", "speakers") or not (named or column.holds in GROUPED):
        return None
    groups: dict[str, set[str | None]] = {}
    runs, last = 0, ""
    for cell, side in zip(cells, sides, strict=True):
        runs += bool(cell) and cell != last
        last = cell or last
        groups.setdefault(last, set()).add(side)
    judged = list(groups.values())[: None if whole else -1]
    mixed = sum({"user", "assistant"} <= group for group in judged) >= (0.5 if named else 0.9) * len(judged)
    together = runs == len(groups)
    if len(groups) < 2 or not judged or not mixed or not (together or named):
        return None
    return (together, named, -column.place), Parted("column", column.place, down=blank)


def _counts_anew(column: Column, rows: Sequence[Row]) -> bool:
    """Whether a column counts turns and begins anew with each conversation."""
    cells = [cell_of(row, column.place) for row in rows]
    return all(cell.isdecimal() for cell in cells) and cells.count(cells[0]) > 1


def speakers_of(column: Column, roles: Mapping[str, str] | None, *, line: int | None) -> Mapping[str, str]:
    """From each speaker of a column to the role.

    Raises:
        ReadError: Some are not known, or all are on one side.
    """
    names = list(dict.fromkeys(column.values))
    found = {name: role_of(name, roles) for name in names}
    if unknown := [name for name, role in found.items() if role is None]:
        raise unknown_speakers(unknown, column.name, line=line)
    if not {"user", "assistant"} <= set(found.values()):
        raise unreadable("T305", line=line, column=column.name, names=", ".join(names), roles=roles_call(names))
    return {name: role for name, role in found.items() if role}


def unknown_speakers(names: Sequence[str], column: str, *, line: int | None) -> ReadError:
    """The error for speakers of whom it is not known on which side they are."""
    shown = [*dict.fromkeys(names)][:LISTED]
    return unreadable("T304", line=line, column=column, names=", ".join(shown), roles=roles_call(shown))


def roles_call(names: Sequence[str]) -> str:
    """The names as they are to be told: `{'小美': …, '阿強': …}`."""
    return "{" + ", ".join(f"{name!r}: …" for name in names[:LISTED]) + "}"


def counts_turns(columns: Sequence[Column], taken: Sequence[int]) -> int | None:
    """The column that numbers the turns; never a time, which repeats."""
    found = (c for c in columns if c.place not in taken and c.is_named("turn") and c.values)
    return next((c.place for c in found if all(re.fullmatch(r"\d+", value) for value in c.values)), None)

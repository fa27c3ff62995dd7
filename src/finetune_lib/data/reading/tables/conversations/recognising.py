"""Whether a table holds conversations, by the evidence of its names and first rows, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.options import Options, ReadError, unreadable
from finetune_lib.data.reading.tables.body import Making
from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.conversations.cells import ConversationsInCells, said_in, turns_in_json
from finetune_lib.data.reading.tables.conversations.choices import Choices, choices_in, has_options
from finetune_lib.data.reading.tables.conversations.columns import TurnsInColumns, numbered_turns
from finetune_lib.data.reading.tables.conversations.rows import (
    Parted,
    TurnsInRows,
    counts_turns,
    parted_by,
    speakers_of,
    told_apart,
    unknown_speakers,
)
from finetune_lib.data.reading.tables.evidence import Column, columns_of, json_in, share
from finetune_lib.data.reading.tables.headers import AFFIXED, WEAK, Header, folded, recognise
from finetune_lib.data.reading.tables.pairs import Pairs
from finetune_lib.data.reading.tables.proposing import likely_pair
from finetune_lib.data.reading.tables.scripts import names_in
from finetune_lib.data.reading.tables.words import role_of
from finetune_lib.records import Origin
from finetune_lib.rows.messages import fields_of, items_of

MOST_SPEAKERS = 6
WIRE_NAMES = {
    "messages": ("role", frozenset({"system", "developer", "user", "assistant", "tool", "function"})),
    "conversations": (
        "from",
        frozenset({"system", "human", "gpt", "user", "assistant", "function_call", "observation"}),
    ),
}
TEXTS = ("texts", "short words", "a few values", "names")


@dataclass(frozen=True, slots=True)
class Recognised:
    """How the conversations of a table are read.

    Attributes:
        making: What makes examples of the rows.
        note: What was understood.
    """

    making: Making
    note: Diagnostic


@dataclass(frozen=True)
class Head:
    """What is known of a table before its rows are read.

    Attributes:
        header: Its names, and the fields that they are known for.
        rows: The filled rows below the header, as far as they were looked at.
        whole: Whether these are all rows.
        gaps: Whether blank rows stand between them.
        options: What the user says.
        origin: The header's place.
    """

    header: Header
    rows: Sequence[Row]
    whole: bool
    gaps: bool
    options: Options
    origin: Origin

    @cached_property
    def columns(self) -> Sequence[Column]:
        """What its columns hold."""
        return columns_of(self.header.names, self.rows, roles=self.options.roles)

    @property
    def pair(self) -> bool:
        """Whether the names are those of a question and an answer for certain."""
        return self.header.complete and self.header.worst <= AFFIXED

    @property
    def labelled(self) -> bool:
        """Whether the answer would be the label of a text, and not called an answer."""
        place = self.header.places.get("completion")
        return place is not None and self.header.worst > AFFIXED

    @property
    def of_category(self) -> bool:
        """Whether that label is named a category, which is an answer only where nothing else is."""
        label = self.header.names[self.header.places["completion"]]
        return recognise([label], fields=("category",)).ranks.get("category", WEAK) < WEAK

    def column(self, name: str, field: str) -> Column:
        """The column of this name.

        Raises:
            ReadError: There is none.
        """
        found = [column for column in self.columns if folded(column.name) == folded(name)]
        if len(found) != 1:
            listed = ", ".join(column.name for column in self.columns if column.name)
            code = "T262" if found else "T265"
            raise unreadable(code, line=self.origin.line, column=name, field=field, columns=listed)
        return found[0]

    def unclear(self, what: str, columns: str, way: str) -> ReadError:
        """The error for columns that may be meant in several ways."""
        return unreadable("T307", line=self.origin.line, what=what, columns=columns, way=way)

    def beside(self, taken: Sequence[int]) -> Mapping[str, int]:
        """The columns of a category and a system message."""
        names = ["" if place in taken else name for place, name in enumerate(self.header.names)]
        told = {name: column for name, column in (self.options.columns or {}).items() if name in ("system", "category")}
        return recognise(names, told, fields=("system", "category")).places


def recognise_conversations(head: Head) -> Recognised | None:
    """How a table's conversations are read; None where it shows none.

    Names that say question and answer for certain leave multiple choice and numbered turns alone to be looked for.

    Raises:
        ReadError: It holds conversations, but does not say enough to read them.
    """
    asked = head.options.roles is not None or head.options.conversation is not None
    if not asked and (found := _choices(head) or _in_columns(head)):
        return found
    if head.pair and not asked:
        return None
    found = _in_rows(head) or _in_cells(head)
    if asked and found is None:
        listed = ", ".join(column.name for column in head.columns if column.name) or "-"
        raise head.unclear("who speaks", listed, 'columns={"role": …, "content": …}')
    return found


def _choices(head: Head) -> Recognised | None:
    known = head.header.places
    found = has_options(head.header.names) and choices_in(head.columns, head.rows, known, line=head.origin.line)
    if not found:
        return None
    taken = [found.answer.place, *(column.place for column in found.options)]
    question = known.get("prompt", next(iter(_questions(head, taken)), None))
    if question is None or question in taken:
        listed = ", ".join(column.name for column in head.columns if column.name and column.place not in taken)
        raise head.unclear("the question", listed or "-", 'columns={"prompt": …}')
    places = {"question": question, "answer": found.answer.place, **head.beside([*taken, question])}
    options = [column.place for column in found.options]
    making = Choices(
        {**places, **_as_places("option", options)}, [question, *options], options=options, marks=found.marks
    )
    listed = ", ".join(column.name for column in found.options)
    asked = head.header.names[question]
    return Recognised(making, diagnose("T303", head.origin, options=listed, question=asked, answer=found.answer.name))


def _questions(head: Head, taken: Sequence[int]) -> Sequence[int]:
    """The columns that may be the question of multiple choice: the one named so, else the one of texts."""
    free = [column for column in head.columns if column.place not in taken and column.holds in TEXTS]
    named = [column.place for column in free if column.is_named("question") and not column.is_named("aside")]
    texts = [column.place for column in free if column.holds == "texts" and not column.is_named("aside")]
    return named if len(named) == 1 else texts if len(texts) == 1 and not named else ()


def _in_columns(head: Head) -> Recognised | None:
    turns = numbered_turns(head.header.names)
    if not turns:
        return None
    taken = [turn.place for turn in turns]
    places = {**_as_places("turn ", taken), **head.beside(taken)}
    making = TurnsInColumns(places, taken, turns=turns, names=head.header.names)
    listed = ", ".join(head.header.names[place] for place in taken)
    return Recognised(making, diagnose("T301", head.origin, columns=listed))


def _as_places(name: str, places: Sequence[int]) -> Mapping[str, int]:
    return {f"{name}{number}": place for number, place in enumerate(places)}


def _in_rows(head: Head) -> Recognised | None:
    """A turn a row, where a column names speakers and another holds what they say."""
    told = head.options.conversation
    if told and head.column(told, "conversation").holds in ("whole conversations", "JSON"):
        return None
    speaker = _speaker(head)
    content = speaker and _content(head, speaker)
    if speaker is None or content is None:
        return None
    roles = head.options.roles
    sides = speakers_of(speaker, roles, line=head.origin.line)
    taken = [speaker.place, content.place]
    parted = told_apart(head.column(told, "conversation"), head.rows) if told else _parted(head, taken)
    if parted is None:
        if head.labelled and not head.of_category:
            return None
        free = [column.name for column in head.columns if column.name and column.place not in taken]
        raise unreadable("T306", line=head.origin.line, columns=", ".join(free) or "-")
    places = {"role": speaker.place, "content": content.place}
    if parted.place is not None:
        taken = [*taken, parted.place]
    if parted.by == "column" and parted.place is not None:
        places["conversation"] = parted.place
        if (turn := counts_turns(head.columns, taken)) is not None:
            places["turn"] = turn
    places |= head.beside([*taken, *places.values()])
    making = TurnsInRows(places, [content.place], roles=roles, parted=parted)
    spoken = ", ".join(f"{name} = {role}" for name, role in sides.items())
    by = repr(head.header.names[parted.place]) if parted.place is not None else parted.by
    note = diagnose("T300", head.origin, role=speaker.name, roles=spoken, content=content.name, by=by)
    return Recognised(making, note)


def _parted(head: Head, taken: Sequence[int]) -> Parted | None:
    """What tells the conversations apart; where the names say text and label, a column of ids alone is evidence."""
    parted = parted_by(head.columns, head.rows, taken=taken, roles=head.options.roles, whole=head.whole, gaps=head.gaps)
    return parted if parted is None or parted.by == "column" or not head.labelled else None


def _speaker(head: Head) -> Column | None:
    """The column that says who speaks.

    Raises:
        ReadError: Several do, or the one that is named so holds names of whom no side is known.
    """
    if told := (head.options.columns or {}).get("role"):
        return head.column(told, "role")
    found = [column for column in head.columns if column.holds == "speakers" and not column.is_named("content")]
    if (
        head.labelled
    ):  # the names say text and label: a label that speaks is another thing, and so is a category of turns
        turns = head.of_category
        label = head.header.places["completion"]
        found = [column for column in found if column.place == label or (turns and column.is_named("speaker"))]
    named = [column for column in found if column.is_named("speaker") or column.is_named("side")]
    if len(found) > 1 and len(named) != 1:
        listed = ", ".join(column.name for column in found)
        raise head.unclear("who speaks", listed, 'columns={"role": …}')
    if found:
        return (named or found)[0]
    unknown = [column for column in head.columns if _names_somebody(column)]
    if len(unknown) == 1 and not head.labelled and len(_contents(head, unknown[0])) == 1:
        raise unknown_speakers(unknown[0].values, unknown[0].name, line=head.origin.line)
    return None


def _names_somebody(column: Column) -> bool:
    """Whether a column that is named for its speakers holds a few names again and again, whoever they are."""
    few = 1 < len(set(column.values)) <= MOST_SPEAKERS and column.distinct <= 0.5
    return few and column.holds in ("a few values", "names", "short words") and column.is_named("speaker")


def _content(head: Head, speaker: Column) -> Column | None:
    """The column of what is said; None where the table rather shows a question and its answer.

    Raises:
        ReadError: Several may be it, as where each turn stands in two languages.
    """
    if told := (head.options.columns or {}).get("content"):
        return head.column(told, "content")
    found = _contents(head, speaker)
    if len(found) > 1 and not likely_pair(head.columns, head.header.places):
        listed = ", ".join(column.name for column in found)
        raise head.unclear("what is said", listed, 'columns={"content": …}')
    return found[0] if len(found) == 1 else None


def _contents(head: Head, speaker: Column) -> Sequence[Column]:
    """The columns that may be what is said: those named so, else those of texts."""
    free = [column for column in head.columns if column is not speaker and column.filled >= 0.5]
    named = [column for column in free if column.is_named("content") and not column.is_named("aside")]
    said = [column for column in named if column.holds in ("texts", "short words", "names")]
    texts = [column for column in free if column.holds == "texts" and not column.is_named("aside")]
    return said or [column for column in named if column.holds in (*TEXTS, "ids", "numbers", "speakers")] or texts


def _in_cells(head: Head) -> Recognised | None:
    """A whole conversation a cell, as a transcript or as JSON."""
    column = _transcript(head)
    if column is None:
        return None
    if wire := _wire(column):
        making: Making = Pairs({wire: column.place, **head.beside([column.place])})
    else:
        places = {"transcript": column.place, **head.beside([column.place])}
        making = ConversationsInCells(places, [column.place], roles=head.options.roles)
    return Recognised(making, diagnose("T302", head.origin, column=column.name))


def _transcript(head: Head) -> Column | None:
    """The column of whole conversations.

    Raises:
        ReadError: Several may be it, it may as well be a text to label, or it has speakers whose side is not known.
    """
    if told := head.options.conversation:
        column = head.column(told, "conversation")
        return column if column.holds in ("whole conversations", "JSON", "texts") else None
    roles = head.options.roles
    found = [column for column in head.columns if column.holds == "whole conversations" or _is_talk(column, roles)]
    if len(found) > 1:
        listed = ", ".join(column.name for column in found)
        raise head.unclear("the conversation", listed, "conversation=…")
    if found and head.labelled:
        if not head.of_category:
            return None
        label = head.header.names[head.header.places["completion"]]
        way = f'conversation={found[0].name!r}; columns={{"prompt": {found[0].name!r}, "completion": {label!r}}}'
        listed = f"{found[0].name}, {label}"
        raise head.unclear("the answer", listed, way)
    if not found and not head.labelled and (unknown := _unknown_speakers(head.columns, roles)):
        raise unknown_speakers(*unknown, line=head.origin.line)
    return found[0] if found else None


def _is_talk(column: Column, roles: Mapping[str, str] | None) -> bool:
    talk = share(column.values, lambda value: turns_in_json(value, roles)) >= 0.8
    return column.holds == "JSON" and (talk or _wire(column) is not None)


def _unknown_speakers(columns: Sequence[Column], roles: Mapping[str, str] | None) -> tuple[Sequence[str], str] | None:
    """Names of a column's conversations that no side is known of; None where its cells are no conversations."""
    for column in columns:
        if column.holds == "JSON":
            said = [said for value in column.values for said in said_in(json_in(value)) or ()]
            names = [name for name, _ in said]
        elif column.holds == "texts" and share(column.values, lambda value: len(names_in(value)) > 1) >= 0.7:
            names = [name for value in column.values for name in names_in(value)]
            if share(column.values, lambda value: len(names_in(value)) > len(set(names_in(value)))) < 0.3:
                continue  # fields, each with its name, and no talk
        else:
            continue
        unknown = [name for name in dict.fromkeys(names) if role_of(name, roles) is None]
        if unknown and len(set(names)) <= MOST_SPEAKERS and len(names) >= 2 * len(column.values):
            return unknown, column.name
    return None


def _wire(column: Column) -> str | None:
    """The field of messages where the cells hold them as platforms and trainers write them."""
    for field, (key, names) in WIRE_NAMES.items():
        lists = [items_of(json_in(value)) for value in column.values]
        if all(found and all(fields_of(turn).get(key) in names for turn in found) for found in lists):
            return field
    return None

"""Multiple choice: the options stand in columns beside the question, and the answer names one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.options import unreadable
from finetune_lib.data.reading.tables.body import at_cell
from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.conversations.turns import Chats, Turn, cell_of
from finetune_lib.data.reading.tables.evidence import Column, share
from finetune_lib.data.reading.tables.headers import folded
from finetune_lib.records import Example, Origin

LETTERS = "ABCDEFGH"
ORDERS = ("abcdefgh", "12345678", "01234567", "一二三四五六七八")
OPTION = re.compile(r"(?:答案)?(?:選項|选项|option|choice)?[\s_\-(]*([a-h]|[0-8]|[一二三四五六七八])[).]?")
GIVEN = re.compile(r"[\s(\[]*([A-H](?:[\s,、;/&)(]*[A-H])*|[0-8])[\s)\].]*")


@dataclass(frozen=True, slots=True)
class Options:
    """The columns of multiple choice.

    Attributes:
        options: Those of the options, from the first on.
        answer: The column that names the right one.
        marks: What the options are numbered by.
    """

    options: Sequence[Column]
    answer: Column
    marks: str


@dataclass(slots=True)
class Choices(Chats):
    """Questions with their options below them; the answer is the letter of the right one, or its text as it stands.

    Attributes:
        options: The columns of the options.
        marks: What they are numbered by.
    """

    options: Sequence[int] = ()
    marks: str = ""

    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """The question and its answer, if that is one of the options."""
        named = zip(LETTERS, self.options, strict=False)
        options = {letter: text for letter, place in named if (text := cell_of(row, place))}
        given = cell_of(row, self.places["answer"])
        as_text = given in options.values()
        right = given if as_text else _letters(given, self.marks)
        if not right or not (as_text or all(letter in options for letter in right)):
            at = at_cell(origin, row, self.places["answer"])
            yield diagnose("T310", at, text=given, options=", ".join(options) or "-")
            return
        listed = (f"({letter}) {text}" for letter, text in options.items())
        asked = "\n".join([cell_of(row, self.places["question"]), *listed])
        question = Turn("user", asked, row.address(self.places["question"]))
        yield self.chat([question, Turn("assistant", right, row.address(self.places["answer"]))], row, origin)


def _letters(given: str, marks: str) -> str:
    """The letters of the options that an answer names by letters or by a number; empty where it names none."""
    match = GIVEN.fullmatch(normalize("NFKC", given).upper())
    named = "".join(filter(str.isalnum, match[1])) if match else ""
    if named.isdecimal():
        return LETTERS[marks.index(named)] if named in marks else ""
    return named


def has_options(names: Sequence[str]) -> bool:
    """Whether two columns or more are named as options are."""
    return sum(bool(OPTION.fullmatch(folded(name))) for name in names) > 1


def choices_in(
    columns: Sequence[Column], rows: Sequence[Row], known: Mapping[str, int], *, line: int | None
) -> Options | None:
    """The columns of options and of what names one; None where the table has none.

    Args:
        columns: The columns.
        rows: The first rows.
        known: The places of fields by their names.
        line: The header's line.

    Raises:
        ReadError: The answers are numbers, and the options have letters, or are numbered from another one on.
    """
    options, marks = _in_order([(c, match[1]) for c in columns if (match := OPTION.fullmatch(folded(c.name)))])
    free = [column for column in columns if column not in options]
    answers = [column for column in free if _names_options(column, options, rows, known)]
    if len(options) < 2 or len(answers) != 1:
        return None
    numbered = share(answers[0].values, str.isdecimal) > 0.5
    if numbered and (marks.startswith("a") or ("0" in answers[0].values and not marks.startswith("0"))):
        listed = ", ".join(column.name for column in options)
        raise unreadable("T309", line=line, column=answers[0].name, options=listed)
    return Options(options, answers[0], _digits(marks))


def _digits(marks: str) -> str:
    """The numbers that options may be called by."""
    return marks if marks[:1].isascii() else "12345678"[: len(marks)]


def _in_order(found: Sequence[tuple[Column, str]]) -> tuple[Sequence[Column], str]:
    """The options and their marks, where these run on from the first; else none."""
    marks = "".join(mark for _, mark in found)
    if marks and any(order.startswith(marks) for order in ORDERS):
        return [column for column, _ in found], marks
    return [], ""


def _names_options(column: Column, options: Sequence[Column], rows: Sequence[Row], known: Mapping[str, int]) -> bool:
    """Whether a column that is called an answer holds letters or numbers, or the very texts of options."""
    if not column.values or not (column.is_named("choice") or column.place == known.get("completion")):
        return False
    marks = share(column.values, lambda value: GIVEN.fullmatch(normalize("NFKC", value).upper()))
    places = [option.place for option in options]
    same = [cell_of(row, column.place) in {cell_of(row, place) for place in places} for row in rows]
    return marks >= 0.9 or sum(same) >= 0.9 * len(same) > 0

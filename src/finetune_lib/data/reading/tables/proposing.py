"""Which columns are likely a question and its answer: by evidence, or none; pure.

A name says it alone, where one column of the table is named so; the cells say it where one other column asks and the
remaining one tells. What may be meant otherwise is not proposed: two possible answers, texts in two languages, the
questions of a survey, catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finetune_lib.data.reading.tables.evidence import Column
from finetune_lib.data.reading.tables.words import asks, last_place

WIDE = 16
WORDED = ("texts", "short words", "names", "a few values")


def likely_pair(columns: Sequence[Column], known: Mapping[str, int]) -> tuple[str, str] | None:
    """The names of the columns of question and answer; None where the table does not show them.

    Args:
        columns: As `columns_of` gives them.
        known: The places of `prompt` and `completion` where a name is certain.
    """
    texts = [column for column in columns if _is_text(column)]
    questions, answers = _named(columns, known)
    if len(answers) > 1 or any(_is_survey(column) for column in columns if column.place not in known.values()):
        return None
    question, answer = _best(questions), next(iter(answers), None)
    others = [column for column in texts if column not in (question, answer) and not column.is_named("label")]
    if question is None:
        question = _asking(others, answer)
    if question and not answer:
        answer = _telling([column for column in others if column is not question], question)
    if question and answer:
        return question.name, answer.name
    return _labelled(columns, texts) if not answers else None


def _is_text(column: Column) -> bool:
    """Whether a column holds texts of its own and not what is noted beside them."""
    if column.holds != "texts" or column.distinct < 0.25:
        return False
    named = column.is_named("question") or column.is_named("answer")
    return not column.is_named("aside") or (column.width >= WIDE and named)


def _named(columns: Sequence[Column], known: Mapping[str, int]) -> tuple[list[Column], list[Column]]:
    """The columns that their names call questions, and those that they call answers."""
    sides: tuple[list[Column], list[Column]] = ([], [])
    for column in columns:
        side = _side(column) if _may_be_named(column) else None
        if column.place in known.values():
            side = 0 if known.get("prompt") == column.place else 1
        if side is not None and not (side and column.is_named("label") and column.holds == "a few values"):
            sides[side].append(column)
    found = tuple(
        [column for column in columns if column.place == known[field]] if field in known else named
        for field, named in zip(("prompt", "completion"), sides, strict=True)
    )
    return found[0], found[1]


def _may_be_named(column: Column) -> bool:
    aside = column.is_named("aside") and column.width < WIDE
    return column.holds in WORDED and column.filled >= 0.5 and column.distinct >= 0.1 and not aside


def _side(column: Column) -> int | None:
    """0 for a question, 1 for an answer by the column's name; the later of two Chinese words is what it is."""
    question, answer = last_place(column.name, "question"), last_place(column.name, "answer")
    if question < 0 or answer < 0:
        return None if question == answer else int(question < 0)
    if column.name.isascii():
        return None
    return int(answer > question and last_place(column.name, "mild") != answer)


def _is_survey(column: Column) -> bool:
    """Whether a column's name is itself a question, and no word of it says that questions stand below."""
    return column.holds in WORDED and asks(column.name) and _side(column) is None


def _best(questions: Sequence[Column]) -> Column | None:
    return max(questions, key=lambda column: (column.asking, column.width), default=None)


def _asking(others: Sequence[Column], answer: Column | None) -> Column | None:
    """The one text that asks; beside a named answer the one other text is the question whether it asks or not."""
    asking = [column for column in others if column.asking >= (0.4 if answer else 0.5)]
    if len(asking) == 1:
        return asking[0]
    return others[0] if answer and len(others) == 1 else None


def _telling(others: Sequence[Column], question: Column) -> Column | None:
    """The one text that does not ask and is no shorter than answers are, beside questions that do ask.

    Where no name says that these are questions, nearly all of them must ask.
    """
    long = [column for column in others if column.asking < 0.35 and column.width >= max(10, 0.6 * question.width)]
    least = 0.5 if question.is_named("question") else 0.7
    return long[0] if len(long) == 1 and question.asking >= least else None


def _labelled(columns: Sequence[Column], texts: Sequence[Column]) -> tuple[str, str] | None:
    """One text and its label; not where another column may be its answer."""
    labels = [column for column in columns if column.holds == "a few values" and column.is_named("label")]
    if len(labels) != 1 or len(texts) != 1 or any(column.is_named("answer") for column in columns):
        return None
    return texts[0].name, labels[0].name

"""Recorded answers by the id of their case and by its question, in whatever form they are given."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.data.diagnostics import is_loss, place_name
from finetune_lib.data.reading import Options
from finetune_lib.errors import DataError
from finetune_lib.evaluation.golden.fields import answers_among
from finetune_lib.evaluation.golden.rows import Rows, read_rows, rows_in_memory
from finetune_lib.records import Answer, Case
from finetune_lib.texts import fold


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer, the id and the folded question of its case as far as they are known, and where it stands."""

    answer: Answer
    id: str = ""
    asks: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Recordings:
    """All recorded answers; a question with several different ones is told by ids alone."""

    by_id: Mapping[str, Recording]
    by_question: Mapping[str, Recording] = field(default_factory=dict[str, Recording])

    def to(self, case: Case) -> Answer:
        """The answer to a case; a failure with its reason where there is none."""
        asked = fold(case.prompt)
        one = self.by_id.get(case.id)
        if one is None or (one.asks and one.asks != asked):  # the file numbers its rows in another way
            one = self.by_question.get(asked)
        return one.answer if one else Answer(error=f"no answer is recorded for case {case.id}")


def recordings(
    given: Any, *, ids: Iterable[str | Case], columns: Mapping[str, str] | None, sheet: str | None
) -> Recordings:
    """What was recorded: by id, in the order of ids, or in rows of a file or of memory.

    Raises:
        DataError: Rows cannot be used; all of them are named.
        ReadError: The file as a whole cannot be read.
        ValueError: A list of answers has more or fewer ids.
    """
    if isinstance(given, Mapping):
        answers = cast("Mapping[Any, Any]", given)
        return Recordings({str(id): Recording(_answer(answer)) for id, answer in answers.items()})
    if isinstance(given, str | PathLike):
        path = Path(cast("str", given))
        return _of_rows(path.name, read_rows(path, Options(None, sheet, columns), among=answers_among))
    if isinstance(given, Sequence) and isinstance(next(iter(cast("Sequence[Any]", given)), None), str | Answer):
        return _in_order(cast("Sequence[Any]", given), ids)
    return _of_rows("the rows", rows_in_memory(given, name="row", columns=columns, among=answers_among))


def _in_order(answers: Sequence[Any], ids: Iterable[str | Case]) -> Recordings:
    names = [id.id if isinstance(id, Case) else id for id in ids]
    if len(names) != len(answers):
        raise ValueError(
            f"a list of answers follows the golden set: pass ids=golden, of the same length; "
            f"got {len(answers)} answers and {len(names)} ids"
        )
    return Recordings({id: Recording(_answer(answer)) for id, answer in zip(names, answers, strict=True)})


def _of_rows(name: str, rows: Rows) -> Recordings:
    found = list(_found(name, rows))
    by_id, by_question = _by(found, "id"), _by(found, "asks")
    unread = [str(problem) for problem in rows.problems if is_loss(problem)]
    faults = [*unread, *_doubled(by_id), *_doubled({k: v for k, v in by_question.items() if not all(o.id for o in v)})]
    if faults:
        raise DataError(f"{name}: some answers cannot be used:\n" + "\n".join(faults))
    alone = {asks: ones[0] for asks, ones in by_question.items() if len({one.answer.text for one in ones}) == 1}
    return Recordings({id: ones[0] for id, ones in by_id.items()}, alone)


def _found(name: str, rows: Rows) -> Iterator[Recording]:
    """The answer of each row that has one."""
    names = tuple(dict.fromkeys(name for row in rows.rows for name in row.data))
    fields = rows.table or rows.among(names, rows.told)
    if not fields:
        listed = ", ".join(names) or "nothing"
        ways = 'Say which is which: columns={"id": …, "answer": …}'
        raise DataError(f"{name}: rows have id or question, and answer; these have {listed}. {ways}")
    for row in rows.rows:
        given = (row.data.get(fields.get(field, "")) for field in ("id", "input"))
        id, asks = ("" if value is None else str(value).strip() for value in given)
        if (said := row.data.get(fields["expected"])) is not None:
            yield Recording(_answer(said), id, fold(asks), place_name(row.origin))


def _by(found: Iterable[Recording], attribute: str) -> Mapping[str, list[Recording]]:
    groups: defaultdict[str, list[Recording]] = defaultdict(list)
    for one in found:
        if key := getattr(one, attribute):
            groups[key].append(one)
    return groups


def _doubled(groups: Mapping[str, Sequence[Recording]]) -> Iterator[str]:
    """Places where another answer stands than before."""
    for key, (first, *others) in groups.items():
        for one in others:
            if one.answer != first.answer:
                yield f"{one.place}: another answer to {key!r} stands at {first.place}"


def _answer(given: Any) -> Answer:
    """An answer; JSON for values that are no text."""
    if isinstance(given, Answer):
        return given
    return Answer(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str))

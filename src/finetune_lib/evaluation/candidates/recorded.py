"""Recorded: answers that are there already, of another system, of people, or of an earlier report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from os import PathLike
from typing import Any, Protocol

from finetune_lib.evaluation.candidates.recordings import Recordings, recordings
from finetune_lib.records import Answer, Case
from finetune_lib.shown import Shown


class Reported(Protocol):
    """What is needed of a report: its cases, and the results of each candidate in their order."""

    @property
    def cases(self) -> Sequence[Case]: ...
    @property
    def results(self) -> Mapping[str, Sequence[Any]]: ...


@dataclass(frozen=True)
class Recorded(Shown):
    """Answers as a candidate: nobody is asked, and a case without an answer is a failure with its reason.

    Attributes:
        answers: From a case's id to the answer, as a text or an `Answer`; a list of answers in the order of `ids`; rows
            with `id` or `question` and `answer`; or a file of such rows: JSONL, JSON, CSV, Excel, Parquet.
        name: What reports call it.
        ids: The golden set, or its ids, that a list of answers follows.
        columns: Which column is `id`, `question` or `answer`, where the header does not say so.
        sheet: The sheet of a workbook with several.

    Raises:
        DataError: It does not show which field is the answer, or one id has two; all such are named.
        ReadError: The file as a whole cannot be read.
        ValueError: A list of answers has no ids, or more or fewer of them.

    Example:
        >>> import asyncio
        >>> import finetune_lib as ft
        >>> clerk = ft.Recorded({"1": "起飛前 30 分鐘。"}, name="clerk")
        >>> asyncio.run(clerk(ft.Case("1", ()))).text
        '起飛前 30 分鐘。'
    """

    answers: Mapping[str, str | Answer] | Sequence[str | Answer] | Sequence[Mapping[str, Any]] | str | PathLike[str]
    _: KW_ONLY
    name: str = "recorded"
    ids: Iterable[str | Case] = ()
    columns: Mapping[str, str] | None = None
    sheet: str | None = None
    _said: Recordings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        said = recordings(self.answers, ids=self.ids, columns=self.columns, sheet=self.sheet)
        object.__setattr__(self, "_said", said)

    @classmethod
    def from_report(cls, report: Reported, candidate: str, *, name: str = "") -> Recorded:
        """The answers that a candidate gave in an earlier report; its failures stay failures.

        Raises:
            ValueError: The report has no such candidate.
        """
        if candidate not in report.results:
            raise ValueError(f"the report has the candidates {', '.join(report.results)}, not {candidate!r}")
        answers: list[Answer] = [result.answer for result in report.results[candidate]]
        return cls(answers, ids=report.cases, name=name or candidate)

    async def __call__(self, case: Case, /) -> Answer:
        """The answer to a case: by its id, else by its question; a failure where there is none."""
        return self._said.to(case)

"""GoldenSet: the cases that decide, read from whatever file the experts keep them in."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, overload

from finetune_lib.data.diagnostics import Diagnostic, counted, is_loss, place_name
from finetune_lib.data.reading import Options
from finetune_lib.data.together.thresholds import wanted
from finetune_lib.errors import DataError
from finetune_lib.evaluation.golden.cases import NoCaseError, as_row, asked, case_of, categories_of, unanswered
from finetune_lib.evaluation.golden.checking import GoldenCheck, checked
from finetune_lib.evaluation.golden.rows import Rows, read_rows, rows_in_memory
from finetune_lib.files import json_line, refuse_path, write_atomically
from finetune_lib.records import Case, Example
from finetune_lib.shown import Shown

DIGITS = 32


@dataclass(frozen=True)
class GoldenSet(Shown, Sequence[Case]):
    """The cases by which candidates are compared; training never sees them.

    Attributes:
        cases: The cases, each with an id of its own.
        name: What reports call the set.
        columns: From each field to the column it was read from, where the file is a table.
        notes: What the reader interpreted, as the encoding; and what is odd in single cells.
        dated: The day on which its file was last changed, as `2026-03-31`; None where it came from none.

    Example:
        >>> import finetune_lib as ft
        >>> golden = ft.GoldenSet.from_rows([{"問題": "可以帶行動電源嗎？", "答案": "可以隨身攜帶。", "類別": "行李"}])
        >>> golden[0].expected, golden.categories
        ('可以隨身攜帶。', {'行李': 1})
    """

    cases: tuple[Case, ...]
    _: KW_ONLY
    name: str = field(default="golden", compare=False)
    columns: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    notes: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)
    dated: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        refuse_path(self.cases, "a GoldenSet wraps cases", "ft.GoldenSet.load")
        twice = [id for id, count in Counter(case.id for case in self.cases).items() if count > 1]
        if twice:
            raise DataError(f"{self.name}: several cases have the id {', '.join(twice)}: give each one of its own")

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        columns: Mapping[str, str] | None = None,
        sheet: str | None = None,
        encoding: str | None = None,
        system: str | None = None,
    ) -> GoldenSet:
        """Read a file: JSONL, JSON, CSV, TSV, Excel, Parquet; also packed as gz or zst.

        Each row of a table or flat object is a question (`input`, `question`, `問題` …), the right answer
        (`expected`, `ideal`, `答案` …), `category`, `cluster` (also `group`, `document`, `客戶` …), `id` and `system`;
        whatever else it says is kept as metadata. Chat rows ask with all up to their last assistant turn, whose text
        or calls are the right answer; rows that end with the question, as those of reinforcement fine-tuning, have
        none, and what their graders read is metadata. Cases of OpenAI's evals (`input`, `ideal`) and rows of other
        projects are read, too. Of several right answers in a list the first counts, and all stay in the metadata.

        Args:
            path: The file.
            columns: Which column or key is `input`, `expected`, `category`, `cluster`, `id`, `system` or `messages`,
                where its name does not say so: `{"input": "客訴內容", "expected": "標準話術"}`.
            sheet: The sheet of a workbook with several.
            encoding: The text encoding, as `cp950` (Big5) or `gb18030` (GBK), where it cannot be told.
            system: The system message of every case that has none.

        Raises:
            ReadError: The file as a whole cannot be read, or no column is known for the question.
            DataError: Some rows give no case, or two the same id; all of them are named with line or cell.
            MissingExtraError: It needs a package that is not installed, as `finetune_lib[excel]`.
        """
        file = Path(path)
        rows = read_rows(file, Options(encoding, sheet, columns))
        dated = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
        return replace(cls._of_rows(rows, name=file.name, system=system), dated=dated)

    @classmethod
    def from_rows(
        cls, rows: Any, *, columns: Mapping[str, str] | None = None, system: str | None = None, name: str = "golden"
    ) -> GoldenSet:
        """Rows in memory, mappings or a frame of pandas, polars or Arrow, read as `load` reads those of a file.

        Raises:
            DataError: As `load`.
        """
        return cls._of_rows(rows_in_memory(rows, name=name, columns=columns), name=name, system=system)

    @classmethod
    def from_dataset(cls, dataset: Sequence[Example], *, name: str = "") -> GoldenSet:
        """The examples of a dataset, as the golden part of a split: their last assistant turns are the right answers.

        Children of one augmented example are one cluster. Cases are called by their rows, with the file before the
        number where examples of several files have the same.

        Raises:
            InvalidDatasetError: Some of its lines could not be read.
            DataError: An example asks nothing; all such are named.
        """
        source: Any = dataset
        if hasattr(source, "require_whole"):
            source.require_whole()
        rows = Rows(list(dataset), {})
        told = name or str(getattr(source, "name", "golden"))
        cases, faults = _cases(rows, None)
        _refuse(told, faults)
        found = zip(_with_own_ids(cases, rows.rows), rows.rows, strict=True)
        return cls(tuple(replace(case, cluster=case.cluster or row.family) for case, row in found), name=told)

    @classmethod
    def of(cls, cases: Iterable[Case], *, name: str = "golden") -> GoldenSet:
        """A set of these cases.

        Raises:
            DataError: Two have the same id.
        """
        return cases if isinstance(cases, GoldenSet) else cls(tuple(cases), name=name)

    @classmethod
    def _of_rows(cls, rows: Rows, *, name: str, system: str | None) -> GoldenSet:
        cases, faults = _cases(rows, system)
        doubled = () if faults else _same_ids(cases, rows.rows)
        _refuse(name, [*map(str, filter(is_loss, rows.problems)), *faults, *doubled])
        if not cases:
            raise DataError(f"{name} holds no case")
        notes = tuple(problem for problem in rows.problems if not is_loss(problem))
        return cls(tuple(cases), name=name, columns=rows.table or {}, notes=notes)

    def filter(self, keep: Callable[[Case], object]) -> GoldenSet:
        """The cases for which `keep` is true."""
        return replace(self, cases=tuple(case for case in self.cases if keep(case)))

    @property
    def categories(self) -> dict[str, int]:
        """How many cases each category has, the largest first; cases without one are not in it."""
        return categories_of(self.cases)

    @property
    def clusters(self) -> int:
        """How many independent units there are: clusters, and cases that are in none."""
        return len({case.cluster for case in self.cases if case.cluster}) + sum(not c.cluster for c in self.cases)

    @property
    def unanswered(self) -> int:
        """How many cases have no right answer, so that only judges and people can score them."""
        return unanswered(self.cases)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of ids, questions and right answers: equal for sets that ask and expect the same, in any order."""
        told = sorted(json.dumps([case.id, asked(case)], sort_keys=True) for case in self.cases)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:DIGITS]

    def check(
        self,
        training: Sequence[Example] | None = None,
        *,
        difference: float = 0.1,
        margin: float | None = None,
        near: float | None = None,
    ) -> GoldenCheck:
        """What is wrong with the set, and what difference it can show, before anything is paid for; print it.

        Args:
            training: The training data: a case whose answer it tells (`finetune_lib.relation` says `duplicate` or
                `variant`) is left out of the headline.
            difference: The difference that is to be shown, as 0.1 for ten percentage points.
            margin: How much worse a replacement may be, as 0.05 for five points: how many cases prove that it is not.
            near: It decides nothing any more; a number gives a warning.

        Raises:
            ValueError: `difference` is not above 0 and at most 1, or `margin` not above 0 and below 1.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        wanted(near)
        return checked(self.cases, training, name=self.name, notes=self.notes, difference=difference, margin=margin)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the cases as JSONL, which `load` reads back as they are; whole or not at all.

        Raises:
            FileExistsError: The file is there; pass `overwrite=True` to replace it.
            DataError: The metadata of a case holds a value that JSON has no form for.
        """
        lines = (json_line(as_row(case), number) for number, case in enumerate(self.cases, start=1))
        return write_atomically(Path(path), lines, overwrite=overwrite)

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> GoldenSet: ...
    def __getitem__(self, index: int | slice) -> Case | GoldenSet:
        return replace(self, cases=self.cases[index]) if isinstance(index, slice) else self.cases[index]

    def __repr__(self) -> str:
        units = f", {counted(self.clusters, 'independent unit')}" if self.clusters < len(self) else ""
        return f"GoldenSet({self.name!r}, {counted(len(self), 'case')}{units})"


def _cases(rows: Rows, system: str | None) -> tuple[list[Case], list[str]]:
    """The case of each row, and what is wrong with those that give none."""
    cases: list[Case] = []
    faults: list[str] = []
    for number, row in enumerate(rows.rows, start=1):
        try:
            cases.append(case_of(row, rows.fields(row), number=number, system=system))
        except NoCaseError as error:
            faults.append(f"{place_name(row.origin)}: {error}")
    return cases, faults


def _same_ids(cases: Sequence[Case], rows: Sequence[Example]) -> Iterator[str]:
    """Ids that stand in the set before."""
    first: dict[str, Example] = {}
    for case, row in zip(cases, rows, strict=True):
        if (before := first.setdefault(case.id, row)) is not row:
            yield f"{place_name(row.origin)}: the id {case.id} stands at {place_name(before.origin)}, too"


def _with_own_ids(cases: Sequence[Case], rows: Sequence[Example]) -> Iterator[Case]:
    """The cases, those of one id told apart by their files and then by a count."""
    count = Counter(case.id for case in cases)
    files = [c.id if count[c.id] == 1 else f"{r.origin.source}:{c.id}" for c, r in zip(cases, rows, strict=True)]
    seen: Counter[str] = Counter()
    for case, id in zip(cases, files, strict=True):
        seen[id] += 1
        yield replace(case, id=id if seen[id] == 1 else f"{id}#{seen[id]}")


def _refuse(name: str, faults: Sequence[str]) -> None:
    if faults:
        told = "\n".join(faults)
        raise DataError(f"{name}: {counted(len(faults), 'row')} cannot be used:\n{told}\nMend them in the file.")

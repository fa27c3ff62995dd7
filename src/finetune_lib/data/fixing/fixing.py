"""Fixes: what each one changes, the examples that result, and an account in which no row is lost."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

from finetune_lib.data.checks import Rules
from finetune_lib.data.checks.duplicates.copies import digest
from finetune_lib.data.checks.form.rows import check
from finetune_lib.data.diagnostics import Change, Diagnostic, Findings, ValidationReport, catalogue, is_error, is_loss
from finetune_lib.data.diagnostics.catalogue import FixKind
from finetune_lib.data.diagnostics.finding import ARRANGEMENT, place_name
from finetune_lib.data.fixing.json_repairs import parted, repair
from finetune_lib.data.fixing.row_repairs import repair_row
from finetune_lib.data.reading.json.elements import BrokenElement
from finetune_lib.data.reading.json.line_store import Interpret, LineStore
from finetune_lib.data.reading.json.lines import Unread
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.records import NOWHERE, Example, Origin
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out, with the reason.

    Attributes:
        text: The row as it stood in the file.
        findings: What is wrong with it.
    """

    text: str
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that was left out for another one.

    Attributes:
        row: Where it stood.
        partner: The kept row that it duplicates, or the golden case whose answer it tells.
    """

    row: Origin
    partner: Origin

    def __str__(self) -> str:
        return f"{place_name(self.row)} = {place_name(self.partner)}"


@dataclass(frozen=True, slots=True)
class Account(Shown):
    """What became of the rows; `read` is always the sum of the others.

    Attributes:
        read: Rows that were there, unreadable ones among them.
        kept: Rows that are there now.
        dropped: Rows that were left out; `rejected` or `left_out` has them.
        merged: Exact copies of a kept row.
        unread: Rows that still cannot be read.
        left_out: Each row that was left out as a duplicate, or as one that tells a golden answer, with its partner.
    """

    read: int
    kept: int
    dropped: int = 0
    merged: int = 0
    unread: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        if self.read != self.kept + self.dropped + self.merged + self.unread:
            raise AssertionError(f"rows were lost: {self}")

    def __str__(self) -> str:
        unread = f" + unreadable {self.unread:,}" if self.unread else ""
        return f"read {self.read:,} = kept {self.kept:,} + dropped {self.dropped:,} + merged {self.merged:,}{unread}"


class Mended(Sequence[Example]):
    """Examples of which some were replaced, added or left out; only those take memory."""

    def __init__(self, base: Sequence[Example]) -> None:
        self._base = base
        self._places = array("q")
        self._new: list[Example] = []

    def keep(self, place: int) -> None:
        """The next example is that of the base."""
        self._places.append(place)

    def add(self, example: Example) -> None:
        """The next example is this one."""
        self._new.append(example)
        self._places.append(-len(self._new))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = self._places[index]
        return self._base[place] if place >= 0 else self._new[-place - 1]


@dataclass(frozen=True, slots=True)
class Fixed:
    """The result of a fix.

    Attributes:
        examples: The examples as they are now.
        changes: What was changed, row by row.
        rejected: The rows that were left out.
        problems: What still cannot be read.
        account: What became of the rows.
    """

    examples: Sequence[Example]
    changes: tuple[Change, ...]
    rejected: tuple[Rejected, ...]
    problems: tuple[Diagnostic, ...]
    account: Account


def changes(examples: Sequence[Example], rules: Rules, *, safe_only: bool = True) -> Iterator[Change]:
    """What a fix would change, without doing it."""
    return (change for _, _, change in _mended(examples, rules, safe_only) if change)


def with_fixes(report: ValidationReport, examples: Sequence[Example], rules: Rules) -> ValidationReport:
    """The report with what a fix would change, each finding about an unread row only with the fix that mends it."""
    lines = {d.origin.line for d in report.diagnostics if _fix_of(d) and d.code not in ARRANGEMENT}
    kinds: dict[int | None, FixKind | None] = {}
    if lines and isinstance(examples, LineStore):
        unread = (item for item in examples.all_records() if isinstance(item, Unread) and item.text.strip())
        for item in unread:
            if any(finding.origin.line in lines for finding in item.findings):
                kind = _kind(item, rules, examples.interpret)
                kinds |= {finding.origin.line: kind for finding in item.findings}

    def offered(found: Diagnostic) -> Diagnostic:
        line = found.origin.line
        if isinstance(found, BrokenElement):
            kind = _kind(Unread([found], found.text, 0), rules, Meaning())
        elif line in lines and line in kinds:
            kind = kinds[line]
        else:
            return found
        return replace(found, args={**found.args, "mendable": kind or False}) if _fix_of(found) else found

    found = tuple(map(offered, report.diagnostics))
    return replace(report, diagnostics=found, changes=partial(changes, examples, rules))


def _fix_of(found: Diagnostic) -> FixKind | None:
    return catalogue()[found.code].fix


def _kind(item: Unread, rules: Rules, meaning: Interpret) -> FixKind | None:
    """The kind of the fix that would make sound rows of lines that could not be read; None where there is none."""
    changes = [change for _, _, change in _read_after_all(item, rules, False, meaning)]
    return changes[0].kind if changes and changes[0] else None


def fixed(examples: Sequence[Example], problems: Iterable[Diagnostic], rules: Rules, *, safe_only: bool) -> Fixed:
    """Apply the fixes; unless `safe_only`, leave out what stays wrong and merge exact copies.

    Args:
        examples: The data.
        problems: What the reader found beside the lines of `examples`.
        rules: Whose rules tell what is wrong.
        safe_only: Only what loses nothing.
    """
    work = _Work(Mended(examples), rules, safe_only)
    for place, item, change in _mended(examples, rules, safe_only):
        work.take(place, item, change)
    lost = [problem for problem in problems if is_loss(problem) and not work.mend(problem)]
    if not safe_only:
        work.rejected += [Rejected(problem.quote.text if problem.quote else "", (problem,)) for problem in lost]
    left = (*(lost if safe_only else ()), *work.findings.kept)
    return work.result(left, beside=len(lost))


class _Work:
    """The state of a fix under way."""

    def __init__(self, examples: Mended, rules: Rules, safe_only: bool) -> None:
        self.examples = examples
        self.rules = rules
        self.safe_only = safe_only
        self.changes: list[Change] = []
        self.rejected: list[Rejected] = []
        self.findings = Findings()
        self.unread = self.merged = self.read = 0
        self._seen: set[bytes] = set()

    def take(self, place: int, item: Example | Unread, change: Change | None) -> None:
        """Decide what becomes of one row."""
        self.read += 1
        if isinstance(item, Unread):
            self._lost(item)
        elif not self.safe_only and (errors := tuple(filter(is_error, check(item, self.rules)))):
            self.rejected.append(Rejected(_text(item), errors))
        elif not self.safe_only and self._known(item):
            self.merged += 1
        elif change is None:
            self.examples.keep(place)
        else:
            self.examples.add(item)
            self.changes.append(change)

    def mend(self, problem: Diagnostic) -> bool:
        """Take up a broken element of a document, where its text can be mended."""
        if not isinstance(problem, BrokenElement):
            return False
        unread = Unread([problem], problem.text, 0)
        for place, item, change in _read_after_all(unread, self.rules, self.safe_only, Meaning()):
            if isinstance(item, Unread):
                return False
            self.take(place, item, change)
        return True

    def _lost(self, item: Unread) -> None:
        if self.safe_only:
            self.unread += 1
            self.findings.add(item.findings)
        else:
            self.rejected.append(Rejected(item.text.rstrip("\n"), tuple(item.findings)))

    def _known(self, example: Example) -> bool:
        key = digest(example.data)
        known = key in self._seen
        self._seen.add(key)
        return known

    def result(self, problems: tuple[Diagnostic, ...], *, beside: int) -> Fixed:
        """Everything, with an account that adds up."""
        unread = self.unread + (beside if self.safe_only else 0)
        account = Account(self.read + beside, len(self.examples), len(self.rejected), self.merged, unread)
        return Fixed(self.examples, tuple(self.changes), tuple(self.rejected), problems, account)


def _mended(
    examples: Sequence[Example], rules: Rules, safe_only: bool
) -> Iterator[tuple[int, Example | Unread, Change | None]]:
    """Each row with its place, as it becomes, and the change that makes it so."""
    store = examples if isinstance(examples, LineStore) else None
    records, meaning = (examples, Meaning()) if store is None else (store.all_records(), store.interpret)
    place = 0
    for item in records:
        if isinstance(item, Unread):
            if item.text:  # a blank line is no row
                yield from _read_after_all(item, rules, safe_only, meaning)
        else:
            yield _row(place, item, rules, safe_only)
            place += 1


def _read_after_all(
    item: Unread, rules: Rules, safe_only: bool, meaning: Interpret
) -> Iterator[tuple[int, Example | Unread, Change | None]]:
    """A line that could not be read, mended where that loses nothing and gives sound rows."""
    origin, before = item.findings[0].origin, item.text.rstrip("\r\n")
    if several := parted(item.text):
        for value in several:
            example = meaning(Example(value, origin))
            yield -1, example, Change(origin, ("J211",), "safe", before, _text(example))
        return
    found = repair(item.text)
    if found is None or (safe_only and found.kind == "unsafe"):
        yield -1, item, None
        return
    _, example, change = _row(-1, meaning(Example(found.value, origin)), rules, safe_only)
    if any(map(is_error, check(example, rules))):
        yield -1, item, None
        return
    codes = (*found.codes, *(change.codes if change else ()))
    yield -1, example, Change(origin, codes, found.kind, before, _text(example) if change else found.text)


def _row(place: int, example: Example, rules: Rules, safe_only: bool) -> tuple[int, Example, Change | None]:
    """An example, mended where its shape is wrong and the fix is known."""
    found = repair_row(example.data, rules, safe_only=safe_only)
    if found is None:
        return place, example, None
    mended = replace(example, data=found.data)
    return place, mended, Change(example.origin, found.codes, found.kind, _text(example), _text(mended))


def _text(example: Example) -> str:
    return json.dumps(example.data, ensure_ascii=False, default=repr)


def rejects(rejected: Iterable[Rejected]) -> Iterator[bytes]:
    """The rows that were left out as lines of JSONL: the row's text, its place, and why."""
    for row in rejected:
        origin = row.findings[0].origin if row.findings else NOWHERE
        cells = list(dict.fromkeys(finding.cell for finding in row.findings if finding.cell))
        entry = {
            "source": origin.source,
            "line": origin.line,
            "row": origin.row,
            **({"cells": cells} if cells else {}),
            "codes": [finding.code for finding in row.findings],
            "messages": [finding.message for finding in row.findings],
            "text": row.text,
        }
        yield json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def without(
    examples: Sequence[Example], kept: Sequence[Example], partners: Mapping[int, Origin], *, merged: int
) -> Fixed:
    """What became of examples of which some went for a partner; `merged` of them were exact copies."""
    pairs = tuple(LeftOut(examples[place].origin, partners[place]) for place in sorted(partners))
    account = Account(len(examples), len(kept), len(partners) - merged, merged, left_out=pairs)
    return Fixed(kept, (), (), (), account)

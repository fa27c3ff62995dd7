"""Examples in a blob of JSONL: nothing is read before it is asked for, and random access costs one line."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Protocol, overload

from finetune_lib.data.diagnostics import Diagnostic, Findings
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.json.lines import Record, Unread, records, stretches
from finetune_lib.records import Example


class Interpret(Protocol):
    """What makes the wished example of the one that stands in a file; it travels between processes."""

    @property
    def keeps_plain(self) -> bool:
        """Whether a plain chat stays as it is."""
        ...

    def __call__(self, example: Example) -> Example:
        """The wished example."""
        ...


@dataclass(frozen=True, slots=True)
class AsItIs:
    """Leaves every example as it stands there."""

    keeps_plain = True

    def __call__(self, example: Example) -> Example:
        """The example itself."""
        return example


AS_IT_IS = AsItIs()


@dataclass(slots=True)
class Index:
    """Where the examples begin, as far as the blob was scanned.

    Attributes:
        offsets: The first byte of each example.
        gaps: For each run of examples on adjoining lines: the place of its first one …
        numbers: … with its line and its row, flattened.
        findings: What stands between the examples: blank lines, and lines that cannot be read.
    """

    offsets: array[int] = field(default_factory=lambda: array("Q"))
    gaps: array[int] = field(default_factory=lambda: array("Q"))
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    findings: Findings = field(default_factory=Findings)
    _next: tuple[int, int] = (0, 0)

    def add(self, offset: int, line: int, row: int) -> None:
        """Take up one example."""
        if (line, row) != self._next:
            self.gaps.append(len(self.offsets))
            self.numbers.extend((line, row))
        self._next = line + 1, row + 1
        self.offsets.append(offset)

    def extend(self, offsets: Sequence[int], line: int, row: int) -> None:
        """Take up examples on adjoining lines; `line` and `row` are those of the first."""
        if (line, row) != self._next:
            self.gaps.append(len(self.offsets))
            self.numbers.extend((line, row))
        self._next = line + len(offsets), row + len(offsets)
        self.offsets.extend(offsets)

    def merge(self, later: Index, lines: int, rows: int) -> None:
        """Take up the index of the part behind this one, which begins so many lines and rows later."""
        places = len(self.offsets)
        later.findings.shift(lines, rows)
        self.findings.merge(later.findings)
        self.gaps.extend(place + places for place in later.gaps)
        shifts = (lines, rows)
        self.numbers.extend(number + shifts[position % 2] for position, number in enumerate(later.numbers))
        self.offsets.extend(later.offsets)

    def place_of(self, place: int) -> tuple[int, int]:
        """The line and the row of an example."""
        run = bisect_right(self.gaps, place) - 1
        beyond = place - self.gaps[run]
        return self.numbers[2 * run] + beyond, self.numbers[2 * run + 1] + beyond

    def places(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The lines and rows of some examples, one by one."""
        while start < stop:
            run = bisect_right(self.gaps, start)
            end = min(self.gaps[run] if run < len(self.gaps) else stop, stop)
            line, row = self.place_of(start)
            yield from zip(range(line, line + end - start), range(row, row + end - start), strict=True)
            start = end


class LineStore(Sequence[Example]):
    """The examples of a blob of JSONL, decoded on access.

    Args:
        blob: UTF-8 bytes, one JSON object a line.
        source: The file's name, for origins.
        interpret: What makes the wished example of the one that stands there; must be picklable.
    """

    def __init__(self, blob: Blob, *, source: str, interpret: Interpret = AS_IT_IS) -> None:
        self.blob = blob
        self.source = source
        self.interpret = interpret
        self._index = Index()
        self._scan = self._scanning()
        self._scanning_alone = Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return partial(LineStore, source=self.source, interpret=self.interpret), (self.blob,)

    def adopt(self, index: Index) -> None:
        """Take the index that somebody made who read everything anyway."""
        self._index = index
        self._scan = iter(())

    def _scanning(self) -> Iterator[None]:
        """Build the index; pauses behind each record, or behind many plain chats."""
        index = self._index
        for item in stretches(self.blob, source=self.source, harmless=lambda _: True):  # no matter what texts say
            if isinstance(item, Unread):
                index.findings.add(item.findings)
            elif isinstance(item, Record):
                index.add(item.offset, item.line, item.row)
            else:
                index.extend(item.offsets(), item.line, item.row)
            yield

    def _scan_to(self, place: int | None) -> Index:
        """The index up to an example, or all of it."""
        with self._scanning_alone:
            while place is None or len(self._index.offsets) <= place:
                if next(self._scan, _END) is _END:
                    break
        return self._index

    def row_bytes(self) -> int:
        """How many bytes the lines have."""
        return self.blob.size

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """What is wrong with lines that gave no example."""
        return self._scan_to(None).findings.kept

    @property
    def unread(self) -> Iterator[Unread]:
        """The lines that gave no example, once more, with their text."""
        return (record for record in records(self.blob, source=self.source) if isinstance(record, Unread))

    def all_records(self) -> Iterator[Example | Unread]:
        """Everything in order: the examples, and the lines that gave none."""
        for record in records(self.blob, source=self.source):
            yield record if isinstance(record, Unread) else self.interpret(record.example(self.source))

    def __iter__(self) -> Iterator[Example]:
        return (item for item in self.all_records() if isinstance(item, Example))

    def __len__(self) -> int:
        return len(self._scan_to(None).offsets)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return View(self, array("Q", range(*index.indices(len(self)))))
        place = index if index >= 0 else len(self) + index
        offsets = self._scan_to(place).offsets
        if not 0 <= place < len(offsets):
            raise IndexError(f"example {index} of {len(offsets)}")
        stop = offsets[place + 1] if place + 1 < len(offsets) else self.blob.size
        line, row = self._index.place_of(place)
        found = records(self.blob, source=self.source, start=offsets[place], stop=stop, line=line, row=row)
        return self.interpret(next(record for record in found if not isinstance(record, Unread)).example(self.source))


_END = object()


class View(Sequence[Example]):
    """Some of the examples of another sequence, by their places."""

    def __init__(self, base: Sequence[Example], places: Sequence[int]) -> None:
        self.base = base
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return View(self.base, self.places[index])
        return self.base[self.places[index]]

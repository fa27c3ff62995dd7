"""The examples of a table, spooled: each one line of JSON, in memory or, where they are many, in a file without a name.

Where an example comes from is worked out of a few numbers: the rows of a table mostly follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, overload

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.spooling import gathered
from finetune_lib.data.reading.json.fast import decoder
from finetune_lib.data.reading.json.line_store import Index
from finetune_lib.data.reading.tables.body import PlainTexts
from finetune_lib.data.reading.tables.places import Places
from finetune_lib.records import Example, Origin

IN_MEMORY = 8 << 20
BLOCK = 1000
BESIDE = ("category", "family", "operation", "ignore", "dialect", "left_out")
DECODE, REFUSALS = decoder()
BESIDE_IT = b"\t"  # JSON writes one inside a text otherwise
HELD = b"\n"


class Spooled(Sequence[Example]):
    """Examples that are decoded where they are asked for.

    Args:
        blob: A line for each example: its row in JSON, and behind a tab what stands beside that.
        index: Where the lines begin, and the numbers of the examples' places.
        places: What these numbers mean.
        held: By number, the examples that JSON would not give back as they are.
        span: Which of the examples these are.
    """

    def __init__(
        self, blob: Blob, index: Index, places: Places, held: Mapping[int, Example], span: range | None = None
    ) -> None:
        self._blob = blob
        self._index = index
        self._places = places
        self._held = held
        self._span = range(len(index.offsets)) if span is None else span

    def __reduce__(self) -> tuple[object, ...]:
        if len(self._span) < len(self._index.offsets):
            return tuple, (list(self),)
        return Spooled, (self._blob, self._index, self._places, self._held)

    def __len__(self) -> int:
        return len(self._span)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return Spooled(self._blob, self._index, self._places, self._held, self._span[index])
        number = self._span[index]
        (raw,) = self._lines(number, number + 1)
        return self._example(number, raw, self._index.place_of(number))

    def __iter__(self) -> Iterator[Example]:
        span, index = self._span, self._index
        places = index.places(span.start, span.stop) if span.step == 1 else map(index.place_of, span)
        return map(self._example, span, self._raw(), places)

    def row_bytes(self) -> int:
        """How many bytes the rows have as lines of JSONL, nearly; nothing is decoded."""
        held = sum(len(repr(example.data)) for number, example in self._held.items() if number in self._span)
        return held + sum(len(raw.partition(BESIDE_IT)[0]) + 1 for raw in self._raw())

    def _raw(self) -> Iterator[bytes]:
        if self._span.step != 1:
            for number in self._span:
                yield from self._lines(number, number + 1)
            return
        for first in range(self._span.start, self._span.stop, BLOCK):
            yield from self._lines(first, min(first + BLOCK, self._span.stop))

    def _lines(self, first: int, stop: int) -> Sequence[bytes]:
        offsets = self._index.offsets
        end = offsets[stop] if stop < len(offsets) else self._blob.size
        return self._blob.read(offsets[first], end).split(b"\n")[:-1]

    def _example(self, number: int, raw: bytes, place: tuple[int, int]) -> Example:
        if not raw:
            return self._held[number]
        data, _, more = raw.partition(BESIDE_IT)
        if not more:
            return Example(DECODE(data), self._places.origin(*place))
        beside = DECODE(more)
        cells = beside.pop("cells", None)
        origin = self._places.origin(*place) if cells is None else Origin(self._places.source, place[1], cells=cells)
        return Example(DECODE(data), origin, **{name: _plain(value) for name, value in beside.items()})


def _plain(value: Any) -> Any:
    """What stands beside an example: a text, or several of them."""
    return tuple(value) if value.__class__ is list else value


def spooled(found: Iterable[Example | PlainTexts], places: Places) -> Spooled:
    """Spool the examples of a table.

    Args:
        found: The examples, and the rows in which nothing is odd.
        places: Where these stand.
    """
    index, held = Index(), dict[int, Example]()
    blob = gathered(_blocks(found, index, held), in_memory=IN_MEMORY)
    return Spooled(blob, index, places, held)


def _blocks(found: Iterable[Example | PlainTexts], index: Index, held: dict[int, Example]) -> Iterator[bytes]:
    """Some lines at a time; what the examples need besides is taken up in `index` and `held`."""
    block: list[bytes] = []
    offset = 0
    for item in found:
        if isinstance(item, PlainTexts):
            try:
                line = item.plain.line(item)
            except UnicodeEncodeError:
                line, held[len(index.offsets)] = HELD, item.plain.wished(item)
            index.add(offset, item.number, item.row)
        else:
            line = _line(item)
            if line is HELD:
                held[len(index.offsets)] = item
            index.add(offset, item.origin.line or 0, item.origin.row or 0)
        offset += len(line)
        block.append(line)
        if len(block) == BLOCK:
            yield b"".join(block)
            block.clear()
    yield b"".join(block)


def _line(example: Example) -> bytes:
    """The line of an example, proved to give it back; `HELD` where none does."""
    beside: dict[str, Any] = {name: _listed(value) for name in BESIDE if (value := getattr(example, name))}
    if example.origin.cells:
        beside["cells"] = dict(example.origin.cells)
    parts = (example.data, beside) if beside else (example.data,)
    try:
        line = [json.dumps(part, ensure_ascii=False).encode() for part in parts]
        return BESIDE_IT.join(line) + b"\n" if (*map(DECODE, line),) == parts else HELD
    except (*REFUSALS, TypeError, ValueError, RecursionError):
        return HELD


def _listed(value: Any) -> Any:
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value

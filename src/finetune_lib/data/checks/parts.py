"""Parts of the data that can be looked at one by one, in this process or in others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from finetune_lib.data.reading.bytes.blob import Blob, MemoryBlob
from finetune_lib.data.reading.json.line_store import Interpret, LineStore
from finetune_lib.data.reading.json.lines import Record, Unread, records, stretches
from finetune_lib.data.reading.json.plain_rows import Harmless, PlainRows
from finetune_lib.records import Example

PART_BYTES = 8 << 20
PART_EXAMPLES = 10_000
SEARCHED = 1 << 16


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of the data: bytes of JSONL from `start` to `stop`; its lines and rows are counted from 1.

    Attributes:
        base: Where the blob begins in the data; bytes in memory travel in slices.
        counted: Whether its lines and rows are counted from its own beginning.
    """

    blob: Blob
    source: str
    meaning: Interpret
    start: int
    stop: int
    base: int = 0
    counted = True

    @property
    def keeps_plain(self) -> bool:
        """Whether its plain chats are examples as they stand there."""
        return self.meaning.keeps_plain

    def records(self, harmless: Harmless | None) -> Iterator[PlainRows | Record | Unread]:
        """What stands in it, in order; with `harmless`, plain chats may come together (`plain_rows`)."""
        if harmless and self.keeps_plain:
            return stretches(self.blob, source=self.source, start=self.start, stop=self.stop, harmless=harmless)
        return records(self.blob, source=self.source, start=self.start, stop=self.stop)

    def interpret(self, record: Record) -> Example:
        """The example of a record."""
        example = record.example(self.source)
        return example if record.plain and self.meaning.keeps_plain else self.meaning(example)


@dataclass(frozen=True, slots=True)
class Examples:
    """A stretch of the data: examples that are in memory, with their own origins."""

    source: str
    examples: tuple[Example, ...]
    base = 0
    counted = False
    keeps_plain = False

    def records(self, harmless: Harmless | None) -> Iterator[Example]:  # noqa: ARG002
        """What stands in it, in order."""
        return iter(self.examples)

    def interpret(self, record: Record) -> Example:
        """The example of a record, of which there are none here."""
        return record.example(self.source)


Part: TypeAlias = Lines | Examples


def parts_of(examples: Sequence[Example], source: str) -> Iterator[Part]:
    """The data in parts of a fixed size, so that the result never depends on who looks at them."""
    if isinstance(examples, LineStore):
        yield from (_lines(examples, start, stop) for start, stop in _cuts(examples.blob))
        return
    for start in range(0, len(examples), PART_EXAMPLES):
        yield Examples(source, tuple(examples[start : start + PART_EXAMPLES]))


def _lines(store: LineStore, start: int, stop: int) -> Lines:
    if isinstance(store.blob, MemoryBlob):
        return Lines(MemoryBlob(store.blob.read(start, stop)), store.source, store.interpret, 0, stop - start, start)
    return Lines(store.blob, store.source, store.interpret, start, stop)


def _cuts(blob: Blob) -> Iterator[tuple[int, int]]:
    """Stretches of about `PART_BYTES` that end with a line."""
    start = 0
    while start < blob.size:
        stop = _line_end(blob, min(start + PART_BYTES, blob.size))
        yield start, stop
        start = stop


def _line_end(blob: Blob, position: int) -> int:
    while position < blob.size:
        found = blob.read(position, position + SEARCHED).find(b"\n")
        if found >= 0:
            return position + found + 1
        position = min(position + SEARCHED, blob.size)
    return position

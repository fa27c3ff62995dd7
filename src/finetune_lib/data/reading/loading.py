"""From a file to examples: what kind of file it is, who reads it, and what its rows mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.opening import Opened, looks_like_json, open_data
from finetune_lib.data.reading.json.document import read_document
from finetune_lib.data.reading.json.line_store import LineStore
from finetune_lib.data.reading.json.shape import shape_of
from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.options import Options, Reading, about, unreadable
from finetune_lib.records import Example, Origin

HEAD = 1 << 16
LARGEST_PAIRS = 64 << 20
CALLS = {"tool_calls", "tool_call_id", "function_call"}  # no table of turns has a place for them
JSON_ENDINGS = (".jsonl", ".json", ".ndjson")
PACKED = (".gz", ".zst")


def load(path: Path, options: Options, *, system: str | None) -> Reading:
    """Read a file in the format that its content shows; its ending only settles a doubt.

    Raises:
        ReadError: It is missing, or cannot be read as a whole.
        MissingExtraError: It needs a package that is not installed.
    """
    with about(path):
        opened = open_data(path, encoding=options.encoding)
        head = opened.blob.read(0, HEAD)
        if opened.kind == "text" and (looks_like_json(head) or (_ending(path) in JSON_ENDINGS and not options.tells)):
            return _with_columns(_json(path, opened, head, system), path.name, options, system)
        return _table(opened, path.name, options, system)


def from_memory(rows: Any, options: Options, *, name: str, system: str | None) -> Reading:
    """Take rows as they are; the columns of a frame are read as the header of a table."""
    from finetune_lib.data.reading.tables import is_frame, read_records, rows_of

    meaning = Meaning(system, pairs=True)
    if options.tells or is_frame(rows):
        kept = list(rows_of(rows))
        with about(Path(name)):
            return read_records(lambda: kept, name, options, meaning=meaning)
    numbered = enumerate(rows, start=1)
    return _understood((Example(row, Origin(name, row=number)) for number, row in numbered), (), meaning)


def _with_columns(loaded: Reading, source: str, options: Options, system: str | None) -> Reading:
    """The same, its rows read as a table where something is said of its columns, or where each row is one turn."""
    if not options.tells:
        if not _are_turns(loaded.examples):
            return loaded
        options = replace(options, columns={"role": "role", "content": "content"})
    from finetune_lib.data.reading.tables import read_records

    rows = [example.data for example in loaded.examples]
    reading = read_records(lambda: rows, source, options, meaning=Meaning(system, pairs=True))
    notes = loaded.examples.findings if isinstance(loaded.examples, LineStore) else ()
    return Reading(reading.examples, (*loaded.problems, *notes, *reading.problems))


def _are_turns(examples: Sequence[Example]) -> bool:
    """Whether each row is a single message, so that only several together are a conversation."""
    first = next(iter(examples), None)
    return first is not None and _is_turn(first) and all(map(_is_turn, examples))


def _is_turn(example: Example) -> bool:
    said = example.data.get("role"), example.data.get("content")
    return example.kind == "unknown" and all(isinstance(text, str) for text in said) and not CALLS & example.data.keys()


def _ending(path: Path) -> str:
    """The ending that tells the format: `.jsonl` of `data.jsonl.gz`."""
    endings = [ending.lower() for ending in path.suffixes]
    return next((ending for ending in reversed(endings) if ending not in PACKED), "")


def _json(path: Path, opened: Opened, head: bytes, system: str | None) -> Reading:
    lines = _ending(path) not in (".json", ".txt", "")
    meaning = Meaning(system, pairs=system is not None)
    problems = opened.problems
    if _ending(path) not in (*JSON_ENDINGS, "", ".txt"):
        problems = (*problems, diagnose("E110", Origin(path.name), ending=_ending(path), found="JSON"))
    if shape_of(head.decode("utf-8", "ignore"), whole=opened.blob.size <= HEAD) == "lines":
        return _of_lines(path.name, opened.blob, problems, meaning)
    text = opened.blob.read(0, opened.blob.size).decode("utf-8", "replace")
    found = list(read_document(text, source=path.name, strict_lines=lines))
    examples = [item for item in found if isinstance(item, Example)]
    told = [item for item in found if isinstance(item, Diagnostic)]
    return _understood(examples, (*problems, *told), meaning)


def _of_lines(source: str, blob: Blob, problems: tuple[Diagnostic, ...], meaning: Meaning) -> Reading:
    """Lines are decoded on access; pairs alone are looked at as a whole first, for legacy separators."""
    plain = LineStore(blob, source=source)
    first = next(iter(plain), None)
    if first is None and not any(map(is_error, plain.findings)):
        raise unreadable("E101")
    if first is not None and first.kind == "completion" and blob.size <= LARGEST_PAIRS:
        from finetune_lib.data.formats.legacy_pairs import undo_separators

        examples, note = undo_separators(list(plain))
        if note:
            return _understood(examples, (*problems, *plain.findings, note), meaning)
    return Reading(LineStore(blob, source=source, interpret=meaning), problems)


def _table(opened: Opened, source: str, options: Options, system: str | None) -> Reading:
    from finetune_lib.data.reading import tables

    readers = {"text": tables.read_csv, "workbook": tables.read_excel, "parquet": tables.read_parquet}
    meaning = Meaning(system, pairs=True, bare=True)
    reading = readers[opened.kind](opened.blob, options, source=source, meaning=meaning)
    return Reading(reading.examples, (*opened.problems, *reading.problems))


def _understood(examples: Iterable[Example], problems: tuple[Diagnostic, ...], meaning: Meaning) -> Reading:
    return Reading([meaning(example) for example in examples], problems)

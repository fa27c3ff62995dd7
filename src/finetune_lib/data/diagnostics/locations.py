"""Places for people: of one finding, and of a run of findings as `lines 4-8, 12`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.pages.wording import Words
from finetune_lib.records import Origin

Place = tuple[str, int | None, int | None]


def place_of(origin: Origin) -> Place:
    """What tells two places apart."""
    return origin.source, origin.line, origin.row


def spot(origin: Origin, words: Words, *, cell: str | None = None) -> str:
    """The file with the line, the cell or the row."""
    row = words["row"].format(number=origin.row) if origin.row else None
    where = cell or origin.cells.get("") or origin.line or row
    return f"{origin.source}:{where}" if where else origin.source


def place(finding: Diagnostic, words: Words) -> str:
    """The place of a finding, with its path inside the example."""
    where = spot(finding.origin, words, cell=finding.cell)
    return f"{where}  {finding.path}" if finding.path else where


def listed(findings: Sequence[Diagnostic], words: Words, *, most: int, all_of_them: bool = True) -> str:
    """The places of several findings: cells, lines or rows; numbers that follow each other as a range."""
    cells = [finding.cell for finding in findings if finding.cell]
    origins = [finding.origin for finding in findings]
    return _list(*(("cell", list(dict.fromkeys(cells))) if cells else _numbered(origins)), words, most, all_of_them)


def listed_origins(origins: Sequence[Origin], words: Words, *, most: int) -> str:
    """The same for places without a finding of their own."""
    cells = [origin.cells[""] for origin in origins if "" in origin.cells]
    return _list(*(("cell", cells) if cells else _numbered(origins)), words, most, True)


def _numbered(origins: Sequence[Origin]) -> tuple[str, list[str]]:
    lines = [origin.line for origin in origins if origin.line]
    rows = [origin.row for origin in origins if origin.row]
    return ("line", list(_ranges(lines))) if lines else ("row", list(_ranges(rows)))


def _list(kind: str, names: Sequence[str], words: Words, most: int, all_of_them: bool) -> str:
    more = "" if len(names) <= most and all_of_them else " …"
    name = f"at_{kind}" if len(names) == 1 and "–" not in names[0] else f"at_{kind}s"
    return words[name].format(list=", ".join(names[:most]) + more)


def _ranges(numbers: Iterable[int]) -> Iterator[str]:
    """`4–8, 12`: two neighbours stay two numbers."""
    ordered = sorted(set(numbers))
    breaks = [place for place, (a, b) in enumerate(pairwise(ordered), start=1) if b != a + 1]
    for start, stop in pairwise([0, *breaks, len(ordered)] if ordered else []):
        yield from _range(ordered[start], ordered[stop - 1])


def _range(first: int, last: int) -> Iterator[str]:
    if last - first > 1:
        yield f"{first}–{last}"
    else:
        yield from map(str, range(first, last + 1))

"""Data that was read in a wrong encoding as a whole: not a matter of single rows, but of the file."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.data.diagnostics import Diagnostic, Findings, diagnose
from finetune_lib.records import Origin

FEWEST = 5
NEARLY_ALL = 0.9


def garbled_file(findings: Findings, examples: int, source: str) -> Iterator[Diagnostic]:
    """One error where nearly every row has garbled text, or text of which several characters are lost."""
    kept = [found for found in findings.kept if _is_garbled(found)]
    if examples < FEWEST or not kept:
        return
    counted = sum(1 for found in findings.kept if found.code in ("E106", "E107"))
    total = sum(number for (code, _), number in findings.counts.items() if code in ("E106", "E107"))
    rows = round(len({found.origin.row for found in kept}) * total / counted)  # of each code only the first are kept
    if rows >= NEARLY_ALL * examples:
        yield diagnose("E118", Origin(source), count=min(rows, examples), examples=examples)


def _is_garbled(found: Diagnostic) -> bool:
    return found.code == "E106" or (found.code == "E107" and found.args["count"] > 1)

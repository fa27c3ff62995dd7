"""Findings gathered with bounded memory: all are counted, the first of each code are kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from finetune_lib.data.diagnostics.catalogue import Severity
from finetune_lib.data.diagnostics.finding import Diagnostic

KEPT_PER_CODE = 1000


class Findings:
    """Counts every finding and keeps the first `KEPT_PER_CODE` of each code."""

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        self.tally: Counter[tuple[str, Severity]] = Counter()
        self._kept: defaultdict[str, list[Diagnostic]] = defaultdict(list)
        self.add(found)

    def add(self, found: Iterable[Diagnostic]) -> None:
        """Take up more findings, in their order."""
        for finding in found:
            self.tally[finding.code, finding.severity] += 1
            self._keep(finding)

    def merge(self, other: Findings) -> None:
        """Take up what was gathered for a later part of the data."""
        self.tally.update(other.tally)
        for finding in other.kept:
            self._keep(finding)

    def shift(self, lines: int, rows: int) -> None:
        """Count lines and rows from the beginning of the data, where this is a later part."""
        for group in self._kept.values():
            group[:] = [_shifted(finding, lines, rows) for finding in group]

    def _keep(self, finding: Diagnostic) -> None:
        group = self._kept[finding.code]
        if len(group) < KEPT_PER_CODE:
            group.append(finding)

    @property
    def kept(self) -> tuple[Diagnostic, ...]:
        """The findings that were kept: those of the whole file first, then by row."""
        together = [finding for group in self._kept.values() for finding in group]
        return tuple(sorted(together, key=lambda d: d.origin.row or d.origin.line or 0))

    @property
    def counts(self) -> Mapping[tuple[str, Severity], int]:
        """How many there were of each code and severity."""
        return dict(self.tally)


def _shifted(finding: Diagnostic, lines: int, rows: int) -> Diagnostic:
    origin = finding.origin
    if origin.line is None or origin.row is None:
        return finding
    return replace(finding, origin=replace(origin, line=origin.line + lines, row=origin.row + rows))

"""What a validation found: the findings, how many there are of each kind, and the size of the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from finetune_lib.data.diagnostics.catalogue import Severity
from finetune_lib.data.diagnostics.changes import Change
from finetune_lib.data.diagnostics.finding import Diagnostic, counted
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class TokenCount(Shown):
    """Tokens of a dataset.

    Attributes:
        total: All tokens of all examples, once.
        longest: Tokens of the longest example.
        encoding: What counted them, as `o200k_base`.
        exact: False where the number is an estimate.
    """

    total: int
    longest: int
    encoding: str
    exact: bool

    def __str__(self) -> str:
        return (
            f"{'' if self.exact else 'about '}{self.total:,} tokens ({self.encoding}), longest example {self.longest:,}"
        )


@dataclass(frozen=True, slots=True)
class ValidationResult(Shown):
    """What a report tells in its several forms."""

    source: str
    examples: int
    diagnostics: tuple[Diagnostic, ...]
    tokens: TokenCount | None = None
    tally: Mapping[tuple[str, Severity], int] = field(default_factory=dict[tuple[str, Severity], int])
    changes: Callable[[], Iterable[Change]] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.tally:
            object.__setattr__(self, "tally", Counter((d.code, d.severity) for d in self.diagnostics))

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not self.count("error")

    def count(self, what: str) -> int:
        """How many findings there are of a severity or of a code."""
        return sum(number for key, number in self.tally.items() if what in key)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that must be mended before training."""
        return self._having("error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The findings that will train, but probably not as wished."""
        return self._having("warning")

    def _having(self, severity: Severity) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == severity)

    @property
    def summary(self) -> str:
        """One line: counts of examples, tokens, errors and warnings."""
        counts = f"{counted(self.count('error'), 'error')}, {counted(self.count('warning'), 'warning')}"
        size = counted(self.examples, "example") + (f", {self.tokens}" if self.tokens else "")
        return f"{self.source}: {size}: {counts}"

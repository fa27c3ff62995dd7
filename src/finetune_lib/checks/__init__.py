"""Checks of examples: one file a family, each a plain function from an example to its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from finetune_lib.checks import limits, preference, structure
from finetune_lib.checks.duplicates import exact_duplicates
from finetune_lib.checks.rules import Rules, Target
from finetune_lib.diagnostics import Diagnostic, TokenCount, ValidationReport, diagnose
from finetune_lib.records import Example
from finetune_lib.tokens import counter_for

__all__ = ["Rules", "Target", "validate"]


def validate(
    examples: Sequence[Example],
    *,
    source: str,
    rules: Rules,
    problems: Iterable[Diagnostic] = (),
    today: date | None = None,
) -> ValidationReport:
    """Check all examples by the rules and gather every finding, `problems` of the reader first."""
    counts: list[int] = []
    problems = tuple(problems)
    unread = sum(problem.severity == "error" for problem in problems)  # they count: mending them adds examples
    found = [
        *problems,
        *limits.platform(rules, today or date.today()),
        *limits.size(len(examples) + unread, source, rules),
        *(finding for example in examples for finding in _example(example, rules, counts)),
        *exact_duplicates(examples),
    ]
    return ValidationReport(source, len(examples), tuple(found), _tokens(counts, rules))


def _example(example: Example, rules: Rules, counts: list[int]) -> Iterator[Diagnostic]:
    """The findings of one example; only a sound one is counted and held against the limits."""
    if example.kind not in rules.kinds:
        yield _mismatch(example, rules)
        return
    check = preference.check if example.kind == "preference" else structure.check
    found = list(check(example, rules))
    yield from found
    if not any(finding.severity == "error" for finding in found):
        yield from limits.tokens(example, rules, counts)


def _mismatch(example: Example, rules: Rules) -> Diagnostic:
    if example.kind == "unknown":
        return diagnose("S317", example.origin, keys=", ".join(example.data) or "none")
    given = {"kind": example.kind, "method": rules.method, "target": rules.target, "wanted": rules.kinds[0]}
    return diagnose("P605", example.origin, remedy=rules.remedy(example.kind), **given)


def _tokens(counts: Sequence[int], rules: Rules) -> TokenCount | None:
    if not counts:
        return None
    counter = counter_for(rules.model)
    return TokenCount(sum(counts), max(counts), counter.encoding, counter.exact)

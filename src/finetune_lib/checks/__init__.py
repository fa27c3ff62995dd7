"""Checks of examples: one file a family, each a plain function from an example to its findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain

from finetune_lib.checks import limits, preference, structure
from finetune_lib.checks.duplicates import exact_duplicates
from finetune_lib.checks.rules import Rules, Target
from finetune_lib.diagnostics import Diagnostic, TokenCount, ValidationReport, diagnose, is_error
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
    problems = tuple(problems)
    unread = sum(is_error(problem) for problem in problems)  # they count: mending them adds examples
    shapes = [tuple(_shape(example, rules)) for example in examples]
    sound = [example for example, found in zip(examples, shapes, strict=True) if not any(map(is_error, found))]
    counts = [limits.tokens(example, rules) for example in sound]
    found = (
        *problems,
        *limits.platform(rules, today or date.today()),
        *limits.size(len(examples) + unread, source, rules),
        *chain.from_iterable(shapes),
        *limits.too_long(zip(sound, counts, strict=True), rules),
        *exact_duplicates(examples),
    )
    return ValidationReport(source, len(examples), found, _tokens(counts, rules))


def _shape(example: Example, rules: Rules) -> Iterable[Diagnostic]:
    """The findings about one example by itself."""
    if example.kind not in rules.kinds:
        return [_mismatch(example, rules)]
    check = preference.check if example.kind == "preference" else structure.check
    return check(example, rules)


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

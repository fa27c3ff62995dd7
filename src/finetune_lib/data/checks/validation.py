"""All checks over all examples: part by part, here or on an executor, and then what only the whole can tell."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import date
from itertools import chain, islice
from typing import Protocol, runtime_checkable

from finetune_lib import catalog
from finetune_lib.data.checks import limits
from finetune_lib.data.checks.examination import Outcome, Plan, empty, examine
from finetune_lib.data.checks.form.garbled_files import garbled_file
from finetune_lib.data.checks.parts import Part, parts_of
from finetune_lib.data.checks.rendered import Rendered, rendered
from finetune_lib.data.diagnostics import Diagnostic, TokenCount, ValidationReport, diagnose, is_error
from finetune_lib.data.reading.json.line_store import LineStore
from finetune_lib.records import Example, Origin
from finetune_lib.tokens import Counter

AHEAD = 16  # parts on their way to an executor at once
NEAR_LIMIT = 5_000  # examples up to which other wordings are looked for unasked


@runtime_checkable
class Sized(Protocol):
    """Examples that know how large they are without a look at each."""

    def row_bytes(self) -> int:
        """How many bytes the rows have as lines of JSONL, nearly."""
        ...


def validate(
    examples: Sequence[Example],
    *,
    source: str,
    plan: Plan,
    problems: Iterable[Diagnostic] = (),
    today: date | None = None,
    executor: Executor | None = None,
) -> ValidationReport:
    """Check all examples by the plan and gather every finding, `problems` of the reader first.

    Args:
        examples: The data.
        source: What the report calls it.
        plan: What is looked for.
        problems: What the reader found.
        today: The day that announced shutdowns are held against; by default today.
        executor: Who looks at the parts; the result is the same with and without one.
    """
    whole = empty(plan)
    for outcome in _outcomes(parts_of(examples, source), plan, executor):
        whole.merge(outcome)
    if isinstance(examples, LineStore):
        examples.adopt(whole.index)
    problems = tuple(problems)
    unread = whole.unread + sum(map(is_error, problems))  # they count: mending them adds examples
    of_base = rendered(examples, plan.rules) if plan.counter else None
    facts = (
        limits.platform(plan.rules, today or catalog.today()),
        limits.size(whole.examples + unread, source, plan.rules, estimated=of_base is None),
        limits.file_size(_bytes_of(examples), source, plan.rules),
    )
    garbled = garbled_file(whole.findings, whole.examples, source)
    whole.report(chain(problems, *facts, garbled), plan)
    for survey in whole.all_surveys:
        whole.report(survey.findings(examples, plan.rules), plan)
    if plan.near or (plan.near is None and plan.content):
        whole.report(_near(whole, examples, plan, executor), plan)
    whole.report(of_base.findings if of_base else (), plan)
    _unused(whole, source, plan)
    tokens = _token_count(whole, plan.counter, of_base)
    return ValidationReport(source, whole.examples, whole.findings.kept, tokens, whole.findings.counts)


def _outcomes(parts: Iterator[Part], plan: Plan, executor: Executor | None) -> Iterator[Outcome]:
    """The outcomes in the order of the parts; on an executor a few are on their way at once."""
    if executor is None:
        yield from (examine(part, plan) for part in parts)
        return
    waiting: deque[Future[Outcome]] = deque(executor.submit(examine, part, plan) for part in islice(parts, AHEAD))
    while waiting:
        outcome = waiting.popleft().result()
        waiting.extend(executor.submit(examine, part, plan) for part in islice(parts, 1))
        yield outcome


def _near(whole: Outcome, examples: Sequence[Example], plan: Plan, executor: Executor | None) -> Iterable[Diagnostic]:
    """Other wordings; unasked only among few examples, as each one costs about a millisecond."""
    if plan.near is None and whole.examples > NEAR_LIMIT:
        return [diagnose("M003", Origin(examples[0].origin.source), examples=whole.examples)]
    from finetune_lib.data.checks.duplicates import Duplicates

    found = next(survey for survey in whole.surveys if isinstance(survey, Duplicates))
    return found.other_wordings(examples, executor)


def _bytes_of(examples: Sequence[Example]) -> int:
    """How large the file for uploading is, nearly."""
    if isinstance(examples, Sized):
        return examples.row_bytes()
    return sum(len(json.dumps(example.data, ensure_ascii=False, default=repr).encode("utf-8", "replace")) + 1
               for example in examples)  # fmt: skip


def _unused(whole: Outcome, source: str, plan: Plan) -> None:
    """Codes that were to be ignored and did not come up."""
    wishes = [
        (Origin(source), 0, plan.ignore),
        *((Origin(source, row), row, codes) for row, codes in whole.wishes.items()),
    ]
    for origin, row, codes in wishes:
        unused = [code for code in codes if (row, code) not in whole.ignored]
        whole.findings.add(diagnose("M001", origin, ignored=code) for code in unused)


def _token_count(whole: Outcome, counter: Counter | None, of_base: Rendered | None) -> TokenCount | None:
    """The sum and the longest of the counts, the base's own where it is at hand; None where nothing was counted."""
    if of_base and any(of_base.lengths):
        return TokenCount(sum(of_base.lengths), max(of_base.lengths), of_base.base, exact=True)
    if counter is None or not any(whole.lengths):
        return None
    exact = counter.exact and not whole.guessed
    return TokenCount(sum(whole.lengths), max(whole.lengths), counter.encoding, exact)

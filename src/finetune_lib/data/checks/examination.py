"""One part of the data examined: every example by itself, and what the surveys gather of it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from typing import Any

from finetune_lib.data.checks import limits
from finetune_lib.data.checks.certainty import is_sure
from finetune_lib.data.checks.duplicates.copies import ExactDuplicates
from finetune_lib.data.checks.form import rows
from finetune_lib.data.checks.form.texts import is_harmless
from finetune_lib.data.checks.parts import Part
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.checks.survey import FormSurvey, Survey
from finetune_lib.data.diagnostics import Diagnostic, Findings, is_error
from finetune_lib.data.reading.json.line_store import Index
from finetune_lib.data.reading.json.lines import Record, Unread
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.data.reading.json.plain_rows import Harmless, PlainRows
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts
from finetune_lib.tokens import Counter

NAMED = 100  # plain chats whose places are kept
BETWEEN = "\n "  # texts that are looked at together; the space keeps what begins a text from beginning a line


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked for.

    Attributes:
        rules: Whose rules.
        counter: What counts the tokens; None where they are not counted.
        duplicates: Whether exact copies are looked for.
        content: Whether the texts themselves are looked at: answers that contradict, privacy, quality.
        near: Whether duplicates in other words are looked for; None looks for those that may go, and for other
            wordings where there are few enough examples.
        ignore: Codes or families that are not reported.
    """

    rules: Rules
    counter: Counter | None
    duplicates: bool = True
    content: bool = True
    near: bool | None = None
    ignore: tuple[str, ...] = ()

    @property
    def format_only(self) -> bool:
        """Whether a row of plain shape needs no further look."""
        return self.counter is None and not (self.duplicates or self.content or self.near)

    @property
    def looks_at_texts(self) -> bool:
        """Whether what each row says is looked at."""
        return bool(self.content or self.near)


@dataclass(slots=True)
class Outcome:
    """What was found in one part.

    Attributes:
        forms: What is told of the form of the rows at the end.
        surveys: What else is told only at the end.
        findings: What was found.
        lengths: Tokens of each example, 0 for those that are not sound; empty where they were not counted.
        guessed: Whether some of these are estimates.
        index: Where the examples begin, of a part of lines.
        examples: How many examples there are.
        unread: How many lines could not be read.
        lines: How many lines there are.
        rows: How many lines that are not blank.
        wishes: Codes that single rows want ignored, by row.
        ignored: Codes that were found and not reported: by row, and in row 0 for all of them.
        plain: How many plain chats there are.
        plain_places: The indexes of the first of them.
        counted: Whether lines and rows are counted from the beginning of the part.
    """

    forms: tuple[FormSurvey, ...]
    surveys: tuple[Survey, ...]
    findings: Findings = field(default_factory=Findings)
    lengths: array[int] = field(default_factory=lambda: array("I"))
    guessed: bool = False
    index: Index = field(default_factory=Index)
    examples: int = 0
    unread: int = 0
    lines: int = 0
    rows: int = 0
    wishes: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    ignored: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    plain: int = 0
    plain_places: list[int] = field(default_factory=list[int])
    counted: bool = False

    def report(self, found: Iterable[Diagnostic], plan: Plan) -> bool:
        """Take up findings that are not to be ignored; tells whether one is an error."""
        errors = False
        for finding in found:
            errors |= is_error(finding)
            row = finding.origin.row
            if hidden := hidden_by(finding, (*plan.ignore, *self.wishes.get(row or 0, ()))):
                self.ignored |= {(0, hidden), (row or 0, hidden)}
            else:
                self.findings.add([finding])
        return errors

    @property
    def all_surveys(self) -> tuple[Any, ...]:
        """Everything that is told at the end."""
        return (*self.forms, *self.surveys)

    def count_plain(self, number: int = 1) -> None:
        """The next examples are plain chats."""
        self.plain_places.extend(range(self.examples, self.examples + min(number, max(0, NAMED - self.plain))))
        self.plain += number

    def merge(self, later: Outcome) -> None:
        """Take up what was found in the part behind this one."""
        later.findings.shift(self.lines, self.rows)
        self.findings.merge(later.findings)
        self.index.merge(later.index, self.lines, self.rows)
        for survey, other in zip(self.all_surveys, later.all_surveys, strict=True):
            survey.merge(other, self.examples)
        self.lengths += later.lengths
        self.guessed |= later.guessed
        self.wishes |= {row + self.rows * later.counted: codes for row, codes in later.wishes.items()}
        self.ignored |= {(row and row + self.rows * later.counted, code) for row, code in later.ignored}
        self.examples += later.examples
        self.unread += later.unread
        self.lines += later.lines
        self.rows += later.rows


def hidden_by(finding: Diagnostic, ignore: Iterable[str]) -> str | None:
    """The code, family or readable name that keeps a finding from being reported."""
    return next((code for code in ignore if finding.code.startswith(code) or finding.slug == code), None)


def examine(part: Part, plan: Plan) -> Outcome:
    """Look at each example of a part once."""
    outcome = empty(plan, counted=part.counted)
    for item in part.records(_takes_together(plan)):
        if isinstance(item, PlainRows):
            _plain_rows(item, part, plan, outcome)
        elif isinstance(item, Unread):
            _unread(item, plan, outcome)
        elif isinstance(item, Example):
            _example(item, plan, outcome)
        else:
            _record(item, part, plan, outcome)
    for form in outcome.forms if outcome.plain else ():
        form.take_plain(outcome.plain, outcome.plain_places)
    return outcome


def _takes_together(plan: Plan) -> Harmless | None:
    """What plain chats that come together must say, if they may; where their texts are looked at, anything."""
    if not plan.rules.learns_plain_chats:
        return None
    return (lambda _: True) if plan.content else is_harmless


def _record(record: Record, part: Part, plan: Plan, outcome: Outcome) -> None:
    """What stands on one line."""
    outcome.index.add(part.base + record.offset, record.line, record.row)
    outcome.lines, outcome.rows = record.line, record.row
    if plan.format_only and record.plain and not record.marked and plan.rules.learns_plain_chats:
        outcome.count_plain()
        outcome.examples += 1
    else:
        _example(part.interpret(record), plan, outcome, marked=record.marked, plain=record.plain and part.keeps_plain)


def _plain_rows(found: PlainRows, part: Part, plan: Plan, outcome: Outcome) -> None:
    """Many plain chats, which have no finding about their form: what `_record` does with each."""
    number = len(found.chats)
    outcome.index.extend(found.offsets(part.base), found.line, found.row)
    outcome.lines, outcome.rows = found.line + number - 1, found.row + number - 1
    outcome.count_plain(number)
    counts = plan.counter.chats(map(len, found.chats), found.texts) if plan.counter else [0] * number
    if plan.looks_at_texts:
        _texts_of(found, counts, part, plan, outcome)
    elif plan.counter:
        limit = plan.rules.training_limit
        long = ((found.example(place, part.source), count) for place, count in enumerate(counts) if count > limit)
        outcome.report(limits.too_long(long, plan.rules, plan.counter), plan)
        outcome.lengths.extend(counts)
    for survey in outcome.surveys:
        if isinstance(survey, ExactDuplicates):
            survey.look_plain(found.chats, outcome.examples)
    outcome.examples += number


def _texts_of(found: PlainRows, counts: Sequence[int], part: Part, plan: Plan, outcome: Outcome) -> None:
    """What each of many plain chats says; exact copies are looked for in all of them together."""
    surveys = [survey for survey in outcome.surveys if not isinstance(survey, ExactDuplicates)]
    texts = iter(found.texts)
    for place, (chat, count) in enumerate(zip(found.chats, counts, strict=True)):
        said, read = list(islice(texts, len(chat))), partial(found.example, place, part.source)
        facts = Facts.of_plain(said, system=chat[0].role == "system", read=read)
        broken = plan.content and _plain_texts(facts, plan, outcome)
        if plan.counter:
            _counted(facts, 0 if broken else count, plan, outcome, plan.counter)
        for survey in surveys:
            survey.look(facts, outcome.examples + place)


def empty(plan: Plan, *, counted: bool = False) -> Outcome:
    """The outcome before anything was looked at."""
    exact = (ExactDuplicates(),) if plan.duplicates else ()
    content: tuple[Survey, ...] = ()
    if plan.content:
        from finetune_lib.data.checks import duplicates, quality

        content = (duplicates.Answers(), *quality.surveys())
    if plan.near or (plan.near is None and plan.content):
        from finetune_lib.data.checks import duplicates

        content = (duplicates.Duplicates(), *content)
    return Outcome(rows.surveys(plan.rules), (*exact, *content), counted=counted)


def _unread(record: Unread, plan: Plan, outcome: Outcome) -> None:
    outcome.index.findings.add(record.findings)
    outcome.unread += outcome.report(record.findings, plan)
    last = record.findings[-1].origin
    outcome.lines, outcome.rows = last.line or 0, (last.row or 0) - (not record.text.strip())


def _example(example: Example, plan: Plan, outcome: Outcome, *, marked: bool = True, plain: bool = False) -> None:
    """All that is asked of one example; the texts of a plain one are looked at where they may hold something."""
    if example.ignore and example.origin.row:
        outcome.wishes[example.origin.row] = example.ignore
    if plan.rules.learns_plain_chats and (plain or (example.dialect is None and is_plain(example.data))):
        messages = example.data["messages"]
        texts = [message["content"] for message in messages]
        system = messages[0]["role"] == "system"
        facts = Facts.of_plain(texts, system=system, read=lambda: example, category=example.category)
        outcome.count_plain()
        broken = (marked or plan.content) and _plain_texts(facts, plan, outcome)
    else:
        facts = Facts(example)
        broken = outcome.report(rows.check(example, plan.rules), plan)
        for form in outcome.forms:
            form.look(example, outcome.examples)
        if plan.content:
            outcome.report(_content(facts, plan.rules), plan)
    if plan.counter:
        _counted(facts, 0 if broken else _tokens(facts, outcome, plan.counter), plan, outcome, plan.counter)
    for survey in outcome.surveys:
        survey.look(facts, outcome.examples)
    outcome.examples += 1


def _tokens(facts: Facts, outcome: Outcome, counter: Counter) -> int:
    """The tokens of a sound example."""
    if facts.texts is not None:
        (count,) = counter.chats((len(facts.texts),), facts.texts)
        return count
    outcome.guessed = outcome.guessed or not is_sure(facts.example, counter)
    return limits.tokens(facts.example, counter)


def _counted(facts: Facts, count: int, plan: Plan, outcome: Outcome, counter: Counter) -> None:
    outcome.lengths.append(count)
    if count > plan.rules.training_limit:
        outcome.report(limits.too_long([(facts.example, count)], plan.rules, counter), plan)


def _content(facts: Facts, rules: Rules) -> Iterator[Diagnostic]:
    """What the texts of one example say."""
    duplicates, privacy, quality, _ = _of_content()
    yield from quality.check(facts.example, rules)
    yield from privacy.check(facts.example, rules)
    yield from duplicates.check(facts)


def _plain_texts(facts: Facts, plan: Plan, outcome: Outcome) -> bool:
    """What the texts of a plain chat say, each check asked where they have a sign of it; tells of an error."""
    if not plan.content:
        harmless = is_harmless(BETWEEN.join(facts.texts or ()))
        return not harmless and outcome.report(rows.check_texts(facts.example), plan)
    duplicates, privacy, quality, screening = _of_content()
    signs = screening.signs_of(facts)
    broken = bool(signs & screening.DAMAGED) and outcome.report(rows.check_texts(facts.example), plan)
    if not screening.teaches_well(facts, signs, plan.rules):
        outcome.report(quality.check(facts.example, plan.rules), plan)
    if signs & screening.PRIVATE:
        outcome.report(privacy.check(facts.example, plan.rules), plan)
    if leaked := duplicates.check(facts):
        outcome.report(leaked, plan)
    return broken


@cache
def _of_content() -> tuple[Any, Any, Any, Any]:
    """The checks of what texts say, which are imported only where they are asked for."""
    from finetune_lib.data.checks import duplicates, privacy, quality, screening

    return duplicates, privacy, quality, screening

"""What a golden set can tell, and what makes it tell less: known before anything is paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.data.diagnostics import Diagnostic, counted
from finetune_lib.data.formats.questions import names
from finetune_lib.data.together.links import NOTHING_KNOWN, between
from finetune_lib.evaluation.golden.cases import categories_of, unanswered
from finetune_lib.evaluation.golden.overlaps import Contamination, Repeated, contaminations, grouped, repeated
from finetune_lib.records import Case, Example
from finetune_lib.shown import Shown
from finetune_lib.statistics import detectable_difference, items_needed

DISCORDANT = (0.1, 0.3, 0.5)
MARGIN = 0.05  # of "not worse by more than", where nothing else is said
DIFFERING = (0.05, 0.1, 0.2, 0.3)
TINY = 10  # cases of a category below which its row of a report says next to nothing
LISTED = 10


@dataclass(frozen=True, slots=True)
class Power:
    """What a paired comparison can show, with 80 % power at the 5 % level.

    Attributes:
        discordant: The share of cases that one candidate gets right and the other does not.
        detectable: The smallest true difference that the set shows, as 0.1 for ten points; None where it shows none.
        needed: How many independent cases the wanted difference takes; None where it is larger than `discordant`.
    """

    discordant: float
    detectable: float | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class GoldenCheck(Shown):
    """What was found about a golden set; printing it says all of it, the gravest first.

    Attributes:
        name: The set.
        cases: How many cases it has.
        unanswered: How many of them have no right answer: only judges and people can score these.
        units: Independent units of the headline: clusters and single cases, those that ask the same counted once,
            contaminated ones not at all. It is the careful count: a cluster of cases that differ tells more than one.
        contaminations: Cases whose answer the training data tells, each with an example that does.
        of_one_form: Cases that have the form of a training example, with other numbers or names: they count, and
            measure that form more than new questions.
        contradictions: Cases that ask the same and expect different answers.
        duplicates: Cases that ask and expect the same.
        reworded: Cases that ask the same in other words: each group counts once, and may be meant.
        missing: Categories of the training data without a case, with their size there.
        tiny: Categories with fewer than ten cases, with their size.
        apart: Metadata that by its name belongs to the question, as choices or a passage; candidates do not see it.
        wanted: The difference that is to be shown.
        power: What can be shown where few, some or many cases tell two candidates apart.
        notes: What the reader of the file found.
        margin: How much worse a replacement may be, where "not worse" is to be shown.
    """

    name: str
    cases: int
    unanswered: int
    units: int
    contaminations: tuple[Contamination, ...]
    of_one_form: tuple[str, ...]
    contradictions: tuple[Repeated, ...]
    duplicates: tuple[Repeated, ...]
    reworded: tuple[Repeated, ...]
    missing: Mapping[str, int]
    tiny: Mapping[str, int]
    apart: tuple[str, ...]
    wanted: float
    power: tuple[Power, ...]
    notes: tuple[Diagnostic, ...] = ()
    margin: float | None = None

    @property
    def contaminated(self) -> frozenset[str]:
        """The ids of the cases that a report leaves out of its headline."""
        return frozenset(found.case for found in self.contaminations)

    @property
    def ok(self) -> bool:
        """Whether no case is contaminated, stands twice or contradicts another."""
        return not (self.contaminations or self.contradictions or self.duplicates)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def checked(
    cases: Sequence[Case],
    training: Sequence[Example] | None,
    *,
    name: str,
    notes: tuple[Diagnostic, ...],
    difference: float,
    margin: float | None = None,
) -> GoldenCheck:
    """Check the cases of a golden set, against training data where there is some."""
    if not 0 < difference <= 1:
        raise ValueError(f"difference is above 0 and at most 1: got {difference}")
    if margin is not None and not 0 < margin < 1:
        raise ValueError(f"margin is above 0 and below 1, as {MARGIN} for five points: got {margin}")
    known = between(training, cases) if training else NOTHING_KNOWN
    found = tuple(contaminations(cases, training or (), known.known))
    left_out = {one.case for one in found}
    clean = [case for case in cases if case.id not in left_out]
    groups = tuple(repeated(cases))
    categories = categories_of(cases)
    units = _units(clean, tuple(repeated(clean)) if left_out else groups)
    return GoldenCheck(
        name=name,
        cases=len(cases),
        unanswered=unanswered(cases),
        units=units,
        contaminations=found,
        of_one_form=tuple(cases[place].id for place in sorted(known.of_one_form)),
        contradictions=tuple(group for group in groups if len(group.answers) > 1),
        duplicates=tuple(group for group in groups if len(group.answers) < 2 and not group.reworded),
        reworded=tuple(group for group in groups if group.reworded),
        missing=_missing(categories, training or ()),
        tiny={category: count for category, count in categories.items() if count < TINY},
        apart=_apart(cases),
        wanted=difference,
        power=tuple(_power(units, discordant, difference) for discordant in DISCORDANT),
        notes=notes,
        margin=margin,
    )


def _units(cases: Sequence[Case], groups: Sequence[Repeated]) -> int:
    """Clusters and single cases, as a report counts them: those that ask the same are one."""
    clusters = [case.cluster for case in grouped(cases, groups)]
    return len(set(filter(None, clusters))) + clusters.count(None)


def _power(units: int, discordant: float, difference: float) -> Power:
    detectable = detectable_difference(units, discordant) if units else None
    return Power(discordant, detectable, items_needed(difference, discordant) if difference <= discordant else None)


def _missing(categories: Container[str], training: Sequence[Example]) -> Mapping[str, int]:
    there = Counter(example.category for example in training if example.category)
    return {category: count for category, count in there.most_common() if category not in categories}


def _apart(cases: Sequence[Case]) -> tuple[str, ...]:
    beside = dict.fromkeys(name for case in cases for name in case.metadata)
    return tuple(name for name in beside if name.strip().casefold() in names("part_of_question"))


def _lines(check: GoldenCheck) -> Iterator[str]:
    units = f", {counted(check.units, 'independent unit')} for the headline" if check.units != check.cases else ""
    yield f"{check.name}: {counted(check.cases, 'case')}{units}"
    if check.unanswered:
        yield f"  {counted(check.unanswered, 'case')} without a right answer: only judges and people can score them"
    told = "contaminated, left out of the headline (the training data tells the answer)"
    yield from _listed(told, check.contaminations)
    yield from _listed("of one form with training, with other numbers or names (they count)", check.of_one_form)
    yield from _listed("contradiction (the same question, different right answers)", check.contradictions)
    yield from _listed("duplicate (the same question twice)", check.duplicates)
    yield from _listed("question in other words (they count once together)", check.reworded)
    yield from _counts("categories of the training data without a case", check.missing)
    yield from _counts(f"categories with fewer than {TINY} cases, too few for a row of their own", check.tiny)
    if check.apart:
        what = "metadata that no candidate sees, though by its name it belongs to the question"
        yield f"  {what}: {', '.join(check.apart)}"
    yield "  what it can show (paired comparison, 80 % power, 5 % level):"
    yield from (f"    {_sentence(power, check)}" for power in check.power)
    if check.margin is not None:
        yield from margin_lines(check.units, check.margin)
    yield from (line for note in check.notes for line in str(note).splitlines())


def _sentence(power: Power, check: GoldenCheck) -> str:
    """What can be shown where so many cases tell two candidates apart, and what the wanted difference takes."""
    first = f"where {power.discordant:.0%} of the cases differ: "
    shown = "no difference at all" if power.detectable is None else f"{100 * power.detectable:.1f} points or more"
    if power.needed is None:
        return f"{first}{shown}"
    more = power.needed - check.units
    rest = "has enough" if more <= 0 else f"label {more:,} more"
    return f"{first}{shown}; {100 * check.wanted:g} points take {power.needed:,} cases ({rest})"


def margin_lines(units: int, margin: float) -> Iterator[str]:
    """How many independent cases prove that a replacement is not worse by more than the margin, if both are equal."""
    yield f'  what proves "not worse by more than {100 * margin:g} points" (if both are equally good, with 80 % power):'
    for differing in DIFFERING:
        if margin <= differing:
            needed = items_needed(margin, differing)
            rest = "there are enough" if needed <= units else f"{needed - units:,} more than there are"
            yield f"    where {differing:.0%} of the cases differ: {needed:,} cases ({rest})"
    yield "    a replacement that is truly worse, if by less than the margin, takes more"


def _listed(what: str, found: Sequence[object]) -> Iterator[str]:
    if found:
        yield f"  {len(found)} × {what}:"
        yield from (f"    {one}" for one in found[:LISTED])
        if len(found) > LISTED:
            yield f"    … and {len(found) - LISTED} more"


def _counts(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield f"  {what}: {', '.join(f'{name} ({count})' for name, count in counts.items())}"

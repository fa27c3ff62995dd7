"""Comparisons in sentences, for those who decide and not only for those who count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.regressions import toys_among
from finetune_lib.evaluation.report.views.numbers import number, p_value, percent, signed
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.wording import Words, number_of

SYMBOLS = {"better": "▲", "worse": "▼", "equivalent": "=", "not shown": "?"}
COUNTS = ("wins", "losses", "ties")
DOUBTED = {
    "judge_disagrees": "judge_disagrees",
    "judge_inconsistent": "judge_inconsistent",
    "cut": "doubt_cut",
}
MOST_NAMED = 5
# A group with more of the cases than this decides nearly alone.
LARGE = 0.2


def key(comparison: Comparison) -> str:
    """The word for its outcome."""
    return comparison.outcome.replace(" ", "_")


def headline(c: Comparison, words: Words) -> str:
    """The outcome in words, and how many answers of each were cut off."""
    text = words[key(c)].format(candidate=c.candidate, baseline=c.baseline, margin=number(c.margin))
    text = text[0].upper() + text[1:] if words[key(c)][0].islower() else text
    cut = words["comma"].join(cut_off(c, words))
    return words["headline_cut"].format(text=text, cut=cut) if cut else text


def shown_numbers(c: Comparison) -> tuple[str, str, str]:
    """The estimate with its interval: a difference of scores, or of preferences the share of wins."""
    if rate := c.win_rate:
        value, low, high = map(percent, rate)
        return value, low, high
    return signed(c.estimate.value), signed(c.estimate.low), signed(c.estimate.high)


def p_of(c: Comparison, words: Words, *, name: str = "holm") -> str:
    """The p-value, with its correction where there is one."""
    p = p_value(c.p)
    return words[name].format(p=p, number=c.family) if c.family > 1 else p


def counts(c: Comparison, words: Words) -> str:
    """Wins, losses, ties, and what is left out."""
    told = [number_of(words, f"{name}_counted", getattr(c, name)) for name in COUNTS]
    told += [number_of(words, f"{name}_counted", n) for name in ("missing", "contaminated") if (n := getattr(c, name))]
    return words["comma"].join(told)


def cut_off(c: Comparison, words: Words) -> list[str]:
    """The answers of each candidate that the limit of tokens cut off."""
    pairs = zip((c.candidate, c.baseline), c.cut, strict=True)
    return [words["cut_counted"].format(candidate=name, number=number) for name, number in pairs if number]


def facts(c: Comparison, view: View) -> str:
    """One line with all numbers."""
    words, (value, low, high) = view.words, shown_numbers(c)
    told = words["interval"].format(value=value, low=low, high=high, level=c.design.level)
    form = words["preference" if c.win_rate else "difference"]
    p = p_of(c, words, name="holm_short")
    return words["joined"].format(
        one=form.format(measure=view.named(c.scorer), interval=told, p=p), other=counts(c, words)
    )


def told(c: Comparison, view: View) -> str:
    """What the number is, and how sure."""
    _, low, high = shown_numbers(c)
    form = view.words["by_preference" if c.win_rate else "by_score"]
    p, level = p_of(c, view.words), c.design.level
    return form.format(measure=view.named(c.scorer), low=low, high=high, p=p, n=units(c, view.words), level=level)


def units(c: Comparison, words: Words) -> str:
    """The cases behind a number; the groups that count, where there are some."""
    cases = number_of(words, "cases_counted", c.estimate.n)
    if c.estimate.clusters is None:
        return cases
    return words["groups_of_cases"].format(groups=number_of(words, "groups_counted", c.estimate.clusters), cases=cases)


def meaning(c: Comparison, words: Words) -> str:
    """What the outcome means, for people who do not live with p-values."""
    if c.outcome == "equivalent":
        return words["within"]
    if c.outcome == "not shown":
        _, low, high = shown_numbers(c)
        return words["open_range"].format(low=low, high=high)
    if c.p < 0.001:
        return words["chance_rare"]
    of = 1000 if c.p < 0.01 else 100
    return words["chance"].format(number=max(1, round(c.p * of)), all=of)


def caveats(c: Comparison, view: View) -> Iterator[str]:
    """What is missing, what was left out, and what to do next."""
    words = view.words
    if c.missing and c.bounds:
        low, high = map(signed, c.bounds)
        form = words.get("missing_bounds_one", words["missing_bounds"]) if c.missing == 1 else words["missing_bounds"]
        yield form.format(number=c.missing, all=sum((c.wins, c.losses, c.ties, unknown(c))), low=low, high=high)
    if c.contaminated:
        yield number_of(words, "contaminated_told", c.contaminated)
    yield from advice(c, view)


def unknown(c: Comparison) -> int:
    """Cases of which nothing is known; of others that are missing, a part is."""
    return max(0, (c.filled[0].n if c.filled else c.estimate.n) - c.estimate.n)


def advice(c: Comparison, view: View) -> Iterator[str]:
    """Why nothing is shown and what to do; and what was decided or joined beforehand."""
    words = view.words
    if c.doubt:
        yield words[DOUBTED[c.doubt]]
    elif c.reason == "missing":
        yield words["missing_decide"].format(n=c.estimate.n, number=c.missing)
    elif c.reason == "unseen":
        yield unseen(c, words)
    elif c.reason == "spread" and c.items_needed:
        yield spread(c, c.items_needed, view)
    yield from misleading(c, view)
    yield from joined(c, view)
    yield from decided(c, words)


def misleading(c: Comparison, view: View) -> Iterator[str]:
    """What makes a comparison say nothing, or nothing of what people will ask: a measure of zeros, a toy."""
    words, report = view.words, view.report
    if says_nothing(c.scorer, view):
        yield words["all_lowest"].format(measure=c.scorer)
    if toys := toys_among(report.run.models, (c.candidate, c.baseline)):
        yield words["toys"].format(names=words["comma"].join(toys))


def says_nothing(measure: str, view: View) -> bool:
    """Whether every answer of every candidate has the lowest score of a scorer."""
    report = view.report
    if measure not in report.scorers:
        return False
    lowest = report.scale(measure)[0][0]
    scores = [s for name in report.candidates for s in report.scores(name, scorer=measure) if s is not None]
    return bool(scores) and all(s == lowest for s in scores)


def unseen(c: Comparison, words: Words) -> str:
    """That too few cases were seen to rule out rare large differences."""
    name = "groups_counted" if c.estimate.clusters else "cases_counted"
    said = words["unseen_loss" if c.estimate.value > 0 else "unseen_win"].format(
        candidate=c.candidate,
        value=number(abs(c.estimate.value)) if abs(c.estimate.value) >= 0.01 else f"{abs(c.estimate.value):.3f}",
        n=number_of(words, name, c.units),
        rate=max(1, round(100 * c.could_go_unseen)),
    )
    needed = [words["unseen_needed"].format(n=number_of(words, name, c.items_needed))] if c.items_needed else []
    return words["sentences"].join([said, *needed])


def spread(c: Comparison, more: int, view: View) -> str:
    """How many more cases or groups would probably show the difference."""
    if c.estimate.clusters:
        return view.words["groups_wanted"].format(number=more)
    category = where_to_label(c, view)
    return view.words["advice_where" if category else "advice"].format(number=more, category=category)


def joined(c: Comparison, view: View) -> Iterator[str]:
    """Which cases ask the same and so count once together; those that contradict each other, and a very large one."""
    words, found = view.words, view.report.alike
    if not found:
        return
    groups = ["=".join(group.cases[:MOST_NAMED]) for group in found]
    alike = sum(len(group.cases) - 1 for group in found)
    yield words["asked_alike"].format(number=alike, cases=many(groups, words, most=MOST_NAMED))
    if odd := ["=".join(group.cases[:MOST_NAMED]) for group in found if len(group.answers) > 1]:
        yield words["contradicting"].format(cases=many(odd, words, most=MOST_NAMED))
    largest = max((group.cases for group in found), key=len)
    if len(largest) > LARGE * c.estimate.n:
        yield words["large_group"].format(number=len(largest), first=largest[0], last=largest[-1])


def decided(c: Comparison, words: Words) -> Iterator[str]:
    """What was decided before the run, and that more looks were taken than planned."""
    design = c.design
    if design.assume:
        yield words["assumed"]
    if design.planned_looks > 1:
        yield words["looks_planned"].format(number=design.planned_looks)
    if design.look > design.planned_looks:
        yield words["looked_again"].format(look=design.look, planned=design.planned_looks)


def where_to_label(c: Comparison, view: View) -> str | None:
    """The category that leaves most of the doubt: n times the standard deviation of its differences (Neyman)."""
    found = view.report.by_category(c.candidate, baseline=c.baseline, scorer=c.scorer)
    doubts = {one.category: (c.estimate.n * (c.wins + c.losses)) ** 0.5 for one in found for c in [one.comparison]}
    return max(doubts, key=doubts.__getitem__) if len(doubts) > 1 and any(doubts.values()) else None


def many(items: Sequence[str], words: Words, *, most: int) -> str:
    """A list of so many, and how many there are beyond."""
    rest = [words["and_more"].format(number=len(items) - most)] if len(items) > most else []
    return words["comma"].join([*items[:most], *rest])

"""Comparisons in sentences, for those who decide and not only for those who count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.views.numbers import number, p_value, percent, signed
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.wording import Words, number_of

SYMBOLS = {"better": "▲", "worse": "▼", "equivalent": "=", "not shown": "?"}
COUNTS = ("wins", "losses", "ties")


def key(comparison: Comparison) -> str:
    """The word for its outcome."""
    return comparison.outcome.replace(" ", "_")


def headline(c: Comparison, words: Words) -> str:
    """The outcome in words."""
    text = words[key(c)].format(candidate=c.candidate, baseline=c.baseline, margin=number(c.margin))
    return text[0].upper() + text[1:] if words[key(c)][0].islower() else text


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


def facts(c: Comparison, view: View) -> str:
    """One line with all numbers."""
    words, (value, low, high) = view.words, shown_numbers(c)
    told = words["interval"].format(value=value, low=low, high=high)
    form = words["preference" if c.win_rate else "difference"]
    p = p_of(c, words, name="holm_short")
    return words["joined"].format(
        one=form.format(measure=view.named(c.scorer), interval=told, p=p), other=counts(c, words)
    )


def told(c: Comparison, view: View) -> str:
    """What the number is, and how sure."""
    _, low, high = shown_numbers(c)
    form = view.words["by_preference" if c.win_rate else "by_score"]
    n = number_of(view.words, "cases_counted", c.estimate.n)
    return form.format(measure=view.named(c.scorer), low=low, high=high, p=p_of(c, view.words), n=n)


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
        yield form.format(number=c.missing, all=c.estimate.n + c.missing, low=low, high=high)
    if c.contaminated:
        yield number_of(words, "contaminated_told", c.contaminated)
    yield from advice(c, view)


def advice(c: Comparison, view: View) -> Iterator[str]:
    """What to do where nothing is shown."""
    if c.outcome != "not shown":
        return
    if c.doubt:
        yield view.words["judge_disagrees" if c.doubt == "judge_disagrees" else "judge_inconsistent"]
    elif c.missing > 0.05 * (c.estimate.n + c.missing):
        yield view.words["too_many_missing"]
    elif c.items_needed:
        category = where_to_label(c, view)
        form = view.words["advice_where" if category else "advice"]
        yield form.format(number=c.items_needed, category=category)


def where_to_label(c: Comparison, view: View) -> str | None:
    """The category that leaves most of the doubt: n times the standard deviation of its differences (Neyman)."""
    found = view.report.by_category(c.candidate, baseline=c.baseline, scorer=c.scorer)
    doubts = {one.category: (c.estimate.n * (c.wins + c.losses)) ** 0.5 for one in found for c in [one.comparison]}
    return max(doubts, key=doubts.__getitem__) if len(doubts) > 1 and any(doubts.values()) else None


def many(items: Sequence[str], words: Words, *, most: int) -> str:
    """A list of so many, and how many there are beyond."""
    rest = [words["and_more"].format(number=len(items) - most)] if len(items) > most else []
    return words["comma"].join([*items[:most], *rest])

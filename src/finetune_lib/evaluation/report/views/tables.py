"""Tables that terminal and Markdown share, as plain texts."""

from __future__ import annotations

from collections.abc import Iterable

from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.views.numbers import DASH, number, p_value, percent
from finetune_lib.evaluation.report.views.phrases import SYMBOLS, key, shown_numbers
from finetune_lib.evaluation.report.views.view import View

MEASURES = ("measure_name", "difference_name", "interval_name", "p_name", "won_tied_lost", "outcome")


def measure_rows(found: Iterable[Comparison], view: View) -> list[list[str]]:
    """A comparison a row: the candidate, and what `MEASURES` names."""
    rows: list[list[str]] = []
    for c in found:
        value, low, high = shown_numbers(c)
        p = p_value(c.p).removeprefix("p ").removeprefix("= ")
        counts = f"{c.wins:,} · {c.ties:,} · {c.losses:,}"
        outcome = (
            f"{SYMBOLS[c.outcome]} {view.words[f'{key(c)}_short']}" if view.decides(c) else view.words["also_measured"]
        )
        rows.append([c.candidate, view.named(c.scorer), value, f"[{low}, {high}]", p, counts, outcome])
    return rows


def measure_header(view: View) -> list[str]:
    """The names of the columns."""
    return [view.words[name].format(level=view.report.design.level) for name in MEASURES]


def coverage_header(view: View) -> list[str]:
    """The names of the columns."""
    return [view.words[name] for name in ("candidate", "answers_itself", "wrong_of_these", "declines", "passes_on")]


def coverage_rows(view: View) -> list[list[str]]:
    """The candidates that decline or pass on: what they answer themselves, and what of that is wrong."""
    rows: list[list[str]] = []
    for name in view.report.candidates if view.report.scorers else ():
        c = view.report.coverage(name)
        if c.declined or c.passed_on or c.stages:
            low, high = map(percent, c.interval)
            own = f"{percent(c.share)} ({c.answered:,}; {low} – {high})"
            wrong = f"{c.wrong:,} ({100 * c.error:.1f} %)"
            rows.append([name, own, wrong, f"{c.declined:,}", f"{c.passed_on:,}"])
        for stage, (answered, errors) in c.stages.items():
            told = view.words["line"].format(one=name, other=stage)
            rows.append([told, f"{answered:,}", f"{errors:,}", DASH, DASH])
    return rows


def category_rows(view: View) -> list[list[str]]:
    """The mean score of each candidate, a category a row."""
    report = view.report
    rows: list[list[str]] = []
    for category in report.categories:
        means = (number(report.mean(name, category=category)) for name in report.candidates)
        rows.append([view.category(category), f"{report.count(category):,}", *means])
    return rows

"""Tokens of a data set as text and for the notebook: tables and a histogram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finetune_lib.pages.markup import Markup, table, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.terminal import table as text_table
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import Words, chosen, words

if TYPE_CHECKING:
    from finetune_lib.data.measuring.stats import Distribution, Stats

BAR = 40
Table = tuple[list[str], list[list[str]]]


def stats_text(stats: Stats) -> str:
    """The numbers and the histogram of tokens per example, in the language of the locale."""
    said = words(chosen(None))
    numbers, *others = (text_table(header, rows) for header, rows in _tables(stats, said))
    histogram = "\n".join(_text_bars(stats.tokens))
    return "\n\n".join(block for block in (_title(stats, said), numbers, histogram, *others) if block)


def stats_html(stats: Stats) -> Markup:
    """The same for the notebook."""
    language = chosen(None)
    said = words(language)
    numbers, *others = (table(header, rows) for header, rows in _tables(stats, said))
    bars = ([name, Markup(f"{_bar(filled)}{n:,}")] for name, n, filled in _bars(stats.tokens))
    histogram = [table([said["tokens"], said["example_count"]], bars)] if stats.examples else []
    title = tag("p", _title(stats, said))
    return tag("div", style(), title, numbers, *histogram, *others, class_="ftl", lang=language)


def _text_bars(found: Distribution) -> Iterator[str]:
    bars = list(_bars(found))
    wide = max((len(name) for name, _, _ in bars), default=0)
    yield from (f"{name:>{wide}} {'█' * filled or '▏' * bool(count)} {count:,}" for name, count, filled in bars)


def _bar(filled: int) -> Markup:
    return tag("span", tag("span", style=f"width:{filled / BAR:.1%}"), class_="bar")


def _title(stats: Stats, said: Words) -> str:
    how = stats.encoding if stats.exact else said["estimated"]
    return said["stats"].format(
        examples=stats.examples, tokens=stats.tokens.total, how=how, learned=stats.trained.total
    )


def _tables(stats: Stats, said: Words) -> Iterator[Table]:
    """Per example, then by role and by category where there are any."""
    header = [said[name] for name in ("per_example", "median", "mean", "p95", "largest", "total")]
    named = {"token_count": stats.tokens, "learned": stats.trained, "messages": stats.messages}
    yield header, [[said[name], *_numbers(found)] for name, found in named.items()]
    if stats.by_role:
        yield [said["role"], said["token_count"]], [[visible(name), f"{n:,}"] for name, n in stats.by_role.items()]
    if stats.by_category:
        rows = [[visible(name), f"{n:,}", f"{total:,}"] for name, (n, total) in sorted(stats.by_category.items())]
        yield [said["category_name"], said["example_count"], said["token_count"]], rows


def _numbers(found: Distribution) -> Iterator[str]:
    yield from (f"{number:,.0f}" for number in (found.median, found.mean, found.p95, found.most, found.total))


def _bars(found: Distribution) -> Iterator[tuple[str, int, int]]:
    """Of each bin its borders, its count, and how far its bar reaches."""
    highest = max((count for _, count in found.bins), default=0)
    low = found.least
    for border, count in found.bins:
        yield f"{low:,}–{border:,}" if border > low else f"{low:,}", count, round(BAR * count / highest)
        low = border + 1

"""Tokens of a data set as text and for the notebook: a table and a histogram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finetune_lib.rendering.markup import Markup, table, tag
from finetune_lib.rendering.page import style
from finetune_lib.rendering.terminal import table as text_table

if TYPE_CHECKING:
    from finetune_lib.measuring import Distribution, Stats

BAR = 40
HEADER = ("per example", "median", "mean", "95 % up to", "most", "total")


def stats_text(stats: Stats) -> str:
    """The numbers and the histogram of tokens per example."""
    blocks = [_title(stats), text_table(HEADER, _rows(stats)), "\n".join(_histogram(stats.tokens))]
    if stats.by_role:
        blocks.append(text_table(("role", "tokens"), [(name, f"{count:,}") for name, count in stats.by_role.items()]))
    if stats.by_category:
        blocks.append(text_table(("category", "examples", "tokens"), _categories(stats)))
    return "\n\n".join(block for block in blocks if block)


def _title(stats: Stats) -> str:
    how = stats.encoding if stats.exact else "estimated by script, within about 30 %"
    return f"{stats.examples:,} examples, {stats.tokens.total:,} tokens ({how}), {stats.trained.total:,} of them learned"


def _rows(stats: Stats) -> list[tuple[str, ...]]:
    named = {"tokens": stats.tokens, "learned tokens": stats.trained, "messages": stats.messages}
    return [(name, *_numbers(found)) for name, found in named.items()]


def _numbers(found: Distribution) -> Iterator[str]:
    yield from (f"{number:,.0f}" for number in (found.median, found.mean, found.p95, found.most, found.total))


def _categories(stats: Stats) -> list[tuple[str, str, str]]:
    return [(name, f"{count:,}", f"{tokens:,}") for name, (count, tokens) in sorted(stats.by_category.items())]


def _histogram(found: Distribution) -> Iterator[str]:
    highest = max((count for _, count in found.bins), default=0)
    low = found.least
    for border, count in found.bins:
        bar = "█" * round(BAR * count / highest) or ("▏" if count else "")
        yield f"{low:>7,}–{border:<7,} {bar} {count:,}"
        low = border + 1


def stats_html(stats: Stats) -> Markup:
    """The same for the notebook."""
    bars = tag("pre", "\n".join(_histogram(stats.tokens)))
    return tag("div", style(), tag("p", _title(stats)), table(HEADER, _rows(stats)), bars, class_="ftl")

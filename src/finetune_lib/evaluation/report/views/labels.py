"""Classification: how well each label is told apart, and which are taken for each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finetune_lib.evaluation.report.views.numbers import number
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup

if TYPE_CHECKING:
    from finetune_lib.evaluation.scorers import ClassificationReport

COLUMNS = ("label", "precision", "recall", "f1", "support")
SHADES = 5
MOST_LABELS = 30


def classifications(view: View) -> Iterator[Markup]:
    """For each scorer that finds labels: accuracy and F1 of all candidates, then each one's labels."""
    words = view.words
    for scorer in view.report.scorers:
        found = {name: c for name in view.report.candidates if (c := _classified(name, scorer, view))}
        if found:
            yield tag("h3", visible_markup(scorer))
            header = [words[name] for name in ("candidate", "accuracy", "macro_f1", "answers")]
            rows = (
                [visible_markup(n), number(c.accuracy), number(c.macro_f1), f"{c.total:,}"] for n, c in found.items()
            )
            yield table(header, rows)
            yield from (_details(name, c, view) for name, c in found.items())


def _classified(name: str, scorer: str, view: View) -> ClassificationReport | None:
    scored = (attempt.scores.get(scorer) for result in view.report.results[name] for attempt in result.attempts)
    labelled = any(score is not None and score.target is not None for score in scored)
    return view.report.classification(name, scorer=scorer) if labelled else None


def _details(name: str, found: ClassificationReport, view: View) -> Markup:
    rows = [
        [visible_markup(label), number(s.precision), number(s.recall), number(s.f1), f"{s.support:,}"]
        for label, s in found.classes.items()
    ]
    tables: list[Content] = [table([view.words[column] for column in COLUMNS], rows)]
    if len(found.labels) <= MOST_LABELS:
        tables.append(_confusion(found, view))
    body = tag("div", *tables, class_="forests")
    return tag("details", tag("summary", visible_markup(name)), body, class_="folded-part")


def _confusion(found: ClassificationReport, view: View) -> Markup:
    """The matrix; the more of a row a cell has, the stronger its shade."""
    words = view.words
    shown = len(found.labels) + any(row[-1] for row in found.matrix)
    columns = [*map(visible_markup, found.labels), words["unlabelled"]][:shown]
    head = tag("thead", tag("tr", *(tag("th", c, scope="col") for c in [words["right_label"], *columns])))
    rows = (
        _matrix_row(label, row, place, shown)
        for place, (label, row) in enumerate(zip(found.labels, found.matrix, strict=True))
    )
    matrix = tag("table", tag("caption", words["confusion"]), head, tag("tbody", *rows), class_="confusion")
    return tag("div", matrix, class_="scroll")


def _matrix_row(label: str, row: tuple[int, ...], right: int, shown: int) -> Markup:
    total = max(1, sum(row))
    cells = (
        tag("td", f"{n:,}", class_=f"{'hit' if place == right else 'slip'} shade-{round(SHADES * n / total)}")
        for place, n in enumerate(row[:shown])
    )
    return tag("tr", tag("th", visible_markup(label), scope="row"), *cells)

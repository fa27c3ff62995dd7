"""What answers cost and how long they take, what a win costs, and where the evaluated model comes from."""

from __future__ import annotations

from collections.abc import Iterator

from finetune_lib.evaluation.report.views.numbers import DASH, duration, money
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import number_of

QUANTITIES = (
    "answers", "tokens_read", "tokens_written", "per_1000", "in_all",
    "half_within", "most_within", "per_win", "break_even",
)  # fmt: skip


def expenses(view: View, curve: str | None) -> Iterator[Markup]:
    """The table, the run, the way from the data to it, and the loss curve."""
    words = view.words
    header = [words["for_an_answer"], *map(visible_markup, view.report.candidates)]
    yield tag("div", table(header, (map(visible_markup, row) for row in rows(view))), class_="compact")
    yield tag("p", words["per_answer_note"], class_="soft")
    if text := run_told(view):
        yield tag("p", text)
    if text := judging_told(view):
        yield tag("p", visible_markup(text))
    yield from _chain(view)
    if curve:
        yield tag("figure", tag("figcaption", words["loss"]), Markup(curve), class_="curve")


def rows(view: View) -> list[list[str]]:
    """One quantity a row, one candidate a column; without quantities that nobody knows."""
    columns = [_quantities(name, view) for name in view.report.candidates]
    found = zip(QUANTITIES, zip(*columns, strict=True), strict=True)
    return [[view.words[name], *values] for name, values in found if set(values) - {DASH, "0"}]


def _quantities(name: str, view: View) -> tuple[str, ...]:
    e = view.report.expense(name)
    return (
        f"{e.answers:,}",
        f"{e.prompt_tokens:,.0f}",
        f"{e.completion_tokens:,.0f}",
        money(None if e.usd is None else 1000 * e.usd),
        money(e.total_usd),
        duration(e.p50),
        duration(e.p95),
        *_worth(name, view),
    )


def _worth(name: str, view: View) -> tuple[str, str]:
    """The price of a win, and when the training is paid for."""
    comparisons = view.of_candidate(name)
    if not comparisons:
        return DASH, DASH
    found = view.report.worth(name, baseline=view.baseline, scorer=comparisons[0].scorer)
    words, extra = view.words, found.extra_usd
    if extra is None:
        return DASH, DASH
    win = money(found.usd_per_win) if found.usd_per_win else words["costs_less" if extra < 0 else "wins_nothing"]
    calls = found.break_even_calls
    paid = DASH if calls is None else number_of(words, "calls_counted", calls)
    return (win if extra else words["costs_same"]), paid


def run_told(view: View) -> str:
    """What the run did and cost; nothing where the report was not made by a run."""
    run, words = view.report.run, view.words
    if not (run.paid_calls or run.reused):
        return ""
    calls = number_of(words, "calls_counted", run.paid_calls)
    form = words["paid" if run.usd is not None else "paid_unpriced"]
    return form.format(calls=calls, reused=run.reused, seconds=duration(run.seconds), usd=money(run.usd))


def judging_told(view: View) -> str:
    """What judges and graders cost, now or earlier; nothing where no model judged."""
    words, found = view.words, view.report.run.judging
    told = [words["line"].format(one=name.partition(" ")[2], other=money(usd)) for name, usd in found.items()]
    return words["judging_cost"].format(told=words["comma"].join(told)) if told else ""


def _chain(view: View) -> Iterator[Markup]:
    """Training data, job, model, evaluation."""
    run, words = view.report.run, view.words
    if not run.job:
        return
    price = [f" ({money(run.training_usd)})"] if run.training_usd is not None else []
    steps: dict[str, str | None] = {
        "chain_data": run.training_file,
        "chain_job": "".join([run.job, *price]),
        "chain_model": next((model for model in run.models.values() if model.startswith("ft:")), None),
        "chain_evaluation": run.id or None,
    }
    items: list[Content] = [
        tag("li", tag("small", words[name]), Markup(" "), tag("code", visible_markup(value)))
        for name, value in steps.items()
        if value
    ]
    yield tag("h3", words["chain"])
    yield tag("ol", *items, class_="chain")

"""What was compared: the golden set, and how each candidate, judge and scorer was told and set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup

SHORT = 60  # characters of a setting that stands on the line; longer ones are folded
MOST_SYSTEMS = 3


def compared(view: View) -> Iterator[Markup]:
    """The golden set, and one row for all that answered or judged."""
    words = view.words
    yield tag("p", visible_markup(golden_told(view)))
    for system in systems(view)[:MOST_SYSTEMS]:
        yield _folded(words["golden_system"], system)
    rows = [[_named(name, view), *_set(name, view)] for name in named(view)]
    if any(view.report.run.settings) or view.report.run.models:
        header = [words["who"], words["method_model"], words["settings"]]
        yield tag("div", table(header, rows), class_="settings")


def golden_told(view: View) -> str:
    """The golden set in one line: name, date, size, content."""
    run, words = view.report.run, view.words
    told = [
        run.golden_name,
        words["golden_dated"].format(date=run.golden_date) if run.golden_date else "",
        words["golden_content"].format(digest=run.golden) if run.golden else "",
    ]
    known = words["comma"].join(filter(None, told))
    return words["golden_told"].format(cases=view.counted, known=known) if known else view.counted


def systems(view: View) -> list[str]:
    """The system messages of the cases, the most frequent first where there are few."""
    found: dict[str, int] = {}
    for case in view.report.cases:
        for message in case.messages:
            if message.role in ("system", "developer"):
                found[message.text] = found.get(message.text, 0) + 1
    return sorted(found, key=found.__getitem__, reverse=True)


def named(view: View) -> list[str]:
    """Candidates, then scorers and judges with settings of their own."""
    run = view.report.run
    return [*view.report.candidates, *(name for name in run.settings if name not in view.report.candidates)]


def model_of(name: str, view: View) -> str:
    """The model that was asked, and what the platform says has answered where that is another name."""
    run = view.report.run
    model = run.models.get(name) or run.judge_models.get(name.removeprefix("judge ")) or ""
    answered = [one for one in run.answered.get(name, ()) if one != model]
    return " → ".join(filter(None, [model, view.words["comma"].join(answered)]))


def settings(name: str, view: View) -> Mapping[str, Any]:
    """How it was set."""
    return view.report.run.settings.get(name, {})


def setting(value: object) -> str:
    """A value as text."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _named(name: str, view: View) -> Markup:
    for kind in ("judge", "scorer"):
        if name.startswith(f"{kind} ") and name not in view.report.candidates:
            return Markup(f"{visible_markup(name[len(kind) + 1 :])} {tag('small', view.words[f'{kind}_kind'])}")
    return visible_markup(name)


def _set(name: str, view: View) -> tuple[Content, Content]:
    told = {key: setting(value) for key, value in settings(name, view).items()}
    short = [f"{key} {value}" for key, value in told.items() if len(value) <= SHORT and "\n" not in value]
    long = [_folded(key, value) for key, value in told.items() if len(value) > SHORT or "\n" in value]
    return visible_markup(model_of(name, view)), Markup("".join([visible_markup(" · ".join(short)), *long]))


def _folded(title: str, text: str) -> Markup:
    body = tag("div", visible_markup(text), class_="told", dir="auto")
    return tag("details", tag("summary", visible_markup(title)), body, class_="folded-part")

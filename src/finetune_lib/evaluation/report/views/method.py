"""How it was measured: what was decided beforehand, and everything that is needed to do it again."""

from __future__ import annotations

from collections.abc import Iterator
from time import gmtime, strftime

from finetune_lib.evaluation.report.views.compared import golden_told, model_of, setting, settings
from finetune_lib.evaluation.report.views.phrases import many
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.unseen import visible_markup

SHOWN_CASES = 20


def method(view: View) -> Iterator[Markup]:
    """The rule, and the facts of this run."""
    words = view.words
    clustered = any(case.cluster for case in view.report.grouped)
    rules = ["method_rule", "method_unit", *(["method_clusters"] if clustered else []), "method_seed"]
    if view.comparisons:
        yield from (tag("p", words[name]) for name in rules)
    parts: list[Content] = [
        part
        for name, values in facts(view)
        for part in (tag("dt", words[name]), *(tag("dd", visible_markup(value)) for value in values))
    ]
    yield tag("dl", *parts, class_="method")


def facts(view: View) -> Iterator[tuple[str, list[str]]]:
    """Words with what belongs to them."""
    from finetune_lib import __version__

    report, run, words = view.report, view.report.run, view.words
    if methods := dict.fromkeys(c.estimate.method for c in view.comparisons.values()):
        yield "method_used", list(methods)
        yield "method_corrections", [words["method_holm"]]
    if report.scorers:
        yield (
            "method_scorers",
            [f"{name}: {signature}" if (signature := report.signatures.get(name)) else name for name in report.scorers],
        )
    if run.models:
        yield "method_models", [f"{name}: {model_of(name, view)}" for name in {**run.models, **run.judge_models}]
    if report.contaminated:
        yield "method_contaminated", [many(sorted(report.contaminated), words, most=SHOWN_CASES)]
    if run.id:
        yield "method_run", [run.id, words["started"].format(time=strftime("%Y-%m-%d %H:%M UTC", gmtime(run.started)))]
    if run.golden:
        yield "method_golden", [golden_told(view)]
    if told := {name: settings(name, view) for name in run.settings}:
        lines = (
            f"{name}: {'; '.join(f'{key} {setting(v)}' for key, v in found.items())}" for name, found in told.items()
        )
        yield "settings", list(lines)
    yield "method_version", [f"finetune_lib {__version__}"]

"""A validation report as a page and for the notebook: what was found, by code, each with its places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.locations import listed, place
from finetune_lib.data.diagnostics.notes import help_of, label, places_of, quote_markup
from finetune_lib.data.diagnostics.result import ValidationResult
from finetune_lib.data.diagnostics.summary import SEVERITIES, Run, grouped, runs_of, summary_of
from finetune_lib.pages.document import document
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import Words, chosen, noun, words
from finetune_lib.texts.languages import Language

OPEN = 3  # findings of a code that are seen at once
LISTED = 100  # findings of a code that the page holds


def validation_page(report: ValidationResult, *, lang: Language | None) -> str:
    """The findings as a page; filters need no script."""
    language = chosen(lang)
    title = tag("h1", visible_markup(report.source))
    return document(report.source, title, _body(report, language, contents=True), lang=language)


def validation_html(report: ValidationResult) -> Markup:
    """The same for the notebook."""
    language = chosen(None)
    return tag("div", style(), _body(report, language, contents=False), class_="ftl", lang=language)


def groups_markup(findings: Sequence[Diagnostic], lang: Language) -> list[Markup]:
    """Findings by code."""
    return [_group(run, lang) for run in grouped(findings, {})]


def _body(report: ValidationResult, lang: Language, *, contents: bool) -> Markup:
    said = words(lang)
    runs = runs_of(report)
    summary = tag("div", visible_markup(summary_of(report, lang)), class_=f"card {'better' if report.ok else 'worse'}")
    sound = [] if runs else [tag("p", said["sound"])]
    listed_codes = [_contents(runs, said)] if contents and len(runs) > OPEN else []
    groups = (_group(run, lang) for run in runs)
    return tag("div", summary, *sound, *_switches(report, runs, said), *listed_codes, *groups, class_="report")


def _switches(report: ValidationResult, runs: Sequence[Run], said: Words) -> Iterator[Markup]:
    """One check box a severity; the style sheet hides what is not checked."""
    counts = {severity: report.count(severity) for severity in SEVERITIES}
    boxes = [
        tag(
            "label",
            tag("input", type="checkbox", class_=f"show-{severity}", checked=""),
            Markup(" "),
            tag("b", f"{count:,}"),
            f" {noun(said, f'{severity}s', count)}",
            class_=f"severity-{severity}",
        )
        for severity, count in counts.items()
        if count
    ]
    if runs:
        yield tag("fieldset", tag("legend", said["show"]), *boxes, class_="switches")


def _contents(runs: Sequence[Run], said: Words) -> Markup:
    """Links to the groups."""
    links = (
        tag(
            "a",
            tag("code", group[0].code),
            f" {group[0].slug} ",
            tag("b", f"{total:,}"),
            href=f"#{_anchor(group[0])}",
            class_=f"badge {group[0].severity}",
        )
        for group, total in runs
    )
    return tag("nav", *links, class_="contents", aria_label=said["codes"])


def _anchor(finding: Diagnostic) -> str:
    return f"{finding.code}-{finding.severity}"


def _group(run: Run, lang: Language) -> Markup:
    """One code: its help, the first findings, and the others folded."""
    group, total = run
    said, texts = words(lang), group[0].texts(lang)
    items = _items(group[:LISTED], lang)
    shown = len(items) if total <= OPEN + 2 else OPEN
    rest = [_rest(group, items[shown:], total, shown, said)] if total > shown else []
    heading = tag("h2", *label(group[0], said), Markup(" "), tag("span", f"{total:,}", class_="badge"))
    body: list[Content] = [heading, tag("ol", *items[:shown], class_="places"), *rest, *help_of(texts, said)]
    return tag("section", *body, class_=f"group {group[0].severity}", id=_anchor(group[0]))


def _rest(group: Sequence[Diagnostic], items: Sequence[Markup], total: int, shown: int, said: Words) -> Markup:
    """Those beyond the first, and of those beyond the page the places or the number alone."""
    beyond = group[shown + len(items) :]
    places = [tag("p", listed(beyond, said, most=LISTED), class_="soft")] if beyond else []
    uncounted = total - len(group)
    told = [tag("p", said["not_kept"].format(number=uncounted), class_="soft")] if uncounted > 0 else []
    head = tag("summary", said["more_places"].format(number=total - shown))
    return tag("details", head, tag("ol", *items, class_="places"), *places, *told)


def _items(group: Sequence[Diagnostic], lang: Language) -> list[Markup]:
    """A message is said where it changes, a hint too."""
    items: list[Markup] = []
    message, hint = "", group[0].texts(lang).hint
    for finding in group:
        texts = finding.texts(lang)
        told = [tag("p", visible_markup(texts.message))] if texts.message != message else []
        advice = help_of(texts, words(lang))[:1] if texts.hint != hint else []
        items.append(tag("li", *told, *_where(finding, words(lang)), *advice))
        message, hint = texts.message, texts.hint
    return items


def _where(finding: Diagnostic, said: Words) -> Iterator[Markup]:
    related = places_of(finding.related, said, {})
    others = [Markup(" ↔ "), *related] if related else []
    yield tag("p", tag("code", visible_markup(place(finding, said))), *others, class_="place")
    if finding.quote:
        yield quote_markup(finding.quote)

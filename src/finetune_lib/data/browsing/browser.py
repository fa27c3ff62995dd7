"""One page to read a data set: examples as conversations, filtered, with findings and twins beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low
from typing import TYPE_CHECKING

from finetune_lib.data.browsing.cards import card, unread_card
from finetune_lib.data.browsing.selection import Found, by_place, choose, unread
from finetune_lib.data.browsing.state import Page, Shown
from finetune_lib.data.diagnostics.locations import place_of
from finetune_lib.data.diagnostics.page import groups_markup
from finetune_lib.data.diagnostics.summary import SEVERITIES, summary_of
from finetune_lib.files import packaged_text
from finetune_lib.pages.document import document
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.unseen import visible, visible_markup
from finetune_lib.pages.wording import Words, chosen, number_of, words

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Diagnostic, ValidationReport
    from finetune_lib.records import Example
    from finetune_lib.texts.languages import Language

KEYS = {
    "j": "key_next",
    "k": "key_previous",
    "n": "key_finding",
    "p": "key_finding_back",
    "x": "key_leave",
    "/": "key_search",
}


def dataset_page(
    name: str, examples: Sequence[Example], report: ValidationReport | None, *, limit: int, lang: Language | None = None
) -> str:
    """The page; of more examples than `limit` it holds those with findings and then the first ones, and says so."""
    language = chosen(lang)
    found = by_place(report.diagnostics if report else ())
    choice = choose(examples, found, limit=limit)
    shown, lost = choice.shown, unread(found, choice)
    known = {place_of(one.example.origin): one for one in shown}
    page = Page(language, words(language), known, {place: one.number for place, one in known.items()})
    cards = list(_in_order(shown, lost, page))
    return document(
        name,
        *_head(name, len(examples), shown, report, page),
        *_whole(found, shown, lost, page),
        _tools(shown, lost, page),
        tag("main", *cards, id="examples"),
        tag("p", page.words["no_match"], id="none", hidden=""),
        _keys(page.words),
        script=packaged_text("finetune_lib.data.browsing", "browser.js"),
        lang=language,
        kind="browser",
    )


def _in_order(shown: Sequence[Shown], lost: Sequence[Sequence[Diagnostic]], page: Page) -> Iterator[Markup]:
    """The cards, with the lines that could not be read where they stand in the file."""
    waiting = list(lost)
    for one in shown:
        origin = one.example.origin
        while waiting and origin.line:
            first = waiting[0][0].origin
            if first.source != origin.source or (first.line or 0) >= origin.line:
                break
            yield unread_card(waiting.pop(0), page)
        yield card(one, page)
    yield from (unread_card(findings, page) for findings in waiting)


def _head(
    name: str, total: int, shown: Sequence[Shown], report: ValidationReport | None, page: Page
) -> Iterator[Markup]:
    """Title and counts."""
    said = page.words
    yield tag("h1", visible_markup(name))
    summary = summary_of(report, page.lang) if report else number_of(said, "examples", total)
    yield tag("p", visible_markup(summary), class_="soft")
    if shown:
        lengths = [one.parts.length for one in shown]
        middle = median_low(lengths)
        told = [said["lengths"].format(least=min(lengths), most=max(lengths), median=middle)]
        told += [said["found_in"].format(number=sum(bool(one.findings) for one in shown))] if report else []
        yield tag("p", " · ".join(told), class_="soft")
    if len(shown) < total:
        yield tag("p", said["part"].format(number=len(shown), all=total), class_="soft")


def _whole(found: Found, shown: Iterable[Shown], lost: Iterable[Sequence[Diagnostic]], page: Page) -> Iterator[Markup]:
    """What was found about the data as a whole, and notes on lines without an example."""
    placed = {id(finding) for one in shown for finding in one.findings} | {id(f) for group in lost for f in group}
    left = [finding for group in found.values() for finding in group if id(finding) not in placed]
    if left:
        groups = groups_markup(left, page.lang)
        state = {"open": ""} if any(finding.severity == "error" for finding in left) else {}
        yield tag("details", tag("summary", f"{page.words['whole']} ({len(left):,})"), *groups, class_="whole", **state)


def _tools(shown: Sequence[Shown], lost: Sequence[Sequence[Diagnostic]], page: Page) -> Markup:
    """Search, filters and order; the script acts on them and shows them."""
    said = page.words
    total = len(shown) + len(lost)
    findings = [*(one.findings for one in shown), *lost]
    search = tag("input", type="search", id="search", placeholder=said["search"], aria_label=said["search_name"])
    count = tag("output", "", id="count", data_template=said["count"], data_all=str(total))
    step = [tag("button", f"{said['next_finding']} (n)", type="button", id="next")] if any(findings) else []
    save = tag("button", "", type="button", id="save", hidden="", data_template=said["save_left_out"])
    keys = tag("button", "?", type="button", id="keys", aria_label=said["keys"])
    fields = tag("div", *_choices(shown, findings, said), class_="row")
    choices = tag("details", tag("summary", said["filters"]), fields, class_="choices", open="")
    return tag("nav", tag("div", search, count, save, *step, keys, class_="row"), choices, class_="filters", hidden="")


def _choices(shown: Sequence[Shown], findings: Sequence[Sequence[Diagnostic]], said: Words) -> Iterator[Markup]:
    if any(findings):
        yield _finding_choice(findings, said)
    yield from _choice("category", said["categories"], Counter(one.example.category for one in shown))
    yield from _choice("operation", said["operations"], Counter(one.example.operation for one in shown))
    yield _length(shown, said)
    orders = {"": said["in_order"], "short": said["short"], "long": said["long"], "grave": said["grave"]}
    yield _select("order", said["order"], [_option(value, text) for value, text in orders.items()])
    yield tag("button", said["clear"], type="button", id="clear")


def _finding_choice(findings: Sequence[Sequence[Diagnostic]], said: Words) -> Markup:
    """All, with and without findings, by severity, by code; each with its number of examples."""
    severities = Counter(severity for group in findings for severity in {finding.severity for finding in group})
    codes = Counter(code for group in findings for code in {(finding.code, finding.slug) for finding in group})
    noted = sum(map(bool, findings))
    by_severity = (_option(s, said[f"{s}_only"], severities[s]) for s in SEVERITIES if severities[s])
    by_code = (_option(code, f"{code} {slug}", count) for (code, slug), count in sorted(codes.items()))
    options = [
        _option("", said["every"]),
        _option("any", said["any"], noted),
        _option("none", said["none"], len(findings) - noted),
        tag("optgroup", *by_severity, label=said["severities"]),
        tag("optgroup", *by_code, label=said["by_code"]),
    ]
    return _select("finding", said["findings"], options)


def _choice(name: str, everything: str, counts: Counter[str | None]) -> Iterator[Markup]:
    """A choice among labels that some examples have."""
    named = sorted((label, count) for label, count in counts.items() if label)
    if named:
        options = (_option(f"={label}", label, count) for label, count in named)
        yield _select(name, everything, [_option("", everything), *options])


def _length(shown: Sequence[Shown], said: Words) -> Markup:
    lengths = [one.parts.length for one in shown] or [0]
    least = tag("input", type="number", id="least", min="0", placeholder=str(min(lengths)), aria_label=said["least"])
    most = tag("input", type="number", id="most", min="0", placeholder=str(max(lengths)), aria_label=said["most"])
    return tag("fieldset", tag("legend", said["length"]), least, tag("span", "–"), most)


def _select(name: str, label: str, options: Iterable[Content]) -> Markup:
    return tag("select", *options, id=name, aria_label=label)


def _option(value: str, text: str, count: int | None = None) -> Markup:
    return tag("option", visible(text if count is None else f"{text} ({count:,})"), value=value)


def _keys(said: Words) -> Markup:
    """The keys, shown by `?`."""
    named = {**KEYS, "Esc": "key_escape", "?": "key_help"}
    rows = (part for key, name in named.items() for part in (tag("dt", tag("kbd", key)), tag("dd", said[name])))
    close = tag("button", said["close"], type="button", id="close")
    return tag("dialog", tag("h2", said["keys"]), tag("dl", *rows), close, id="help")

"""A turn on a page: who speaks, what is said, and beside it what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from finetune_lib.data.browsing.marking import Span, marked, span_of
from finetune_lib.data.browsing.state import Page
from finetune_lib.data.diagnostics.notes import badge, note, places_of
from finetune_lib.data.diagnostics.summary import SEVERITIES
from finetune_lib.pages.conversation import Piece, Turn
from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.texts.scripts import language_of

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Diagnostic

LONG, LONG_LINES = 1200, 18  # a longer text is folded
LARGEST = 50_000  # characters of a text that the page holds
ROLES = {"system", "developer", "user", "assistant", "tool", "prompt", "completion"}


def notes(findings: Iterable[Diagnostic], page: Page) -> Iterator[Markup]:
    """Findings, each with links to the other examples that it names."""
    for finding in findings:
        yield note(finding, page.lang, links=places_of(finding.related, page.words, page.numbers))


def line(turn: Turn, findings: Sequence[Diagnostic], page: Page) -> Markup:
    """A turn and, beside it, what was found about it."""
    worst = next((level for level in SEVERITIES if any(f.severity == level for f in findings)), "")
    aside = [tag("aside", *notes(findings, page))] if findings else []
    return tag("div", _turn(turn, findings, page), *aside, class_=f"line {worst}".rstrip())


def _turn(turn: Turn, findings: Sequence[Diagnostic], page: Page) -> Markup:
    skipped = [badge(page.words["not_trained"])] if not turn.learned else []
    beside = [tag("small", visible_markup(text)) for text in turn.notes]
    said = (_piece(piece, findings, page) for piece in turn.pieces)
    role = turn.role if turn.role in ROLES else "other"
    who = tag("div", tag("b", visible_markup(turn.role)), *beside, *skipped, class_="who")
    return tag("div", who, tag("div", *said), class_=f"turn {role}", data_path=turn.path)


def _piece(piece: Piece, findings: Sequence[Diagnostic], page: Page) -> Markup:
    words = page.words
    label = [tag("small", visible_markup(piece.label))] if piece.label else []
    match piece.kind:
        case "text":
            return tag("div", *label, _text(piece.text, findings, page))
        case "nothing":
            return tag("p", words["nothing"], class_="soft")
        case "json":
            return tag("div", *label, _set_out(piece.text, page))
        case "call":
            head = tag("p", f"{words['call']} ", tag("code", visible_markup(piece.label)))
            return tag("div", head, _set_out(piece.text, page), class_="call")
        case "refusal":
            return tag("div", badge(words["refusal"]), _text(piece.text, findings, page))
        case _:
            return tag("p", badge(words[piece.kind]), Markup(" "), tag("code", visible_markup(piece.text)))


def _set_out(text: str, page: Page) -> Markup:
    return _fold(tag("pre", visible_markup(text[:LARGEST]), dir="ltr"), text, page)


def _text(text: str, findings: Sequence[Diagnostic], page: Page) -> Markup:
    """A text in its language, with what findings quote from it marked."""
    if not text.strip():
        return tag("p", tag("span", page.words["empty"], class_="soft"), visible_markup(text), class_="said")
    head = text[:LARGEST]
    spans = [span for finding in findings if finding.quote and (span := span_of(head, finding.quote))]
    language = language_of(head)
    given = {"lang": language} if language and language != page.lang else {}
    body = tag("p", marked(head, spans, kind="quoted"), dir="auto", class_="said", **given)
    return _fold(body, text, page, spans)


def _fold(body: Markup, text: str, page: Page, spans: Sequence[Span] = ()) -> Markup:
    """A long text folded behind a button; not where a mark would be hidden."""
    left = len(text) - LARGEST
    cut = [tag("p", page.words["cut"].format(number=left), class_="soft")] if left > 0 else []
    long = len(text) > LONG or text.count("\n") > LONG_LINES
    if not long or any(start > LONG // 2 for start, _ in spans):
        return Markup("".join([body, *cut]))
    more = page.words["whole_text"].format(number=len(text))
    button = tag("button", more, type="button", class_="unfold", data_less=page.words["less_text"])
    return tag("div", tag("div", body, *cut, class_="folded"), button)

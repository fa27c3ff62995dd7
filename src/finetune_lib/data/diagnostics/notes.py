"""A finding as a note in a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from finetune_lib.data.diagnostics.catalogue import Code
from finetune_lib.data.diagnostics.explaining import way_of
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.locations import Place, place_of, spot
from finetune_lib.data.diagnostics.quoting import Quote
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import Words, words
from finetune_lib.records import Origin
from finetune_lib.texts.languages import Language

LINKED = 8


def note(finding: Diagnostic, lang: Language, *, links: Sequence[Markup] = (), quoted: bool = False) -> Markup:
    """The finding with what to do; with the piece of source where it stands nowhere else on the page."""
    texts, said = finding.texts(lang), words(lang)
    path = [Markup(" "), tag("code", visible_markup(finding.path), class_="path")] if finding.path else []
    also = [tag("p", said["also"], Markup(" "), *links, class_="soft")] if links else []
    source = [quote_markup(finding.quote)] if quoted and finding.quote else []
    return tag(
        "div",
        tag("p", *label(finding, said), *path),
        tag("p", visible_markup(texts.message)),
        *source,
        *help_of(texts, said),
        *also,
        class_=f"finding {finding.severity}",
        tabindex="-1",
    )


def badge(text: str) -> Markup:
    """A short label."""
    return tag("span", visible_markup(text), class_="badge")


def label(finding: Diagnostic, said: Words) -> list[Content]:
    """Severity, code and name."""
    severity = tag("b", said[finding.severity], class_="severity")
    return [severity, Markup(" "), tag("code", finding.code), Markup(" "), tag("span", finding.slug, class_="slug")]


def help_of(texts: Code, said: Words) -> list[Markup]:
    """What to do, and what a fix would do."""
    told = [(said["help"], texts.hint)]
    if texts.fix:
        told.append((said["fix"], said["fix_said"].format(mend=texts.mend, kind=way_of(texts, said))))
    return [tag("p", tag("b", name), Markup(" "), visible_markup(text), class_="soft") for name, text in told]


def quote_markup(quote: Quote) -> Markup:
    """The piece of source with the marked part."""
    stop = quote.start + quote.length
    before, mark, after = quote.text[: quote.start], quote.text[quote.start : stop], quote.text[stop:]
    body = visible_markup(before), tag("mark", visible_markup(mark), class_="quoted"), visible_markup(after)
    return tag("pre", *body, class_="quote", dir="ltr")


def places_of(origins: Iterable[Origin], said: Words, numbers: Mapping[Place, int]) -> list[Markup]:
    """Other places, as links where they are on the page."""
    given = list(origins)
    shown = [_place(origin, said, numbers.get(place_of(origin))) for origin in given[:LINKED]]
    more = [Markup(" …")] if len(given) > LINKED else []
    return [*_joined(shown), *more]


def _place(origin: Origin, said: Words, number: int | None) -> Markup:
    where = spot(origin, said)
    shown = visible_markup(where)
    return tag("span", shown) if number is None else tag("a", shown, href=f"#example-{number}")


def _joined(items: Iterable[Markup]) -> list[Markup]:
    return [part for item in items for part in (Markup(", "), item)][1:]

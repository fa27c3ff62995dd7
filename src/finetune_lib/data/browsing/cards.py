"""One example as a card: its turns to be read, each with what was found about it at its side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, starmap, zip_longest
from typing import TYPE_CHECKING

from finetune_lib.data.browsing.marking import differences
from finetune_lib.data.browsing.state import Page, Shown
from finetune_lib.data.browsing.turns import line, notes
from finetune_lib.data.diagnostics.locations import place_of, spot
from finetune_lib.data.diagnostics.notes import badge, note
from finetune_lib.pages.conversation import Turn
from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.rows.identity import content_hash
from finetune_lib.texts.scripts import language_of

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Diagnostic

COMPARED = "DL"  # the families whose findings hold one example against another
WEIGHTS = {"error": 10_000, "warning": 100, "info": 1}


def card(shown: Shown, page: Page) -> Markup:
    """One example: where it is from, its turns, and what was found."""
    homes = _homes(shown)
    noted = " noted" if shown.findings else ""
    row = ""
    with suppress(RecursionError):  # what is nested too deeply to be told apart cannot be left out here
        row = content_hash(shown.example.data)
    return tag(
        "article",
        _header(shown, page, row),
        *notes(homes[""], page),
        *(line(turn, homes[turn.path], page) for turn in shown.parts.turns),
        *_sides(shown, homes, page),
        *_folded("tools", shown.parts.tools, homes, page),
        *_folded("others", shown.parts.others, homes, page),
        *_twins(shown, page),
        id=f"example-{shown.number}",
        tabindex="-1",
        class_=f"example{noted}",
        **_facts(shown.findings),
        data_category=shown.example.category or "",
        data_operation=shown.example.operation or "",
        data_length=str(shown.parts.length),
        data_number=str(shown.number),
        data_row=row,
    )


def unread_card(findings: Sequence[Diagnostic], page: Page) -> Markup:
    """The card of a line that gave no example."""
    where = spot(findings[0].origin, page.words, cell=findings[0].cell)
    return tag(
        "article",
        tag("header", tag("strong", "–"), tag("span", visible_markup(where)), badge(page.words["unread"])),
        *(note(finding, page.lang, quoted=True) for finding in findings),
        id=f"line-{findings[0].origin.line}",
        tabindex="-1",
        class_="example unread",
        **_facts(findings),
        data_length="0",
    )


def _facts(findings: Iterable[Diagnostic]) -> dict[str, str]:
    """What the script filters and sorts by."""
    found = list(findings)
    codes = {finding.code for finding in found} | {finding.severity for finding in found}
    return {"data_codes": " ".join(sorted(codes)), "data_weight": str(sum(WEIGHTS[f.severity] for f in found))}


def _homes(shown: Shown) -> Mapping[str, list[Diagnostic]]:
    """The findings by the path of the turn that they are about; under "" those about the whole example."""
    parts = shown.parts
    paths = {turn.path for turn in (*parts.all_turns, *parts.tools, *parts.others)}
    homes: defaultdict[str, list[Diagnostic]] = defaultdict(list)
    for finding in shown.findings:
        path = finding.path or ""
        while path and path not in paths:
            path = path.rpartition("/")[0]
        homes[path].append(finding)
    return homes


def _header(shown: Shown, page: Page, row: str) -> Markup:
    example = shown.example
    size = page.words["characters"].format(number=shown.parts.length)
    leave = tag("button", page.words["leave_out"], type="button", class_="leave", data_keep=page.words["keep"])
    badges = (badge(label) for label in (example.category, example.operation, example.dialect) if label)
    return tag(
        "header",
        tag("a", f"{shown.number:,}", href=f"#example-{shown.number}", class_="number"),
        tag("span", visible_markup(spot(example.origin, page.words)), class_="soft"),
        *badges,
        tag("span", size, class_="soft right-end"),
        *([leave] if row else []),
    )


def _sides(shown: Shown, homes: Mapping[str, list[Diagnostic]], page: Page) -> Iterator[Markup]:
    """The preferred and the other output in two columns."""
    columns: list[Markup] = []
    for name, side in zip(("chosen", "rejected"), shown.parts.sides or (), strict=False):
        lines = (line(turn, homes[turn.path], page) for turn in side)
        columns.append(tag("section", tag("h4", page.words[name]), *lines, class_=f"column {name}"))
    if columns:
        yield tag("div", *columns, class_="columns")


def _folded(name: str, turns: Sequence[Turn], homes: Mapping[str, list[Diagnostic]], page: Page) -> Iterator[Markup]:
    """Tools or other fields, shut unless something was found about them."""
    if turns:
        state = {"open": ""} if any(homes[turn.path] for turn in turns) else {}
        lines = (line(turn, homes[turn.path], page) for turn in turns)
        head = f"{page.words[name]}: {', '.join(turn.role for turn in turns)}"
        yield tag("details", tag("summary", visible_markup(head)), *lines, class_="more", **state)


def _twins(shown: Shown, page: Page) -> Iterator[Markup]:
    """The example beside the one that it repeats or contradicts."""
    for finding in shown.findings:
        if finding.code[0] in COMPARED and len(finding.related) == 1:
            other = page.known.get(place_of(finding.related[0]))
            if other is not None and other is not shown:
                yield _beside(shown, other, page)


def _beside(shown: Shown, other: Shown, page: Page) -> Markup:
    where = spot(other.example.origin, page.words)
    left, right = shown.parts.all_turns, other.parts.all_turns
    link = tag("a", visible_markup(page.words["there"].format(place=where)), href=f"#example-{other.number}")
    same = [turn.text for turn in left] == [turn.text for turn in right]
    told = [tag("p", page.words["same"], class_="soft")] if same else []
    cells = chain.from_iterable(starmap(_pair, zip_longest(left, right)))
    pair = tag("div", tag("h4", page.words["here"]), tag("h4", link), *cells, class_="pair")
    head = tag("summary", visible_markup(page.words["compare"].format(place=where)))
    return tag("details", head, *told, pair, class_="twin", **({} if same else {"open": ""}))


def _pair(left: Turn | None, right: Turn | None) -> Iterator[Markup]:
    """Two turns with what differs between them marked; a turn that both have stands pale on each side."""
    texts = left.text if left else "", right.text if right else ""
    same = " same" if left and right and texts[0] == texts[1] and left.role == right.role else ""
    for turn, text in zip((left, right), differences(*texts), strict=True):
        if turn is None:
            yield tag("div")
        else:
            language = language_of(turn.text)
            said = tag("p", text, dir="auto", class_="said", **({"lang": language} if language else {}))
            yield tag("div", tag("b", visible_markup(turn.role)), said, class_=f"side{same}")

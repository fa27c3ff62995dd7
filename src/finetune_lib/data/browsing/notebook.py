"""A dataset for the notebook: its first examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from finetune_lib.pages.conversation import conversation_of
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.pages.wording import Words, chosen, number_of, words
from finetune_lib.texts.scripts import language_of

if TYPE_CHECKING:
    from finetune_lib.records import Example

SHOWN = 10
TURNS = 8
CHARACTERS = 400


def dataset_html(name: str, examples: Sequence[Example]) -> Markup:
    """The number of examples and the conversations of the first ones, as they are, sound or not."""
    language = chosen(None)
    said = words(language)
    first = enumerate(islice(examples, SHOWN), start=1)
    rows = [[str(number), tag("div", *_lines(example, said))] for number, example in first]
    title = tag("p", visible_markup(f"{name}: {number_of(said, 'examples', len(examples))}"), class_="soft")
    rest = len(examples) - len(rows)
    more = [tag("p", said["rest"].format(number=rest), class_="soft")] if rest else []
    found = [table(["#", said["conversation"]], rows)] if rows else []
    return tag("div", style(), title, *found, *more, class_="ftl list", lang=language)


def _lines(example: Example, said: Words) -> Iterator[Markup]:
    """The turns, each cut where it is long; category and operation above them."""
    if labels := [label for label in (example.category, example.operation) if label]:
        yield tag("p", *(tag("span", visible_markup(label), class_="badge") for label in labels))
    parts = conversation_of(example.data)
    turns = parts.all_turns
    sides = {
        turn.path: said[name]
        for name, side in zip(("chosen", "rejected"), parts.sides or (), strict=False)
        for turn in side
    }
    for turn in turns[:TURNS]:
        text = turn.text[:CHARACTERS] + "…" * (len(turn.text) > CHARACTERS)
        side: list[Content] = [tag("span", sides[turn.path], class_="badge"), " "] if turn.path in sides else []
        language = language_of(text)
        given = {"lang": language} if language else {}
        yield tag("p", *side, tag("b", f"{turn.role}: "), visible_markup(text), dir="auto", class_="said", **given)
    if len(turns) > TURNS:
        yield tag("p", said["rest"].format(number=len(turns) - TURNS), class_="soft")

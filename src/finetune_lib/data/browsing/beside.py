"""Two examples side by side, turn by turn, with what differs between them marked."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from finetune_lib.data.browsing.marking import differences
from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.unseen import visible_markup
from finetune_lib.texts.scripts import language_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from finetune_lib.pages.conversation import Turn


def side_by_side(left: Sequence[Turn], right: Sequence[Turn], *, heads: tuple[str | Markup, str | Markup]) -> Markup:
    """Two columns under their heads; a turn that both have stands pale on each side."""
    cells: Iterable[Markup] = (cell for pair in zip_longest(left, right) for cell in _pair(*pair))
    return tag("div", *(tag("h4", head) for head in heads), *cells, class_="pair")


def _pair(left: Turn | None, right: Turn | None) -> Iterator[Markup]:
    texts = left.text if left else "", right.text if right else ""
    shown = differences(*texts)
    same = " same" if left and right and texts[0] == texts[1] and left.role == right.role else ""
    for turn, text, plain in zip((left, right), shown, texts, strict=True):
        if turn is None:
            yield tag("div")
        else:
            language = language_of(plain)
            given = {"lang": language} if language else {}
            said = tag("p", text, dir="auto", class_="said", **given)
            yield tag("div", tag("b", visible_markup(turn.role)), said, class_=f"side{same}")

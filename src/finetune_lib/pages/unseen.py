"""Characters that nobody sees, made visible: control characters, zero width, and those that turn the direction.

Text of others can hold them to hide something or to forge a line of a terminal; here each stands as its number.
"""

from __future__ import annotations

import re
from unicodedata import name

from finetune_lib.pages.markup import Markup, markup, tag

_ALWAYS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
# Arabic, Indic scripts and emoji need joiners between their characters; Latin and Chinese never do.
_JOINERS = "(?:(?<=[\x00-\u024f\u3000-\u9fff])|^)[\u200c\u200d]"
UNSEEN = re.compile(f"[{_ALWAYS}]|{_JOINERS}")
UNSEEN_IN_LINE = re.compile(f"[{_ALWAYS}\t\n]|{_JOINERS}")


def visible(text: str) -> str:
    """One line for a terminal, `⟨U+202E⟩` in the place of what it must not obey."""
    return UNSEEN_IN_LINE.sub(lambda match: f"⟨{number(match[0])}⟩", text)


def visible_markup(text: str) -> Markup:
    """Text for a page, with its line breaks."""
    text = text.replace("\r\n", "\n")
    return Markup("".join(_pieces(text))) if UNSEEN.search(text) else markup(text)


def _pieces(text: str) -> list[Markup]:
    pieces: list[Markup] = []
    end = 0
    for match in UNSEEN.finditer(text):
        shown = tag("span", number(match[0]), class_="unseen", title=name(match[0], ""))
        pieces += [markup(text[end : match.start()]), shown]
        end = match.end()
    return [*pieces, markup(text[end:])]


def number(character: str) -> str:
    """The number of a character, as `U+202E`."""
    return f"U+{ord(character):04X}"

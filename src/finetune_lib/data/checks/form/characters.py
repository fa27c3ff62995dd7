"""Characters that carry no text: controls, invisible and bidirectional ones, halves, and the replacement character.

What is invisible is not always wrong: joiners build emoji and shape Persian and Indic words, marks order lines of
Arabic and Hebrew, and languages without spaces part words by a zero-width space. Source: the Unicode Standard,
chapters 9 (Middle East), 12 (South Asia), 16 (Southeast Asia) and 23 (special areas), and UTS #51 (emoji).
"""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import name

CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
SURROGATES = "\ud800-\udfff"
INVISIBLE = (
    "\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"
)
CONTROL = re.compile(f"[{CONTROLS}]")
SURROGATE = re.compile(f"[{SURROGATES}]")
REPLACEMENT = "\ufffd"

_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_UNSHOWN = re.compile(f"[{CONTROLS}{SURROGATES}{INVISIBLE}]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af\ufb50-\ufefc]")
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u19e0-\u19ff]")
_EMOJI = re.compile("[#*0-9\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_FLAG = "\U0001f3f4"
_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"


def invisible(text: str) -> list[int]:
    """Where invisible characters stand that no writing system needs there."""
    found = [match.start() for match in _INVISIBLE.finditer(text)]
    ordered = bool(found) and _RIGHT_TO_LEFT.search(text) is not None
    return [place for place in found if not (ordered and text[place] in _MARKS) and not _wanted(text, place)]


def without_invisible(text: str) -> str:
    """The text without them."""
    ends = [*invisible(text), len(text)]
    return text[: ends[0]] + "".join(text[a + 1 : b] for a, b in pairwise(ends))


def without_controls(text: str) -> str:
    """The text without control characters; tabs and line ends stay."""
    return CONTROL.sub("", text)


def shown(text: str) -> str:
    """The text as it may be printed, character for character: what a terminal would obey or hide has a picture."""
    return _UNSHOWN.sub(_picture, text)


def named(character: str) -> str:
    """A character's number and, where it has one, its name: `U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(character):04X} {name(character, '')}".rstrip()


def _picture(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else "\u25cc" if number < 0xD800 or number > 0xDFFF else REPLACEMENT


def _wanted(text: str, place: int) -> bool:
    """Whether the writing system around an invisible character needs it there."""
    character, before, after = text[place], text[max(0, place - 1) : place], text[place + 1 : place + 2]
    script = _WANTED_BY.get(character)
    if script is None:
        return "\U000e0020" <= character <= "\U000e007f" and _FLAG in text[max(0, place - 7) : place]
    emoji = script is _JOINED and _EMOJI.match(before) and _EMOJI.match(after)
    return bool(emoji or script.match(before) or script.match(after))


_WANTED_BY = {
    **dict.fromkeys("\u200c\u200d", _JOINED),
    **dict.fromkeys("\u200b\u2060", _UNSPACED),
    **dict.fromkeys("\u115f\u1160\u3164\uffa0", _HANGUL),
}

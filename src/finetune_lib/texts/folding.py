"""One form for texts that say the same in another script, width, case or punctuation: for matching, never for reading.

What it does, in this order: NFKC (Unicode Standard Annex 15) and full case folding; one form for simplified,
traditional and regional characters (`hans.txt`); punctuation and white space away. What carries meaning stays:
letters, digits, operators, currencies, emoji, ASCII brackets, and a point, comma, colon or hyphen at a number (`1.5`
is not `15`). One space stays between words of scripts that part words by spaces.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from finetune_lib.files import packaged_text

CJK = "\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
MARKS = ".,:!-"  # they mean something at a number or an operator, and are punctuation elsewhere
KEPT = frozenset("#%&*/@\\_()[]{}§‰" + MARKS)
DROPPED = frozenset("'\u2019\u2018\u02bc")  # they join what they stand in: don't, dont
BARE_MARK = re.compile(r"[.,:!\-](?:(?<=!)(?!=)|(?<=[.\-])(?!\d)|(?<=[,:])(?:(?!\d)|(?<!\d.)))")
AT_NUMBER = re.compile(r"[\d=]")  # without any of these every mark is bare
LOOSE_SPACE = re.compile(rf" (?:(?![^\W_{CJK}])|(?<![^\W_{CJK}] ))")
HALF_WIDTH_VOICING = re.compile("[\uff9e\uff9f]")


def fold(text: str) -> str:
    """The form of a text under which it is compared with others.

    A text of punctuation alone keeps it.

    Example:
        >>> fold("請問，退貨期限是幾天？") == fold("请问退货期限是几天?")
        True
    """
    plain = _of_ascii(text) if text.isascii() else _composed(text).translate(_table())
    if "." in plain or "," in plain or ":" in plain or "!" in plain or "-" in plain:
        plain = BARE_MARK.sub(" ", plain) if AT_NUMBER.search(plain) else _without_marks(plain)
    words = plain.split()
    if len(words) > 1:
        spaced = " ".join(words)
        return spaced if plain.isascii() and "".join(words).isalnum() else LOOSE_SPACE.sub("", spaced)
    return words[0] if words else "".join(unicodedata.normalize("NFKC", text).split())


def _without_marks(text: str) -> str:
    for mark in MARKS:
        text = text.replace(mark, " ")
    return text


def _of_ascii(text: str) -> str:
    """The same as the table does, as bytes, which is much faster."""
    table, dropped = _ascii_table()
    return text.encode("ascii").translate(table, dropped).decode("ascii")


@cache
def _ascii_table() -> tuple[bytes, bytes]:
    """What becomes of each byte, and those that go."""
    folded = [_table()[code] for code in range(128)]
    table = "".join(form or "\0" for form in folded).encode("ascii") + bytes(range(128, 256))
    return table, bytes(code for code, form in enumerate(folded) if not form)


def _composed(text: str) -> str:
    """Letters and the signs on them as one character; the table does the rest of NFKC one by one."""
    form = "NFKC" if HALF_WIDTH_VOICING.search(text) else "NFC"
    return text if unicodedata.is_normalized(form, text) else unicodedata.normalize(form, text)


class _Table(dict[int, str]):
    """From each character to its folded form; filled as characters come up."""

    def __init__(self, hans: dict[str, str]) -> None:
        self._hans = hans

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = unicodedata.normalize("NFKC", character).casefold()
        folded = "".join(_without_punctuation(self._hans.get(c, c)) for c in plain)
        # 10² is not 102
        self[code] = folded = f"^{folded}" if unicodedata.decomposition(character).startswith("<super>") else folded
        return folded


@cache
def _table() -> _Table:
    lines = packaged_text("finetune_lib.texts", "hans.txt").splitlines()
    return _Table({form: line[0] for line in lines if not line.startswith("#") for form in line[1:]})


def _without_punctuation(character: str) -> str:
    """The character itself, a space for what parts words, nothing for what is not seen."""
    kind = unicodedata.category(character)
    if character.isspace() or (kind[0] in "PZ" and character not in KEPT | DROPPED) or character in "~`":
        return " "
    hidden = kind in ("Cc", "Cf") or character in DROPPED or "\ufe00" <= character <= "\ufe0f"
    return "" if hidden else character

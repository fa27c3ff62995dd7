"""Text that was read in the wrong encoding, proved by reading it the right way.

Some characters are common in wrongly read text and hardly used otherwise: `SIGNS` are what the commonest Chinese
characters and marks become. They only raise suspicion: a run counts as mojibake where its bytes, read in the
other encoding, are sensible text. Source: the code tables of Python; "common" is the first level of GB 2312 and of
Big5, which their standards order by use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

SIGNS = (
    "锟"  # U+FFFD twice as UTF-8 read as GBK: nothing of the text is left
    "鐨鏄浜鍦鎴浠杩閫鏉鐐鍜鍒璇鏅鍑浼鍙浣鐢鑳鏂骞閬鐧閲鐒瀹绉绋缁缍鍘鐜鐝褰鐣鍕鐪鐞闁闂鍟椤棰锛銆鈥"  # UTF-8 as GBK
    "銝鈭隞餈靘憭霂隤撠隡銋雿撖摮敺撟鋆銵摰蝘蝔蝏蝬暻瘜憒敶瘝韏憟璅敹撘隢憿憸嚗"  # UTF-8 as Big5
    "珨岆婓衄扂坻涴笢奻峈佽奀猁珩汜赽衾覂狟眳蚚俴笱岈悝珋毞苤虳翋欴陑坴砑妗恀拸迵﹝﹜"  # GBK as Big5
    "琌硂穦眔筁竒猭瞷瞶玡秨眖眤肈礚籔﹚\ue4c6-\ue4ce"  # Big5 as GBK
)
LATIN = "\u00c2-\u00f4"  # the first byte of UTF-8 read as Latin-1 or Windows-1252
LOST = "锟斤拷"

_SIGN = re.compile(f"[{SIGNS}]")
_RUN = re.compile("[^\x00-\x7f]+")
_CHANGED = {ord(bytes([b]).decode("cp1252", "replace")): b for b in range(0x80, 0xA0)}
_CHANGED.pop(0xFFFD)
_TAIL = "[\u0080-\u00bf" + "".join(map(chr, _CHANGED)) + "]"
_LEAD = re.compile(f"[{LATIN}]{_TAIL}")
_UTF8_LATIN = re.compile(f"(?:[\u00c2-\u00df]{_TAIL}|[\u00e0-\u00ef]{_TAIL}{{2}}|[\u00f0-\u00f4]{_TAIL}{{3}})+")
_HIGH = re.compile("(?<![\u0080-\u00ff])(?:[\u00a1-\u00f9][@-~\u00a1-\u00fe]){3,}(?![\u0080-\u00ff])")
_TYPOGRAPHY = frozenset("‚„…‘’“”–—«»‹›•·´ˆ˜")
_PAIRS = (("utf-8", "gb18030"), ("utf-8", "cp950"), ("gb18030", "cp950"), ("cp950", "gb18030"))
_IDEOGRAPHS = re.compile("[\u3400-\u9fff]")
_SIGNS_OF_TEXT = re.compile("[\u2010-\u2044\u20ac\u2122\u3000-\u30ff\uac00-\ud7af\uff00-\uffef\U0001f300-\U0001faff]")
_BOPOMOFO = re.compile("[\u3105-\u312f\u02c7\u02ca\u02cb\u02d9]")


class Garbled(NamedTuple):
    """A run of wrongly read text.

    Attributes:
        start: Where it begins in the text.
        text: As it stands there.
        meant: As it was before; U+FFFD where a character is lost.
        true: The encoding that it was written in.
        wrong: The encoding that it was read in.
    """

    start: int
    text: str
    meant: str
    true: str
    wrong: str


def garbled(text: str) -> Iterator[Garbled]:
    """Each run of the text that is sensible in another encoding."""
    if _SIGN.search(text):
        for run in _RUN.finditer(text):
            if _SIGN.search(run[0]) and (found := _chinese(run)):
                yield found
    if not text.isascii():
        yield from list(_bytes_as_letters(text)) or (_latin(text) if _LEAD.search(text) else ())


def restored(text: str) -> str:
    """The text with each run as it was meant; a run with a lost character stays."""
    for run in sorted(garbled(text), reverse=True):
        if "\ufffd" not in run.meant:
            text = text[: run.start] + run.meant + text[run.start + len(run.text) :]
    return text


def _chinese(run: re.Match[str]) -> Garbled | None:
    if (place := run[0].find(LOST)) >= 0:
        return Garbled(run.start() + place, LOST, "\ufffd\ufffd", "utf-8", "gb18030")
    for true, wrong in _PAIRS:
        given = run[0].replace("\ufffd", "?")
        meant = given.encode(wrong, "ignore").decode(true, "replace")
        if (_is_utf8_text if true == "utf-8" else _is_likelier)(meant, run[0]):
            return Garbled(run.start(), run[0], meant, true, wrong)
    return None


def _is_utf8_text(meant: str, _given: str) -> bool:
    """Bytes hardly form UTF-8 by chance; what is lost at the ends of a run is forgiven."""
    sound = sum(map(_is_common, meant))
    lost = meant.count("\ufffd") + meant.count("?")
    return sound >= 2 and sound + lost >= 0.9 * len(meant) and sound >= 0.4 * len(meant)


def _is_likelier(meant: str, given: str) -> bool:
    """Bytes of one Chinese encoding often are characters of the other: only common for rare is evidence."""
    if len(given) < 4 or not all(map(_is_common, meant)):
        return False
    rare = sum(not _is_common(character) and not _BOPOMOFO.match(character) for character in given)
    return rare >= 0.4 * len(given) and len(_IDEOGRAPHS.findall(meant)) >= 3


def _latin(text: str) -> Iterator[Garbled]:
    """UTF-8 that was read as Windows-1252 or Latin-1."""
    runs = [found for match in _UTF8_LATIN.finditer(text) if (found := _from_latin(match))]
    letters = sum(not _TYPOGRAPHY.issuperset(run.text[1:]) for run in runs)
    if letters >= 3 or any(_is_strong(run, text) for run in runs):
        yield from runs


def _from_latin(match: re.Match[str]) -> Garbled | None:
    raw = match[0].translate(_CHANGED).encode("latin-1", "replace")
    try:
        return Garbled(match.start(), match[0], raw.decode("utf-8"), "utf-8", "cp1252")
    except UnicodeDecodeError:
        return None


def _is_strong(run: Garbled, text: str) -> bool:
    """Whether a run is evidence alone: no writer puts an accented letter before these marks."""
    if _TYPOGRAPHY.issuperset(run.text[1:]):
        return False
    if len(run.text) > 2:
        return len(run.meant) >= 3 or all(_is_common(c) or _SIGNS_OF_TEXT.match(c) for c in run.meant)
    return run.text[0] in "ÂÃ" and not text[max(0, run.start - 1) : run.start].isupper()


def _bytes_as_letters(text: str) -> Iterator[Garbled]:
    """GBK or Big5 that was read as Latin-1: accented letters only, and common characters by pairs."""
    for match in _HIGH.finditer(text):
        is_utf8 = "\ufffd" not in match[0].encode("latin-1").decode("utf-8", "replace")
        if is_utf8 or sorted(match[0]) == list(match[0]):  # what `_latin` reads, or an alphabet
            continue
        for true, wrong in (("gb18030", "latin-1"), ("cp950", "latin-1")):
            meant = match[0].encode("latin-1").decode(true, "replace")
            if len(set(meant)) >= 3 and all(map(_is_common, meant)):
                yield Garbled(match.start(), match[0], meant, true, wrong)
                break


def _is_common(character: str) -> bool:
    return character in _common()


@cache
def _common() -> frozenset[str]:
    """Characters and marks of the first levels of GB 2312 and Big5."""
    gb = bytes(b for row in (*range(0xA1, 0xA4), *range(0xB0, 0xD8)) for cell in range(0xA1, 0xFF) for b in (row, cell))
    cells = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    big5 = bytes(b for row in (*range(0xA1, 0xA3), *range(0xA4, 0xC7)) for cell in cells for b in (row, cell))
    both = gb.decode("gb2312", "ignore") + big5.decode("cp950", "ignore")
    return frozenset(c for c in both if c.isalpha() or c in "，。、：；？！（）「」“”‘’《》—…·　０１２３４５６７８９")

"""Which script a Chinese text is in, by the characters that only one of the two has.

A character of the first level of GB 2312 that Big5 lacks is written in the simplified script alone, and one of the
first level of Big5 that GB 2312 lacks in the traditional one alone; the standards order their first levels by use.
`NEUTRAL` are the exceptions: rare characters and old forms that both scripts write the same way.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

HAN = "\u3400-\u9fff"
KANA = re.compile("[\u3041-\u30ff]")
_IDEOGRAPHS = "".join(map(chr, range(0x4E00, 0x9FA6)))
_NEUTRAL_SIMPLIFIED = "傈墒着硷酞酶"
_NEUTRAL_TRADITIONAL = (
    "伋伕佺倣偭偯偺傚僇僎僩儅儳兙兛兝兞兡兣劻勗勦卄吋呎啗啣嗧嘐堉塭塽墦奭妳姅姪嬝屘屝崁巉帟彊徬惇愒慇抆揹搆搾撚撢擭敔昤晅晞暍暱暸杗枓"
    "栘梂梡梱棻楛榣槃橾櫂櫺歜毚毬汍沍沘沬泜洸浥浬涊湣湩湲潟潠澴濩濬炤焜煆煖燄燐燸牠玆玥玨珪珮琍琯瑯璘璟瓖瓩甦甽疢痲痳痺瘉睪瞇瞋瞭砠砲硿"
    "祇祐穋箄箠篛簷籐籣籥糎糢縿繙耑脤脰芣蔆蘗衹裯褕褽覜觔觼詨詻誧豭賸跦跼踡踫迆迺遝郃鄗鄘釆釭鉼銲鎗鑤阬隄雊霤韹餽鯈鶸鼇"
)


class Scripts(NamedTuple):
    """The characters of a text that only one script has, each once, in the order of the text."""

    simplified: tuple[str, ...]
    traditional: tuple[str, ...]

    @property
    def name(self) -> str:
        """`Hans`, `Hant`, or empty where the text shows neither or both."""
        return "" if bool(self.simplified) == bool(self.traditional) else "Hans" if self.simplified else "Hant"


def scripts_of(text: str) -> Scripts:
    """What the characters of a text say about its script."""
    only = _only()
    return Scripts(tuple(dict.fromkeys(only[0].findall(text))), tuple(dict.fromkeys(only[1].findall(text))))


def script_of(text: str) -> str:
    """`Hans` or `Hant`; `mixed` where characters of both stand in the text, empty where it shows neither."""
    if text.isascii():
        return ""
    simplified, traditional = _only()
    if simplified.search(text):
        return "mixed" if traditional.search(text) else "Hans"
    return "Hant" if traditional.search(text) else ""


@cache
def _only() -> tuple[re.Pattern[str], re.Pattern[str]]:
    gb, big5 = _encodable("gb2312"), _encodable("cp950")
    first_gb = {character for character in gb if character.encode("gb2312") < b"\xd8"}
    first_big5 = {character for character in big5 if character.encode("cp950") < b"\xc6\x7f"}
    simplified = first_gb - big5 - set(_NEUTRAL_SIMPLIFIED)
    traditional = first_big5 - gb - set(_NEUTRAL_TRADITIONAL)
    return _any_of(simplified), _any_of(traditional)


def _encodable(encoding: str) -> set[str]:
    return set(_IDEOGRAPHS.encode(encoding, "ignore").decode(encoding))


def _any_of(characters: set[str]) -> re.Pattern[str]:
    return re.compile(f"[{''.join(sorted(characters))}]")

"""What people leave in tables that is no example: ditto marks, notes that a text is to follow, totals, lost names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from finetune_lib.data.reading.tables.cells import is_blank, text_of

# What people write into a cell whose text is still to come: TODO and FIXME are such words, not notes on this code.
UNFINISHED = re.compile(
    r"""(?ix)
    (?P<T283> [〃″"“”] | '' | [同如]上(?:題|题|述|所述)? | 同前 | 見上 | 见上
        | ditto | (?:same\ )?as\ above | see\ above
    ) [。.]?
    | [(（\[【<＜]? \s* (?P<T284>
        待[補补](?:充|上|齊|齐)? | 待填[寫写]? | 待更新 | TB[DAC] | TODO | FIXME | placeholder
        | (?:[詳详請请參参]|請參|请参)? [見见閱阅如照] \s? 附(?:件|檔|档|圖|图|表|加檔案|加档案) \s? [一二三四五\d]?
        | (?:please\ )? see\ (?:the\ )? attach(?:ed|ment)(?:\ file)?
    ) \s* [)）\]】>＞]? [。.]?
    """
)
TOTAL = re.compile(r"(?i)(?:合|總|总|小|累|共)[計计](?:數|数)?|[總总](?:數|数)|(?:grand |sub-?)?total|sum|平均|average")
AMOUNT = re.compile(r"[^\W\d]{0,3}[$¥€]?\s?-?\d[\d,. ]*%?\s?[^\W\d]{0,3}")
LONGEST = 24  # characters of a cell in such a row
SURNAMES = (
    "林陳黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴徐周葉蘇莊呂蕭羅潘朱鍾彭詹胡沈盧趙顏柯翁魏孫戴宋鄧杜傅侯曹薛"
    "陈黄张吴刘杨许郑谢赖叶苏庄吕萧罗钟卢赵颜孙邓"
)
TITLES = (
    "先生|小姐|女士|太太|[經经]理|主任|老[師师]|[醫医][師师]|律[師师]|教授|同[學学]|[課课處处組组店][長长]|[專专][員员]"
)
HAN = "\u3400-\u9fff"
# A name whose rare character the encoding of a file did not have: it was saved as a question mark.
LOST_CHARACTER = re.compile(
    rf"(?:[{SURNAMES}]\?[{HAN}]|[{SURNAMES}][{HAN}]\?)(?={TITLES})|(?<![{HAN}?])[{SURNAMES}]\?[{HAN}](?![{HAN}?])"
)


def unfinished(text: str) -> str | None:
    """The code for a text that only points to another one, or says that it is to follow."""
    match = UNFINISHED.fullmatch(text)
    return match.lastgroup if match else None


def lost_character(text: str) -> str | None:
    """The first name with a lost character."""
    match = LOST_CHARACTER.search(text)
    return match[0] if match else None


def is_total(cells: Sequence[Any]) -> bool:
    """Whether a row sums up those above it: a word for it, and beside it nothing but amounts."""
    if any(isinstance(cell, str) and len(cell) > LONGEST for cell in cells):
        return False
    if not any(isinstance(cell, str) and TOTAL.match(cell) for cell in cells):
        return False
    texts = [text_of(cell).strip() for cell in cells if not is_blank(cell)]
    words = [text for text in texts if TOTAL.fullmatch(text.rstrip(":：").rstrip())]
    return len(words) == 1 and len(texts) > 1 and all(text in words or AMOUNT.fullmatch(text) for text in texts)

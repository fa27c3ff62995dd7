"""A text without what is only wording: politeness, particles, other words for the same, numerals; pure.

Two questions that ask the same with other manners have one plain form. What turns a sentence round, as a negation,
is never wording.
"""

from __future__ import annotations

import re
from functools import lru_cache

from finetune_lib.data.together.vocabulary import words
from finetune_lib.texts import fold

HAN = "\u3400-\u9fff"
DIGITS = "零一二三四五六七八九"
NUMERALS = "零〇一二两三四五六七八九十百千万亿"
UNITS = "天日年月个小时分秒元块条项次位岁周号点层楼站期名人件台张倍成折级届章节页季度公米克斤吨升%"
NUMERAL = re.compile(rf"(?!一[点下起些般定样直])(?:[{NUMERALS}]{{2,}}|[{NUMERALS}](?=[{UNITS}])|(?<=第)[{NUMERALS}])")
SAME_HAN = {
    "甚么": "什么",
    "怎么样": "如何",
    "怎样": "如何",
    "怎么": "如何",
    "能够": "可以",
    "能不可以": "可以",
    "查一查": "查",
    "一点点": "一点",
    "部份": "部分",
    "年来": "年",
    "之前": "前",
    "之后": "后",
    "之内": "内",
    "将会": "会",
    "将": "会",
}
A_NOT_A = re.compile(rf"([{HAN}])[不没]\1|([{HAN}])不\2([{HAN}])|是否|有没有|能否|可否")
WHETHER = {"是否": "是", "有没有": "有", "能否": "可以", "可否": "可以"}
CAN = re.compile(rf"(?<![可不功性])能(?=[{HAN}])")
MANNERS_HAN = re.compile(
    "想?请问(?:一?下)?|我?想问(?:一?下)?|想知道|您好|你好|哈喽|嗨|谢谢[您你]?|感谢[您你]?|麻烦[您你]?|拜托|不好意思|一下"
    "|[呢吗啊呀吧喔哦唷耶哩啦]|么$|[了的请]|(?<!不)要(?![求点素])|我们?|在(?=.{2,}[内中时])|(?<=[好很超])好(?=好)"
    "|也|会(?=[再有])"
)
MANNERS_LATIN = words("manners")
SAME_LATIN = {
    "could": "can",
    "whats": "what is",
    "its": "it is",
    "im": "i am",
    "emails": "email",
    "dont": "do not",
    "cant": "can not",
    "cannot": "can not",
    "wont": "will not",
    "isnt": "is not",
    "doesnt": "does not",
    "arent": "are not",
    "didnt": "did not",
    "wasnt": "was not",
    "couldnt": "can not",
    "shouldnt": "should not",
    "hasnt": "has not",
    "havent": "have not",
    "anytime": "any time",
}
THANKS = re.compile(r"\bthank you\b(?: very much| so much)?")
HOW = re.compile(r"\bhow (?:do|can|should) (?:i|we|you)\b")
LETTER = re.compile("[a-z]")


@lru_cache(4096)
def plain(text: str) -> str:
    """The folded text without wording; all of it where nothing would be left.

    Example:
        >>> plain("請問，怎麼樣退貨呢？") == plain("如何退货")
        True
    """
    folded = fold(text)
    bare = folded if folded.isascii() else _bare_han(folded)
    return (_bare_latin(bare) if LETTER.search(bare) else bare).strip() or folded


def is_manners(text: str) -> bool:
    """Whether a plain text is nothing but manners, as a greeting: everybody says it, so it tells nothing."""
    return not text or not (MANNERS_HAN.sub("", text).strip() if not text.isascii() else _bare_latin(text))


def _bare_han(folded: str) -> str:
    for word, other in SAME_HAN.items():
        if word in folded:
            folded = folded.replace(word, other)
    numbered = NUMERAL.sub(lambda found: number(found[0]), folded)
    affirmed = A_NOT_A.sub(lambda found: found[1] or (found[2] and found[2] + found[3]) or WHETHER[found[0]], numbered)
    return MANNERS_HAN.sub("", CAN.sub("可以", affirmed)).replace("可以", "可")


def _bare_latin(folded: str) -> str:
    same = " ".join(SAME_LATIN.get(word, word) for word in folded.split())
    kept = HOW.sub("how", THANKS.sub("", same)).split()
    return " ".join(word for word in kept if word not in MANNERS_LATIN)


def number(numeral: str) -> str:
    """A run of Chinese numerals in digits: 二十三 is 23, 二〇二六 is 2026."""
    run = numeral.replace("〇", "零").replace("两", "二")
    if not re.search("[十百千万亿]", run):
        return "".join(str(DIGITS.index(c)) for c in run)
    total = part = digit = 0
    for c in run:
        if c in DIGITS:
            digit = DIGITS.index(c)
        elif c in "十百千":
            part, digit = part + (digit or 1) * 10 ** ("十百千".index(c) + 1), 0
        else:
            total, part, digit = (total + part + digit) * (10**4 if c == "万" else 10**8), 0, 0
    return str(total + part + digit)

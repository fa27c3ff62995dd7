"""The numbers that a text names, in digits or in Chinese or English words; pure.

In words many are no numbers (一般, 十分, 三星; a second), so each text has those that it surely names and those that it
may: two texts name the same numbers where each may name what the other surely does.
"""

from __future__ import annotations

import re

from finetune_lib.texts.folding import fold

DIGITS = re.compile(r"\d+(?:\.\d+)?")
GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
FIGURES = "零一二三四五六七八九"
UNITS = {"十": 10, "百": 100, "千": 1000}
HAN = re.compile("[零〇一二两三四五六七八九十廿百千万亿]+|[双半]")
# Before and behind these a single figure counts something; one alone is as often "a".
BEFORE = re.compile(r"(?:第|星期|周|礼拜|满|未满|超过)$")
BEHIND = re.compile("[天日年月个小时分秒元块条项次岁周号点层楼站期名人件台张倍折级届章节页季公米克斤吨升%成价票]")
NO_NUMBER = re.compile(
    "十分(?!之|钟)|千万(?=[别不要记])|万一|三星|四川|五金|三重|百货|万能|千兆|一[般样直定起些切旦]|第一手|两者"
)
SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ENGLISH = {word: number for number, word in enumerate(SMALL)} | {word: 10 * n for n, word in enumerate(TENS, start=2)}
ORDINALS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
LOOSE = {
    "a": "1",
    "an": "1",
    "single": "1",
    "once": "1",
    "first": "1",
    "second": "2",
    "both": "2",
    "couple": "2",
    "pair": "2",
}
WORDS = re.compile("[a-z]+")


def same_quantities(one: str, other: str) -> bool:
    """Whether two texts name the same numbers, in whatever way they are written.

    Example:
        >>> same_quantities("7 天內可以退嗎", "七天內能退嗎"), same_quantities("七天內", "十四天內")
        (True, False)
    """
    (sure, may), (other_sure, other_may) = _named(one), _named(other)
    return sure <= other_may and other_sure <= may


def quantities_within(text: str, other: str) -> bool:
    """Whether each number that a text names is one that the other may name.

    Example:
        >>> quantities_within("七日", "滿一年者可有 7 日"), quantities_within("10 日", "滿一年者可有 7 日")
        (True, False)
    """
    return not quantities_beyond(text, other)


def quantities_beyond(text: str, other: str) -> list[str]:
    """The numbers that a text names, and that the other cannot name, in digits.

    Example:
        >>> quantities_beyond("七日，或 10 日", "滿一年者可有 7 日")
        ['10']
    """
    return sorted(_named(text)[0] - _named(other)[1])


def with_digits(text: str) -> str:
    """A text folded, with its numbers in digits: `七天` and `7 天` are the same.

    Example:
        >>> with_digits("七天內") == with_digits("7 天内"), with_digits("三天七元") == with_digits("7 天 3 元")
        (True, False)
    """
    return HAN.sub(lambda run: _value(run[0]), GROUPED.sub("", fold(text)))


def _named(text: str) -> tuple[set[str], set[str]]:
    """What a text surely names, and all that it may."""
    folded = GROUPED.sub("", fold(text))
    digits = set(DIGITS.findall(folded))
    sure, may = _english(folded) if WORDS.search(folded) else (set[str](), set[str]())
    for run in HAN.finditer(NO_NUMBER.sub(lambda match: "·" * len(match[0]), folded)):
        value = _value(run[0])
        may.add(value)
        counts = (
            len(run[0]) > 1 or run[0] == "十" or BEHIND.match(folded, run.end()) or BEFORE.search(folded[: run.start()])
        )
        if counts and (value != "1" or BEFORE.search(folded[: run.start()])):
            sure.add(value)
    return digits | sure, digits | sure | may


def _value(run: str) -> str:
    """The digits of a Chinese number; 二〇二六 is read figure by figure."""
    if run in ("半", "双"):
        return "0.5" if run == "半" else "2"
    plain = run.replace("〇", "零").replace("两", "二").replace("廿", "二十")
    if not set(plain) - set(FIGURES):
        return "".join(str(FIGURES.index(figure)) for figure in plain)
    total = section = digit = 0
    for figure in plain:
        if figure in FIGURES:
            digit = FIGURES.index(figure)
        elif figure in UNITS:
            section, digit = section + (digit or 1) * UNITS[figure], 0
        else:
            total, section, digit = (total + section + digit or 1) * (10**4 if figure == "万" else 10**8), 0, 0
    return str(total + section + digit)


def _english(folded: str) -> tuple[set[str], set[str]]:
    """Twenty five is one number; "one" and "a" are rather words."""
    sure, may, tens = set[str](), set[str](), 0
    for word in WORDS.findall(folded):
        number = ENGLISH.get(word, ORDINALS.get(word))
        if number is None:
            may.update({LOOSE[word]} if word in LOOSE else ())
            if word == "half":
                sure.add("0.5")
        elif tens and 0 < number < 10:
            sure.discard(str(tens))
            sure.add(str(tens + number))
        elif number == 1:
            may.add("1")
        else:
            sure.add(str(number))
        tens = number if number is not None and number >= 20 else 0
    return sure, sure | may

"""Whether what a text says stands in another one: its numbers, names, addresses and quotations; pure."""

from __future__ import annotations

import re
import unicodedata

from finetune_lib.texts.folding import fold
from finetune_lib.texts.quantities import quantities_beyond, with_digits
from finetune_lib.texts.scripts import writing

ADDRESS = re.compile(
    r"(?:https?://|www\.)[!-~]+|(?<![\w.+-])[\w.+-]++@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE | re.ASCII
)
LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]+")
NAME = re.compile(r".+[A-Z]|.*\d")
NAME_AMONG_HAN = re.compile(r".*[A-Z\d]")
ELISION = re.compile(r"…+|\.{3,}")
QUOTED = re.compile(r"「([^「」]+)」|『([^『』]+)』|“([^“”]+)”|\"([^\"\n]+)\"|«([^«»]+)»")
LEAST_QUOTE = 4  # characters below which a quotation shows nothing
CITED_AS = r"(?:\^|(?:來源|来源|資料|资料|passage|source|document|doc)s?\s*)?"
CITATION = re.compile(rf"[\[［【〔]\s*{CITED_AS}\d{{1,3}}(?:\s*[,，、;；]\s*\d{{1,3}})*\s*[\]］】〕]", re.IGNORECASE)
# Numbers that only order the answer itself: items of a list, and its steps.
COUNT = "[一二三四五六七八九十]{1,3}"
ORDER = re.compile(
    rf"^\s*(?:\d{{1,2}}|{COUNT})\s*[.、．)）]|第\s*(?:\d{{1,2}}|{COUNT})\s*(?:[步點点]|[項项]?[，,、：:])|[①-⑳]",
    re.MULTILINE,
)
CURRENCIES = frozenset({"usd", "twd", "ntd", "nt", "us", "hkd", "hk", "rmb", "cny", "eur", "jpy"})
# One number in several notations, once a text is folded.
LEADING_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
PERCENT = re.compile("百分之(?=[零一二三四五六七八九十百两\\d])")
TIMES = {"百": 100, "千": 1000, "k": 1000, "thousand": 1000, "万": 10**4, "million": 10**6, "m": 10**6, "亿": 10**8}
SCALED = re.compile(r"(?<![\d.])(\d{1,15}(?:\.\d{1,9})?)\s*(百|千|万|亿|k\b|thousand\b|million\b)")
ERA = re.compile(r"民国\s*(\d{1,3})(?=\s*年)")
HOUR = rf"(?:\d{{1,2}}|{COUNT})"
EVENING = re.compile(rf"(?:下午|晚上|傍晚)\s*({HOUR})(?=\s*[点时:])|(\d{{1,2}})(?=(?::\d\d)?\s*p\.?\s?m\b)")


def unfounded(text: str, told: str) -> list[str]:
    """The numbers, names, addresses and quotations of a text that do not stand in what was told.

    Citations, as [1], and the numbers of a list say nothing. A number that was worked out does not stand there.

    Example:
        >>> unfounded("每件 23 公斤，共三件 [1]。", "每人兩件，每件二十三公斤")
        ['3']
    """
    said = ORDER.sub(" ", CITATION.sub(" ", text))
    quotes = [quote for groups in QUOTED.findall(said) for quote in groups if quote]
    lost = [quote for quote in quotes if len(solid(quote)) >= LEAST_QUOTE and not stands(quote, told)]
    names = [name for name in names_beyond(said, told) if fold(name) not in CURRENCIES]
    return [*quantities_beyond(_one_notation(said), _one_notation(told)), *names, *lost]


def _one_notation(text: str) -> str:
    """A text folded, with 3.5 萬 as 35000, 下午六點 as 18 點, 民國 115 年 as 2026 年, 09 as 9 and 百分之五 as 五."""
    folded = LEADING_ZEROS.sub("", GROUPED.sub("", PERCENT.sub("", fold(text))))
    folded = SCALED.sub(lambda found: f"{float(found[1]) * TIMES[found[2]]:.15g}", folded)
    folded = ERA.sub(lambda found: str(int(found[1]) + 1911), folded)
    return EVENING.sub(lambda found: str(int(with_digits(found[1] or found[2])) % 12 + 12), folded)


def stands(quote: str, told: str) -> bool:
    """Whether a quotation stands there word for word; parts of it may be left out with an ellipsis."""
    source = solid(told)
    return all(solid(part) in source for part in ELISION.split(quote))


def names_beyond(text: str, told: str) -> list[str]:
    """The addresses, and the Latin words that are names by their capitals or digits; another case is the same.

    Example:
        >>> names_beyond("請用 LINE Pay", "可用 line 付款")
        ['Pay']
    """
    after, name = fold(told), NAME_AMONG_HAN if writing(text) == "Han" else NAME
    words = LATIN.findall(ADDRESS.sub(" ", unicodedata.normalize("NFKC", text)))
    return [word for word in (*ADDRESS.findall(text), *filter(name.match, words)) if fold(word) not in after]


def solid(text: str) -> str:
    """A text by its letters alone: a quotation may have another line break, width or comma."""
    return re.sub(r"[\W_]+", "", fold(text))

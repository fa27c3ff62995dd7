"""Whether what a text says stands in another one: its numbers, names, addresses and quotations; pure."""

from __future__ import annotations

import re
import unicodedata

from finetune_lib.texts.folding import fold
from finetune_lib.texts.quantities import quantities_beyond
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
CITATION = re.compile(r"[\[［【〔]\s*\d+(?:\s*[,，、;；]\s*\d+)*\s*[\]］】〕]")
# Numbers that only order the answer itself: items of a list, and its steps.
ORDER = re.compile(
    r"^\s*(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*[.、．)）]|第[一二三四五六七八九十\d]{1,3}[步點点]", re.MULTILINE
)


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
    return [*quantities_beyond(said, told), *names_beyond(said, told), *lost]


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

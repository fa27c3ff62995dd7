"""Scorers for the form of an answer: its length, its dress, and words that must not be in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, get_args

from finetune_lib.evaluation.scorers.normalising import normalised, plain
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.folding import CJK
from finetune_lib.tokens import counter_for

Unit = Literal["characters", "words", "tokens", "sentences"]
WORDS = re.compile(rf"[{CJK}]|(?:(?![{CJK}])\w)+(?:['’.,-](?:(?![{CJK}])\w)+)*")
SENTENCES = re.compile(r"[^.!?。！？…\n]*[^\s.!?。！？…\n](?:[.!?](?!\s|$)[^.!?。！？…\n]*)*")
MARKDOWN = {
    "a heading": re.compile(r"^ {0,3}#{1,6} ", re.MULTILINE),
    "bold text": re.compile(r"\*\*\S(?:.*?\S)?\*\*|__\S(?:.*?\S)?__"),
    "a code fence": re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE),
    "code": re.compile(r"(?<!`)`[^`\n]+`(?!`)"),
    "a link": re.compile(r"!?\[[^\]\n]*\]\([^)\n]+\)"),
    "a bullet": re.compile(r"^ *[-*+] +\S", re.MULTILINE),
    "a table": re.compile(r"^ *\|.*\|\s*$", re.MULTILINE),
    "a quotation": re.compile(r"^ {0,3}> ", re.MULTILINE),
}
URL = re.compile(r"(?:https?|ftp)://[^\s)>\]]+|\bwww\.[^\s)>\]]+", re.IGNORECASE)
LETTER = rf"(?:(?![{CJK}])[^\W_])"


@dataclass(frozen=True, slots=True)
class Length(Shown, Instant):
    """1 where the answer is neither too short nor too long, else 0; the reason says how long it is.

    Attributes:
        min: The least; None is no limit.
        max: The most; None is no limit.
        unit: "characters" (Unicode code points without white space at the ends); "words", where each Chinese or
            Japanese character is one, as word processors count; "tokens" of OpenAI's newest models; or "sentences".
        name: What reports call it.

    Raises:
        ValueError: No limit is given, they contradict each other, or the unit is unknown.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Length
        >>> Length(max=4, unit="words")("使用iPhone手機", Case("1", ())).reason
        '5 words, at most 4'
    """

    needs_whole: ClassVar[bool] = True

    _: KW_ONLY
    min: int | None = None
    max: int | None = None
    unit: Unit = "characters"
    name: str = "length"

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f"unit is one of {', '.join(get_args(Unit))}, not {self.unit!r}")
        if (self.min is None and self.max is None) or (self.min or 0) > (self.max if self.max is not None else 1 << 62):
            raise ValueError("Length takes min, max or both, min not above max")

    def __call__(self, answer: str, _case: Case, /) -> Score:
        """Score one answer."""
        count = _counted(answer.strip(), self.unit)
        if self.min is not None and count < self.min:
            return Score(0.0, reason=f"{count} {self.unit}, at least {self.min}")
        if self.max is not None and count > self.max:
            return Score(0.0, reason=f"{count} {self.unit}, at most {self.max}")
        return Score(1.0, reason=f"{count} {self.unit}")


@dataclass(frozen=True, slots=True)
class Format(Shown, Instant):
    """1 where the answer keeps to all that is asked of its form, else 0; the reason says what it breaks.

    Attributes:
        starts_with: How it begins, compared as in `ExactMatch`.
        ends_with: How it ends.
        no_markdown: Whether headings, bold text, bullets, code, links, tables and quotations are forbidden.
        no_urls: Whether web addresses are.
        name: What reports call it.

    Raises:
        ValueError: Nothing is asked.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Format
        >>> Format(starts_with="您好", no_markdown=True)("您好，**請稍候**。", Case("1", ())).reason
        'it has bold text'
    """

    needs_whole: ClassVar[bool] = True

    _: KW_ONLY
    starts_with: str = ""
    ends_with: str = ""
    no_markdown: bool = False
    no_urls: bool = False
    name: str = "format"

    def __post_init__(self) -> None:
        if not (self.starts_with or self.ends_with or self.no_markdown or self.no_urls):
            raise ValueError("Format takes at least one of starts_with, ends_with, no_markdown and no_urls")

    def __call__(self, answer: str, _case: Case, /) -> Score:
        """Score one answer."""
        broken = list(self._broken(answer))
        return Score(float(not broken), reason="; ".join(broken))

    def _broken(self, answer: str) -> Iterator[str]:
        form = normalised(answer)
        if not form.startswith(normalised(self.starts_with)):
            yield f"it does not start with {self.starts_with!r}"
        if not form.endswith(normalised(self.ends_with)):
            yield f"it does not end with {self.ends_with!r}"
        if self.no_markdown and (found := [what for what, pattern in MARKDOWN.items() if pattern.search(answer)]):
            yield f"it has {', '.join(found)}"
        if self.no_urls and (url := URL.search(answer)):
            yield f"it has the address {url[0][:60]}"


@dataclass(frozen=True, slots=True)
class Forbids(Shown, Instant):
    """1 where none of the texts is in the answer, else 0; the reason names those that are.

    Compared as in `ExactMatch`; a word of a script with spaces is found only as a whole word.

    Attributes:
        texts: What must not be said.
        name: What reports call it.

    Raises:
        ValueError: There is no text, or an empty one.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Forbids
        >>> Forbids(["保證", "ass"])("Your assistant：我們保證退款。", Case("1", ())).reason
        "it says '保證'"
    """

    needs_whole: ClassVar[bool] = True

    texts: Sequence[str]
    _: KW_ONLY
    name: str = "forbids"

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", (self.texts,) if isinstance(self.texts, str) else tuple(self.texts))
        if not self.texts or not all(map(normalised, self.texts)):
            raise ValueError("Forbids takes at least one text, and none that is empty")

    def __call__(self, answer: str, _case: Case, /) -> Score:
        """Score one answer."""
        form = normalised(answer)
        said = [text for text in self.texts if re.search(_whole(normalised(text)), form)]
        return Score(float(not said), reason=f"it says {', '.join(map(repr, said))}" if said else "")


def _counted(text: str, unit: Unit) -> int:
    match unit:
        case "characters":
            return len(text)
        case "words":
            return len(WORDS.findall(plain(text)))
        case "tokens":
            return counter_for(None).count(text)
        case "sentences":
            return len(SENTENCES.findall(text))


def _whole(text: str) -> str:
    before = rf"(?<!{LETTER})" if re.match(LETTER, text) else ""
    after = rf"(?!{LETTER})" if re.match(LETTER, text[-1]) else ""
    return f"{before}{re.escape(text)}{after}"

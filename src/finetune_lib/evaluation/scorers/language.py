"""Scorers for the language of an answer, as its script tells it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.scripts import WRITINGS, told, variety, writing

KNOWN = ("zh-Hant", "zh-Hans", *sorted(WRITINGS))
SHOWN = 8


@dataclass(frozen=True, slots=True)
class SameLanguage(Shown, Instant):
    """1 where the answer is in the script that the expected text has, else the question; Chinese in the same kind, too.

    Languages of one script, as English and French, are not told apart.

    Attributes:
        name: What reports call it.

    Raises:
        ValueError: When called: neither the expected text nor the question has letters.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import SameLanguage
        >>> SameLanguage()("退货期限是七天。", Case("1", (), expected="退貨期限是七天。")).reason
        'zh-Hans where zh-Hant is expected'
    """

    _: KW_ONLY
    name: str = "same_language"

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        model = next((text for text in (case.expected, case.prompt) if writing(text)), None)
        if model is None:
            raise ValueError(f"case {case.id} has no letters in its expected text and question")
        expected, given = writing(model), writing(answer)
        if expected == given == "Han" and None not in (variety(model), variety(answer)):
            expected, given = variety(model), variety(answer)
        if expected == given:
            return Score(1.0)
        return Score(0.0, reason=f"{given or 'no letters'} where {expected} is expected")


@dataclass(frozen=True, slots=True)
class Script(Shown, Instant):
    """1 where the answer is in a script, else 0; Chinese in traditional or in simplified characters.

    Of Chinese, each character of the other kind counts: one in an answer makes it 0, and the reason names it.

    Attributes:
        script: "zh-Hant", "zh-Hans", "Han" for either, or "Latin", "Japanese", "Hangul", "Cyrillic", "Greek", "Arabic",
            "Hebrew", "Thai", "Devanagari".
        name: What reports call it.

    Raises:
        ValueError: The script is unknown.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Script
        >>> Script("zh-Hant")("請點選「设定」。", Case("1", ())).reason
        'characters of zh-Hans: 设'
    """

    script: str
    _: KW_ONLY
    name: str = "script"

    def __post_init__(self) -> None:
        if self.script not in KNOWN:
            raise ValueError(f"script is one of {', '.join(KNOWN)}, not {self.script!r}")

    def __call__(self, answer: str, _case: Case, /) -> Score:
        """Score one answer."""
        given = writing(answer)
        expected = "Han" if self.script in ("zh-Hant", "zh-Hans") else self.script
        if given != expected:
            return Score(0.0, reason=f"{given or 'no letters'} where {self.script} is expected")
        other = "zh-Hans" if self.script == "zh-Hant" else "zh-Hant"
        if self.script != expected and (strange := told(answer)[other]):
            more = "…" if len(strange) > SHOWN else ""
            return Score(0.0, reason=f"characters of {other}: {''.join(strange[:SHOWN])}{more}")
        return Score(1.0)

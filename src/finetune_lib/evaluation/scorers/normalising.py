"""The one form in which built-in scorers compare texts."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Literal, cast

from finetune_lib.records import Case
from finetune_lib.texts import fold
from finetune_lib.texts.folding import CJK

ScriptPolicy = Literal["same"]
# Of a script that parts its words by spaces.
WORD = r"[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
ONES, TENS = "一二兩两三四五六七八九", "十百千萬万億亿零〇廿卅"
# Words that begin with 一 and are no number.
NO_ONE = ("一定", "一般", "一起", "一樣", "一样", "一切", "一直", "一些", "一律", "一旦", "一併", "一并")
SPACE_AT_CJK = re.compile(rf"(?<=[{CJK}]) | (?=[{CJK}])")


def plain(text: str) -> str:
    r"""A text without differences that nobody sees: Unicode NFKC, so that full-width forms are plain, and white space.

    Runs of white space become one space; there is none at the ends nor beside a Chinese or Japanese character, where
    it is a matter of typography.

    Example:
        >>> plain(" 使用 ｉＰｈｏｎｅ\n手機 ")
        '使用iPhone手機'
    """
    spaced = " ".join(unicodedata.normalize("NFKC", text).split())
    return spaced if spaced.isascii() else SPACE_AT_CJK.sub("", spaced)


def normalised(text: str, *, script: ScriptPolicy | None = None) -> str:
    """The form in which texts are compared: as `plain`, and case folded.

    Args:
        text: The text.
        script: "same" makes simplified, traditional and regional characters equal as well; punctuation and hidden
            characters then count for nothing (`finetune_lib.texts.fold`).

    Example:
        >>> normalised("ＹＥＳ") == normalised("yes")
        True
        >>> normalised("软件", script="same") == normalised("軟件", script="same")
        True
    """
    if script == "same":
        return fold(text)
    return unicodedata.normalize("NFKC", plain(text).casefold())


def bounded(form: str) -> str:
    """The pattern that finds a normalised text as whole words where words are parted by spaces, and as whole numbers.

    "ham" is not in "shame", 30 not in 230, 1.30, 30.5, 30,000 or -30, 七天 not in 十七天, 十天 not in 二十天.
    """
    number = r"(?<![0-9][.,])(?<!(?<!\w)-)" if form[:1].isdigit() else ""
    before = rf"(?<!{WORD})" if re.match(rf"-?{WORD}", form) else ""
    after = rf"(?!{WORD})(?![.,][0-9])" if re.match(WORD, form[-1]) else ""
    return f"{number}{_no_numeral_before(form)}{before}{re.escape(form)}{after}{_no_numeral_after(form)}"


def _no_numeral_before(form: str) -> str:
    """That a number in Chinese words is whole: a day of the week is none before it, as in 星期二十點."""
    if form[:1] in ONES and not form.startswith(NO_ONE):
        return f"(?<![{TENS}])"
    return rf"(?:(?<=[週周期拜][{ONES}])|(?<![{ONES}十百千]))" if form[:1] in TENS else ""


def _no_numeral_after(form: str) -> str:
    return f"(?![{ONES}{TENS}])" if set(form) <= {*ONES, *TENS} else ""


def right_answers(case: Case) -> tuple[str, ...]:
    """The expected text; a list in the metadata that begins with it has others that are just as right."""
    for value in case.metadata.values():
        if isinstance(value, list):
            texts = cast("list[Any]", value)
            if texts and texts[0] == case.expected and all(isinstance(text, str) for text in texts):
                return tuple(texts)
    return (case.expected,)


def to_compare(text: str, case: Case) -> str:
    """The expected text of a case, in the form in which it is compared.

    Raises:
        ValueError: There is none.
    """
    if not text.strip():
        raise ValueError(f"case {case.id} has no expected text to compare with")
    return text


def known(script: object) -> None:
    """Refuse an option that does not exist.

    Raises:
        ValueError: It is neither None nor "same".
    """
    if script not in (None, "same"):
        raise ValueError(f'script is None or "same", not {script!r}')

"""Scorers that look for the expected text in the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

from finetune_lib.evaluation.scorers.negation import affirmed
from finetune_lib.evaluation.scorers.normalising import WORD, ScriptPolicy, bounded, known, normalised, right_answers
from finetune_lib.evaluation.scorers.scorer import Instant, is_cut, text_of
from finetune_lib.extras import require
from finetune_lib.records import Answer, Case
from finetune_lib.shown import Shown

PATIENCE = 1.0  # seconds of processor time for one answer; a pattern that takes longer takes for ever


@dataclass(frozen=True, slots=True)
class ExactMatch(Shown, Instant):
    """1 where the answer is the expected text, else 0.

    Width, case and white space of letters do not count (`scorers.normalised`); punctuation, accents and words do.
    Where the metadata of a case has a list of right answers that begins with the expected text, any of them will do.

    Attributes:
        normalize: False compares the texts as they are, character by character.
        script: "same" takes simplified and traditional characters for the same, and no notice of punctuation.
        name: What reports call it.

    Example:
        >>> from finetune_lib import Case, ExactMatch
        >>> ExactMatch()(" ＹＥＳ", Case("1", (), expected="yes"))
        1.0
    """

    _: KW_ONLY
    normalize: bool = True
    script: ScriptPolicy | None = None
    name: str = "exact_match"

    def __post_init__(self) -> None:
        known(self.script)

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        right = right_answers(case)
        if not self.normalize:
            return float(answer in right)
        given = normalised(answer, script=self.script)
        return float(any(given == normalised(text, script=self.script) for text in right))

    def settled(self, answer: str, case: Case) -> bool:
        """Whether no right answer begins with what was said until the limit of tokens cut it off."""
        given = normalised(answer, script=self.script)
        return not any(normalised(text, script=self.script).startswith(given) for text in right_answers(case))


@dataclass(frozen=True, slots=True)
class Contains(Shown, Instant):
    """1 where the expected text stands somewhere in the answer, else 0; normalised as in `ExactMatch`.

    It is found as whole words and numbers, as "ham" not in "shame", nor 30 in 230 or 30.5; and not where it is denied,
    as 可以 in 不可以 or "refund" in "not a refund", unless it stands elsewhere as well.

    Attributes:
        texts: What to look for instead of each case's expected text: one text or several.
        need: Whether "all" or "any" of several texts must be there. None is all of `texts`, and any of a case's right
            answers where its metadata has a list of them that begins with the expected text.
        script: "same" takes simplified and traditional characters for the same, and no notice of punctuation.
        whole: False finds it within words and numbers and where it is denied, too.
        name: What reports call it.

    Raises:
        ValueError: When called: there is no text to look for, which every answer would contain; the report has it as
            a failure.

    Example:
        >>> from finetune_lib import Case, Contains
        >>> Contains(["退款", "退貨"], need="any")("七天內可以退貨。", Case("1", ()))
        1.0
    """

    whole_answer: ClassVar[bool] = True

    texts: Sequence[str] = ()
    _: KW_ONLY
    need: Literal["all", "any"] | None = None
    script: ScriptPolicy | None = None
    whole: bool = True
    name: str = "contains"

    def __post_init__(self) -> None:
        known(self.script)
        if self.need not in ("all", "any", None):
            raise ValueError(f'need is "all" or "any", not {self.need!r}')
        object.__setattr__(self, "texts", (self.texts,) if isinstance(self.texts, str) else tuple(self.texts))

    def __call__(self, answer: Answer | str, case: Case, /) -> float:
        """Score one answer."""
        wanted = [normalised(text, script=self.script) for text in self.texts or right_answers(case)]
        if not all(wanted):
            raise ValueError(f"case {case.id} has no expected text to look for")
        given = normalised(text_of(answer), script=self.script)
        found = (self._found(text, given, cut=is_cut(answer)) for text in wanted)
        every = self.need == "all" or (self.need is None and self.texts)
        return float(all(found) if every else any(found))

    def _found(self, text: str, given: str, *, cut: bool) -> bool:
        """Where the answer was cut off, its last word may be the beginning of another one."""
        if not self.whole:
            return text in given
        goes_on = cut and re.match(WORD, text[-1]) is not None
        mentions = affirmed(given, re.finditer(bounded(text), given))
        return any(not (goes_on and mention.end() == len(given)) for mention in mentions)


@dataclass(frozen=True, slots=True)
class RegexMatch(Shown):
    r"""1 where the pattern is found somewhere in the answer as it is, else 0; `^…$` asks for the whole answer.

    The pattern has the syntax of Python's `re`; `(?i)` in front takes no notice of case.

    Attributes:
        pattern: The regular expression.
        name: What reports call it.

    Raises:
        ValueError: The pattern is not one; when called, it took longer than a second on an answer, which a pattern
            with nested repeats can do: the score of the answer is missing.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import RegexMatch
        >>> RegexMatch(r"訂單\d{4}號")("您的訂單0042號已出貨", Case("1", ()))
        1.0
    """

    pattern: str
    _: KW_ONLY
    name: str = "regex"

    def __post_init__(self) -> None:
        engine = _engine()
        try:
            engine.compile(self.pattern)
        except engine.error as error:
            raise ValueError(f"{self.pattern!r} is no regular expression: {error}") from error

    def __call__(self, answer: str, _case: Case, /) -> float:
        """Score one answer."""
        try:
            return float(_engine().search(self.pattern, answer, timeout=PATIENCE) is not None)
        except TimeoutError as error:
            told = f"the pattern {self.pattern!r} found no end in {PATIENCE:g} s of computing: simplify its repeats"
            raise ValueError(told) from error


def _engine() -> Any:
    """`regex` has a time limit, which `re` has not."""
    return require("regex", extra="eval", feature="RegexMatch(…)")

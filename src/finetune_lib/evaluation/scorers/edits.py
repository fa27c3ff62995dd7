"""Scores by the characters that would have to change, as rapidfuzz counts them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from finetune_lib.evaluation.scorers.normalising import ScriptPolicy, known, normalised, plain, to_compare
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.extras import require
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class CharacterErrorRate(Shown, Instant):
    """1 minus the character error rate, at least 0; the reason says the rate itself.

    The rate is the Levenshtein distance from the answer to the expected text, divided by the characters of the
    expected text; it passes 1 where the answer is much longer. Full-width forms and white space do not count
    (`scorers.normalising.plain`), upper and lower case do.

    Attributes:
        name: What reports call it.

    Raises:
        ValueError: When called: the case has no expected text.
        MissingExtraError: When called without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import CharacterErrorRate
        >>> CharacterErrorRate()("今天天汽很好", Case("1", (), expected="今天天氣很好")).reason
        'CER 0.167: 1 of 6 characters'
    """

    _: KW_ONLY
    name: str = "character_error_rate"

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        return f"1-CER|distance:Levenshtein|norm:NFKC+space|rapidfuzz:{_version()}"

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        expected = to_compare(plain(case.expected), case)
        distance = require("rapidfuzz.distance", extra="eval", feature="CharacterErrorRate()")
        edits: int = distance.Levenshtein.distance(expected, plain(answer))
        rate = edits / len(expected)
        return Score(max(0.0, 1 - rate), reason=f"CER {rate:.3f}: {edits} of {len(expected)} characters")


@dataclass(frozen=True, slots=True)
class EditSimilarity(Shown, Instant):
    """The share of characters that two texts have in common in the same order: `rapidfuzz.fuzz.ratio`, from 0 to 1.

    It is 2·(common characters)/(all characters of both), of texts normalised as in `ExactMatch`.

    Attributes:
        script: "same" takes simplified and traditional characters for the same, and no notice of punctuation.
        name: What reports call it.

    Raises:
        ValueError: When called: the case has no expected text.
        MissingExtraError: When called without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import EditSimilarity
        >>> EditSimilarity()("ＡＢＣ１", Case("1", (), expected="ABC1"))
        1.0
    """

    _: KW_ONLY
    script: ScriptPolicy | None = None
    name: str = "edit_similarity"

    def __post_init__(self) -> None:
        known(self.script)

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        norm = "fold" if self.script == "same" else "NFKC+case+space"
        return f"ratio|distance:Indel|norm:{norm}|rapidfuzz:{_version()}"

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        expected = to_compare(normalised(case.expected, script=self.script), case)
        fuzz = require("rapidfuzz.fuzz", extra="eval", feature="EditSimilarity()")
        return fuzz.ratio(expected, normalised(answer, script=self.script)) / 100


def _version() -> str:
    return require("rapidfuzz", extra="eval", feature="rapidfuzz").__version__

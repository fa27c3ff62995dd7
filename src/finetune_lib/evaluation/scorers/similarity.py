"""chrF and BLEU as sacrebleu computes them, for one answer and for a whole set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, Literal

from finetune_lib.evaluation.scorers.normalising import plain, to_compare
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.extras import require
from finetune_lib.records import Case
from finetune_lib.shown import Shown
from finetune_lib.texts.scripts import HAN

Tokenizer = Literal["auto", "zh", "char", "13a"]
LETTER = re.compile(r"[^\W\d_]")
HAN_CHARACTER = re.compile(f"[{HAN}]")
# Scripts without spaces between words that sacrebleu's "zh" does not part: kana, Thai, Lao, Burmese, Khmer.
UNSPACED = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u0e01-\u0edf\u1000-\u109f\u1780-\u17ff]")
SHARE = 0.1  # of the letters; from here on a text is taken for one without spaces
NORM = "norm:NFKC+space"
AUTO = "zh for Chinese, char for Japanese, Thai, Lao, Burmese and Khmer, 13a else"


@dataclass(frozen=True, slots=True)
class CorpusScore(Shown):
    """A metric of a whole set of answers; `print` shows it with its signature.

    Attributes:
        value: From 0 to 1.
        signature: How exactly it was measured, as sacrebleu writes it.
    """

    value: float
    signature: str

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.signature})"


@dataclass(frozen=True, slots=True)
class ChrF(Shown, Instant):
    """chrF2 (Popović 2015), the F-score of character n-grams, from 0 to 1: fit for every language without a tokenizer.

    Full-width forms and white space do not count (`scorers.normalising.plain`), upper and lower case do.
    `corpus_chrf` takes the texts as they are, as publications do.

    Attributes:
        name: What reports call it.

    Raises:
        ValueError: When called: the case has no expected text.
        MissingExtraError: When called without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import ChrF
        >>> ChrF()("患者需要在手术前八小时禁食。", Case("1", (), expected="患者需要在手术前八小时禁食。"))
        1.0
    """

    _: KW_ONLY
    name: str = "chrf"

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        return f"chrF2|{_chrf().get_signature()}|{NORM}"

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        return _of_one(_chrf(), answer, to_compare(case.expected, case))


@dataclass(frozen=True, slots=True)
class Bleu(Shown, Instant):
    """Sentence BLEU with effective order, from 0 to 1; for a whole set `corpus_bleu` is the usual number.

    Full-width forms and white space do not count, as in `ChrF`; `corpus_bleu` takes the texts as they are.

    Attributes:
        tokenize: "zh", "char" or "13a" of sacrebleu; "auto" chooses by the expected text. 13a takes a Chinese sentence
            for one word, so that a fair paraphrase gets 0: it is refused there.
        name: What reports call it.

    Raises:
        ValueError: When called: the case has no expected text, or the tokenizer does not fit its language.
        MissingExtraError: When called without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Bleu
        >>> round(Bleu()("患者术前八小时需禁食。", Case("1", (), expected="患者需要在手术前八小时禁食。")), 3)
        0.402
    """

    _: KW_ONLY
    tokenize: Tokenizer = "auto"
    name: str = "bleu"

    def __post_init__(self) -> None:
        if self.tokenize not in ("auto", "zh", "char", "13a"):
            raise ValueError(f'tokenize is "auto", "zh", "char" or "13a", not {self.tokenize!r}')

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        auto = self.tokenize == "auto"
        told = f"BLEU|{_bleu('13a' if auto else self.tokenize, effective_order=True).get_signature()}|{NORM}"
        return told.replace("tok:13a", f"tok:{AUTO}") if auto else told

    def __call__(self, answer: str, case: Case, /) -> float:
        """Score one answer."""
        reference = to_compare(case.expected, case)
        return _of_one(_bleu(_tokenizer(self.tokenize, [reference]), effective_order=True), answer, reference)


def corpus_bleu(answers: Sequence[str], references: Sequence[str], *, tokenize: Tokenizer = "auto") -> CorpusScore:
    """BLEU of a whole set, as publications give it, with its signature.

    Args:
        answers: The answers.
        references: The expected text of each.
        tokenize: As of `Bleu`; "auto" chooses one for the set.

    Raises:
        ValueError: The two differ in number, are none, a reference is empty, or the tokenizer does not fit.
    """
    _check(answers, references)
    metric = _bleu(_tokenizer(tokenize, references), effective_order=False)
    value = metric.corpus_score(list(answers), [list(references)]).score / 100
    return CorpusScore(_share(value), f"BLEU|{metric.get_signature()}")


def corpus_chrf(answers: Sequence[str], references: Sequence[str]) -> CorpusScore:
    """chrF2 of a whole set, with its signature.

    Args:
        answers: The answers.
        references: The expected text of each.

    Raises:
        ValueError: The two differ in number, are none, or a reference is empty.
    """
    _check(answers, references)
    metric = _chrf()
    value = metric.corpus_score(list(answers), [list(references)]).score / 100
    return CorpusScore(_share(value), f"chrF2|{metric.get_signature()}")


def spaceless(texts: Iterable[str]) -> Literal["zh", "char"] | None:
    """The tokenizer for texts of a language without spaces between words; None for others."""
    text = " ".join(texts)
    letters = len(LETTER.findall(text)) or 1
    if len(UNSPACED.findall(text)) > SHARE * letters:
        return "char"
    return "zh" if len(HAN_CHARACTER.findall(text)) > SHARE * letters else None


def _tokenizer(asked: Tokenizer, references: Sequence[str]) -> str:
    fit = spaceless(references)
    if asked == "13a" and fit:
        raise ValueError(f'BLEU by 13a takes a sentence without spaces for one word: use tokenize="{fit}" or "auto"')
    if asked == "zh" and fit == "char":
        raise ValueError('BLEU by zh does not part Japanese or Thai words: use tokenize="char" or "auto"')
    return asked if asked != "auto" else fit or "13a"


def _check(answers: Sequence[str], references: Sequence[str]) -> None:
    if isinstance(answers, str) or isinstance(references, str) or len(answers) != len(references) or not answers:
        raise ValueError("give a sequence of answers and one of as many references, at least one of each")
    if empty := [number for number, text in enumerate(references, start=1) if not text.strip()]:
        raise ValueError(f"references without a text have no score: numbers {', '.join(map(str, empty[:10]))}")


def _of_one(metric: Any, answer: str, reference: str) -> float:
    return _share(metric.sentence_score(plain(answer), [plain(reference)]).score / 100)


def _share(value: float) -> float:
    """Rounding gives 1.0000000000000002 for equal texts."""
    return min(1.0, max(0.0, value))


@lru_cache(maxsize=8)
def _bleu(tokenize: str, *, effective_order: bool) -> Any:
    metrics = require("sacrebleu.metrics", extra="eval", feature="BLEU")
    metric = metrics.BLEU(tokenize=tokenize, effective_order=effective_order)
    metric.num_refs = 1
    return metric


@lru_cache(maxsize=1)
def _chrf() -> Any:
    metric = require("sacrebleu.metrics", extra="eval", feature="chrF").CHRF()
    metric.num_refs = 1
    return metric

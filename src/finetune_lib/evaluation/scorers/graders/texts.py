"""OpenAI's graders that compare two texts: `string_check` and `text_similarity`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import ClassVar, Literal

from finetune_lib.evaluation.scorers.graders.overlap import gleu, rouge_l, rouge_n, tokens
from finetune_lib.evaluation.scorers.graders.templates import AbsentError, Material, filled
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.evaluation.scorers.semantic import alike
from finetune_lib.evaluation.scorers.similarity import Bleu
from finetune_lib.extras import require
from finetune_lib.platforms import Platform
from finetune_lib.records import Answer, Case, Score

Operation = Literal["eq", "ne", "like", "ilike"]
COSINE = "text-embedding-3-large"  # what OpenAI's own grader embeds with


@dataclass(frozen=True, slots=True)
class StringCheck(Instant):
    """1 where the texts are equal (`eq`), differ (`ne`), or the input contains the reference (`like`, `ilike`), else 0.

    Texts are compared as they are; only `ilike` takes no notice of case.

    Raises:
        ValueError: When called: the row lacks a field, or a reference to look for is empty.
    """

    whole_answer: ClassVar[bool] = True

    input: str
    _: KW_ONLY
    reference: str
    operation: Operation
    name: str = "string_check"

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        material = Material.of(answer, case)
        reference = filled(self.reference, material, absent="")
        try:
            return Score(float(self._holds(filled(self.input, material), reference)))
        except AbsentError as error:
            return Score(0.0, reason=str(error))

    def _holds(self, given: str, reference: str) -> bool:
        if self.operation in ("eq", "ne"):
            return (given == reference) == (self.operation == "eq")
        if not reference:
            raise ValueError("the reference is empty, which every answer would contain")
        if self.operation == "ilike":
            given, reference = given.casefold(), reference.casefold()
        return reference in given


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """How alike two texts are, from 0 to 1.

    `fuzzy_match` is rapidfuzz's ratio, `bleu` sacrebleu's sentence score with a tokenizer by language, `rouge_1` to
    `rouge_5`, `rouge_l` and `gleu` count tokens of which each Chinese or Japanese character is one, and `cosine`
    embeds both texts with text-embedding-3-large.

    Raises:
        ValueError: When called: the row lacks a field, or the reference is empty.
    """

    whole_answer: ClassVar[bool] = True

    input: str
    _: KW_ONLY
    reference: str
    metric: str
    platform: Platform | None = None
    name: str = "text_similarity"

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        of_words = "|tok:characters of CJK, words else" if self.metric.startswith(("rouge", "gleu")) else ""
        embedded = f"|model:{COSINE}" if self.metric == "cosine" else ""
        return Bleu().signature if self.metric == "bleu" else f"{self.metric}{of_words}{embedded}"

    async def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        material = Material.of(answer, case)
        reference = filled(self.reference, material)
        if not reference.strip():
            raise ValueError("the reference is empty: there is nothing to compare with")
        try:
            given = filled(self.input, material)
        except AbsentError as error:
            return Score(0.0, reason=str(error))
        if self.metric == "cosine":
            return await alike(given, reference, model=COSINE, platform=self.platform)
        return Score(METRICS[self.metric](reference, given))


def _of_tokens(metric: Callable[[list[str], list[str]], float]) -> Callable[[str, str], float]:
    def score(reference: str, given: str) -> float:
        expected = tokens(reference)
        if not expected:
            raise ValueError(f"the reference has neither letters nor digits: {reference[:60]!r}")
        return metric(expected, tokens(given))

    return score


METRICS: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": lambda reference, given: (
        require("rapidfuzz.fuzz", extra="eval", feature="fuzzy_match").ratio(reference, given) / 100
    ),
    "bleu": lambda reference, given: Bleu()(given, Case("", (), reference)),
    "gleu": _of_tokens(gleu),
    "rouge_l": _of_tokens(rouge_l),
    **{f"rouge_{n}": _of_tokens(partial(rouge_n, n=n)) for n in range(1, 6)},
}

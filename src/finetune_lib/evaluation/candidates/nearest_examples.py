"""NearestExamples: the answer of the examples that ask what is most alike; no model is asked."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

from finetune_lib.evaluation.candidates.learned import FEATURE, Learned, Made, answered, learned
from finetune_lib.extras import require
from finetune_lib.files import refuse_path
from finetune_lib.platforms import Platform
from finetune_lib.records import Answer, Case, Example
from finetune_lib.shown import Shown
from finetune_lib.texts import fold
from finetune_lib.texts.retrieval import best


@dataclass(frozen=True)
class NearestExamples(Shown):
    """Answers with the label that the `k` most similar examples have, in milliseconds and without a training bill.

    What costs a training should beat it. Likeness is that of words and neighbouring characters, whatever the script, or
    with `embeddings` that of the meaning. Each example votes with its likeness; `k=1` gives the nearest example's own
    answer, of free texts, too. An example that asks what the case asks is left out, so that no answer leaks; where
    nothing is alike, the most common answer is given.

    Attributes:
        examples: The training data; those without question or answer are passed over.
        k: How many vote.
        embeddings: The model that compares by meaning, as `text-embedding-3-small`; what was embedded is kept.
        platform: Where that runs; None is the run's.
        name: What reports call it.

    Raises:
        ValueError: k is below 1, or no example has question and answer.

    Example:
        >>> import asyncio
        >>> import finetune_lib as ft
        >>> data = ft.Dataset.from_rows(
        ...     [{"prompt": "想退貨", "completion": "退換貨"}, {"prompt": "運費多少", "completion": "運費"}]
        ... )
        >>> case = ft.Case("1", (ft.Message(role="user", content="可以退货吗"),))
        >>> asyncio.run(ft.NearestExamples(data, k=1)(case)).text
        '退換貨'
    """

    instant: ClassVar[bool] = True

    examples: Sequence[Example]
    _: KW_ONLY
    k: int = 5
    embeddings: str | None = None
    platform: Platform | None = None
    name: str = "nearest examples"
    _learned: Made[Learned] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_path(self.examples, "NearestExamples learns from examples", "ft.Dataset.load")
        if self.k < 1:
            raise ValueError(f"k is at least 1, not {self.k}")
        if not answered(self.examples):
            raise ValueError("NearestExamples needs examples that have a question and an answer: there is none")
        object.__setattr__(self, "_learned", Made[Learned]())

    async def __call__(self, case: Case, /) -> Answer:
        """The answer to a case.

        Raises:
            PlatformError: The platform did not embed the texts.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        found = await self._learned(lambda: learned(self.examples, self.embeddings, self.platform))
        start = time.perf_counter()
        text = self._voted(found, case, await found.space.of(case.prompt))
        return Answer(text, seconds=time.perf_counter() - start, cost=None if self.embeddings else 0.0)

    def _voted(self, found: Learned, case: Case, vector: Sequence[float]) -> str:
        asked, numpy = fold(case.prompt), require("numpy", extra="eval", feature=FEATURE)
        likeness = found.space.matrix @ vector
        most = self.k + found.asked.count(asked)
        near = [place for place in best(numpy, likeness, most) if found.asked[place] != asked and likeness[place] > 0]
        if self.k == 1 and near:
            return found.answers[near[0]]
        votes: defaultdict[str, float] = defaultdict(float)
        for place in near[: self.k]:
            votes[found.labels[place]] += float(likeness[place])
        if not votes:
            votes |= {label: float(found.labels.count(label)) for label in dict.fromkeys(found.labels)}
        return found.written(max(votes, key=votes.__getitem__))

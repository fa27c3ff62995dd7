"""LinearClassifier: labels by a linear model over characters or embeddings; no language model is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from finetune_lib.concurrency import in_thread
from finetune_lib.evaluation.candidates.learned import FEATURE, Learned, Made, answered, learned
from finetune_lib.extras import require
from finetune_lib.files import refuse_path
from finetune_lib.platforms import Platform
from finetune_lib.records import Answer, Case, Example
from finetune_lib.shown import Shown
from finetune_lib.texts import fold

STEPS = 200


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What was learned, the labels in the order of the columns, and the weights with the offset last."""

    found: Learned
    labels: Sequence[str]
    weights: Any


@dataclass(frozen=True)
class LinearClassifier(Shown):
    """Chooses among the labels of the examples: a logistic regression over the pieces of the question, or its meaning.

    It is learned here, in about a second for a thousand examples, and answers in milliseconds. With `embeddings` it is
    what articles call classification by text embeddings. Fine-tuning for labels should beat it.

    Attributes:
        examples: The training data; the answers are the labels. Those without question or answer are passed over.
        embeddings: The model that gives the meaning, as `text-embedding-3-small`; by default words and neighbouring
            characters count, whatever the script. What was embedded is kept.
        ridge: How strongly weights are held near 0, as of scikit-learn's `C` the inverse; decide on it before you see
            golden scores.
        platform: Where the embeddings are made; None is the run's.
        name: What reports call it.

    Raises:
        ValueError: There are fewer than two labels, the answers are no labels because most of them differ, or the ridge
            is not above 0.

    Source: Cox, "The regression analysis of binary sequences", 1958; fitted by L-BFGS (scipy).

    Example:
        >>> import asyncio
        >>> import finetune_lib as ft
        >>> asked = [("想退貨", "退換貨"), ("要換貨", "退換貨"), ("運費多少", "運費"), ("運費誰付", "運費")]
        >>> data = ft.Dataset.from_rows([{"prompt": asks, "completion": label} for asks, label in asked])
        >>> asyncio.run(ft.LinearClassifier(data)(ft.Case("1", (ft.Message(role="user", content="可以换货吗"),)))).text
        '退換貨'
    """

    instant: ClassVar[bool] = True

    examples: Sequence[Example]
    _: KW_ONLY
    embeddings: str | None = None
    ridge: float = 0.1
    platform: Platform | None = None
    name: str = "linear classifier"
    _fitted: Made[_Fitted] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_path(self.examples, "LinearClassifier learns from examples", "ft.Dataset.load")
        if not 0 < self.ridge < float("inf"):
            raise ValueError(f"ridge is above 0, not {self.ridge!r}")
        labels = [fold(answer) for _, answer in answered(self.examples)]
        if len(set(labels)) < 2:
            raise ValueError(f"LinearClassifier chooses among labels: the examples have {len(set(labels))}")
        if len(set(labels)) > len(labels) / 2:
            raise ValueError(
                f"{len(set(labels))} different answers of {len(labels)} examples are no labels; "
                "ft.NearestExamples(…, k=1) answers with the text of the nearest example"
            )
        object.__setattr__(self, "_fitted", Made[_Fitted]())

    async def __call__(self, case: Case, /) -> Answer:
        """The label of a case.

        Raises:
            PlatformError: The platform did not embed the texts.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        fitted = await self._fitted(self._fit)
        start = time.perf_counter()
        vector = await fitted.found.space.of(case.prompt)
        scores = vector @ fitted.weights[:-1] + fitted.weights[-1]
        text = fitted.found.written(fitted.labels[int(scores.argmax())])
        return Answer(text, seconds=time.perf_counter() - start, cost=None if self.embeddings else 0.0)

    async def _fit(self) -> _Fitted:
        found = await learned(self.examples, self.embeddings, self.platform)
        labels = sorted(set(found.labels))
        places = [labels.index(label) for label in found.labels]
        return _Fitted(found, labels, await in_thread(_weights, found.space.matrix, places, len(labels), self.ridge))


def _weights(matrix: Any, places: Sequence[int], labels: int, ridge: float) -> Any:
    """The weights of a multinomial logistic regression, a column for each label; the last row is the offset."""
    numpy = require("numpy", extra="eval", feature=FEATURE)
    minimize = require("scipy.optimize", extra="eval", feature=FEATURE).minimize
    rows, columns = matrix.shape
    right = numpy.zeros((rows, labels))
    right[numpy.arange(rows), places] = 1.0

    def loss(flat: Any) -> tuple[float, Any]:
        weights = flat.reshape(columns + 1, labels)
        scores = matrix @ weights[:-1] + weights[-1]
        scores = scores - scores.max(axis=1, keepdims=True)
        shares = numpy.exp(scores)
        totals = shares.sum(axis=1, keepdims=True)
        shares = shares / totals
        cost = float((numpy.log(totals[:, 0]) - (right * scores).sum(axis=1)).sum())
        wrong = shares - right
        slope = numpy.vstack([matrix.T @ wrong + ridge * weights[:-1], wrong.sum(axis=0)])
        return cost + ridge / 2 * float((weights[:-1] ** 2).sum()), slope.ravel()

    start = numpy.zeros((columns + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return found.x.reshape(columns + 1, labels)

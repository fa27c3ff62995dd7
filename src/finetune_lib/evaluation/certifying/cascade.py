"""A cascade: a cheap candidate first, then a dearer one for what the first is not sure of; certified as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from finetune_lib.concurrency import name_of
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.certifying.certified import Rated
from finetune_lib.evaluation.certifying.combined import Combined
from finetune_lib.records import Answer, Case

Stage = tuple[Candidate, Combined]


@dataclass(frozen=True)
class Cascade:
    """Candidates that are asked one after the other, until one is sure enough; to `certify` it is one candidate.

    Each stage tells the chance that its answer is right by a signal that `fit_signal` has fitted on training rows: so
    all stages speak on one scale. The last one answers whatever it is; the certificate of the whole decides what is
    given. The promise is for all stages together; what each answered and got wrong stands beside it.

    Attributes:
        stages: Candidates with their fitted signals, the cheapest first.
        handover: A stage passes on what it is less sure of than that; decided before the golden set is seen.
        name: What reports call it.

    Raises:
        ValueError: There are fewer than two stages, two of one name, or `handover` is not between 0 and 1.
        TypeError: A stage is no pair, or its signal was not fitted.
    """

    instant: ClassVar[bool] = True
    rates_itself: ClassVar[bool] = True

    stages: Sequence[Stage]
    _: KW_ONLY
    handover: float = 0.95
    name: str = ""

    def __post_init__(self) -> None:
        stages = tuple(self.stages)
        if not all(isinstance(stage, tuple) and len(stage) == 2 for stage in stages):  # pyright: ignore[reportUnnecessaryIsInstance, reportUnnecessaryComparison]
            raise TypeError("stages are pairs of a candidate and its fitted signal: [(small, signal), (large, other)]")
        object.__setattr__(self, "stages", stages)
        names = [name_of(candidate) for candidate, _ in self.stages]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError("a cascade has at least two stages, each with a name of its own")
        if not 0 < self.handover < 1:
            raise ValueError(f"handover is a chance between 0 and 1, not {self.handover}")
        for _, signal in self.stages:
            if not isinstance(signal, Combined):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise TypeError("stages are to be sure on one scale: fit the signal of each with ft.fit_signal")
        object.__setattr__(self, "name", self.name or " → ".join(names))

    async def __call__(self, case: Case, /) -> Answer:
        """The answer of the first stage that is sure enough, else of the last, with its confidence.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        paid: float | None = 0.0
        seconds, last = 0.0, len(self.stages) - 1
        for place, (candidate, signal) in enumerate(self.stages):
            by = name_of(candidate)
            answer = await Rated(candidate, signal, by)(case)
            paid = None if paid is None or answer.cost is None else paid + answer.cost
            seconds += answer.seconds
            if place == last or (not answer.error and (answer.confidence or 0.0) >= self.handover):
                return replace(answer, cost=paid, seconds=seconds, by=by)
        raise AssertionError("unreachable: the last stage answers")

    @property
    def fitted_on(self) -> tuple[str, ...]:
        """Marks of the questions that its signals were fitted on."""
        return tuple(content for _, signal in self.stages for content in signal.fitted_on)

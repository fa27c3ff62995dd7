"""What is decided before a run is seen, and so may shape its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from finetune_lib.statistics.intervals import Assumption


class Told(TypedDict):
    """What statistics has to know of a design."""

    assume: Assumption | None
    planned_looks: int
    folds: int | None


@dataclass(frozen=True, slots=True)
class Design:
    """What was decided before the run.

    Attributes:
        planned_looks: How often one means to look while cases are added: each look is held to 0.05 over that number.
        assume: `"cases not seen are like those seen"`, where rare large losses are ruled out by what is known.
        cluster_similar: Whether cases that ask the same count once together.
        scales: The least and the greatest score of each scorer that declares them.
        look: Which look at a growing set this is, as far as the kept answers tell.
        folds: In how many folds the cases were judged, each by a model trained on the others; None where they were not.
    """

    planned_looks: int = 1
    assume: Assumption | None = None
    cluster_similar: bool = True
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]], hash=False)
    look: int = 1
    folds: int | None = None

    @property
    def told(self) -> Told:
        """What statistics has to know."""
        return {"assume": self.assume, "planned_looks": self.planned_looks, "folds": self.folds}

    @property
    def level(self) -> str:
        """The level of the interval, as `95 %`."""
        return f"{100 - 5 / self.planned_looks:.3g} %"

    @property
    def look_again(self) -> str:
        """That more looks were taken than planned; empty where they were not."""
        if self.look <= self.planned_looks:
            return ""
        return (
            f"look {self.look} at a growing set, of {self.planned_looks} planned: each look is a chance to be wrong; "
            f"count them with planned_looks={self.look}"
        )


NO_DESIGN = Design()

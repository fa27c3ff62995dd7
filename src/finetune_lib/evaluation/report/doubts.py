"""Why no verdict may rest on a comparison: of a judge that is not to be trusted, or of answers that were cut off."""

from __future__ import annotations

from collections.abc import Sequence

from finetune_lib.evaluation.judges import JudgeQuality
from finetune_lib.evaluation.judges.trust import LEAST_TO_TRUST
from finetune_lib.evaluation.report.comparing import Compared, Doubt, compare, side
from finetune_lib.evaluation.report.design import Design
from finetune_lib.evaluation.report.differences import Differences

# A judge of which not even half of the verdicts outlive the other order decides by the order.
CHANCE = 0.5


def of_judge(quality: JudgeQuality) -> Doubt | None:
    """Why no verdict may rest on the judge of a pair; None where nothing speaks against it."""
    consistency = quality.places.consistency
    if consistency is not None and consistency.high < CHANCE:
        return "judge_inconsistent"
    measured = quality.people is not None and quality.people.n >= LEAST_TO_TRUST
    return "judge_disagrees" if measured and not quality.trusted else None


def of_cut_answers(
    found: Compared,
    differences: Differences,
    clusters: Sequence[str | None] | None,
    undecided: Sequence[bool],
    *,
    scale: tuple[tuple[float, float], bool],
    design: Design,
) -> Doubt | None:
    """Whether the outcome is another one without the cases in which an answer was cut off before it was decided."""
    left = [place for place, one in enumerate(undecided) if not one]
    if len(left) == len(undecided):
        return None
    rest = differences.at(left)
    if all(d is None for d in rest.known):
        return "cut"
    groups = None if clusters is None else [clusters[place] for place in left]
    without = compare(rest, groups, scale=scale, design=design)
    return None if side(without["estimate"]) == side(found["estimate"]) else "cut"

"""What scores that are missing could change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finetune_lib.statistics.estimates import Clusters, Estimate, ends, is_missing, listed
from finetune_lib.statistics.intervals import Assumption
from finetune_lib.statistics.paired import paired_difference


def worst_case(
    a: Iterable[float | None],
    b: Iterable[float | None],
    clusters: Clusters | None = None,
    *,
    scale: tuple[float, float] = (0, 1),
    assume: Assumption | None = None,
    planned_looks: int = 1,
) -> tuple[Estimate, Estimate]:
    """The paired difference if every missing score counted against `a`, and if every one counted for it.

    A missing score of `a` becomes the lowest of the scale and then the highest, one of `b` the highest and then the
    lowest; a score that is there stays. Where both estimates say the same, the missing items do not matter.

    Args:
        a: Scores of one candidate, an item each; None or nan where there is none.
        b: Scores of the other one on the same items.
        clusters: One id per item, as for `paired_difference`.
        scale: The lowest and the highest score.
        assume: As for `paired_difference`.
        planned_looks: As for `paired_difference`.

    Returns:
        The estimate with everything against `a`, and the one with everything for it.

    Raises:
        ValueError: As `paired_difference`.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Manski, "Partial Identification of Probability Distributions", 2003.

    Example:
        >>> against, favour = worst_case([1, 1, None, 1], [0, 0, 0, None])
        >>> against.value, favour.value
        (0.5, 1.0)
    """
    low, high = ends(scale)
    a, b = listed(a, "a"), listed(b, "b")
    told: Any = {"scale": scale, "assume": assume, "planned_looks": planned_looks}
    against = paired_difference(_filled(a, low), _filled(b, high), clusters, **told)
    return against, paired_difference(_filled(a, high), _filled(b, low), clusters, **told)


def _filled(scores: Iterable[float | None], value: float) -> list[float]:
    return [value if score is None or is_missing(score) else score for score in scores]

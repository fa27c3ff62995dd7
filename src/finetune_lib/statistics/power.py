"""How many items a comparison needs, what a golden set can show, and whether more repeats would help."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist, fmean, variance

from finetune_lib.shown import Shown
from finetune_lib.statistics.estimates import library, listed, numbers

POWER, ALPHA = 0.8, 0.05


def items_needed(difference: float, discordant: float, *, power: float = POWER, alpha: float = ALPHA) -> int:
    """Items to label so that a true difference of scores of 0 and 1 is found.

    Args:
        difference: The true difference that should not be missed, 0.10 for 10 points.
        discordant: Share of the items that one of the two gets right and the other does not; 0.3 is usual.
        power: Probability of finding it.
        alpha: Two-sided level of the test.

    Raises:
        ValueError: The difference is 0 or larger than the discordant share, or a share is not between 0 and 1.

    Source: Connor, "Sample size for testing differences in proportions for the paired-sample design", 1987.

    Example:
        >>> items_needed(0.10, 0.3), items_needed(0.05, 0.2)
        (234, 626)
    """
    if not 0 < abs(difference) <= discordant <= 1:
        raise ValueError(
            "a difference is above 0 and at most the discordant share, that at most 1: "
            f"got {difference} and {discordant}"
        )
    z_alpha, z_power = _z(power, alpha)
    reach = z_alpha * sqrt(discordant) + z_power * sqrt(discordant - difference**2)
    return ceil((reach / difference) ** 2 - 1e-9)


def detectable_difference(n: int, discordant: float, *, power: float = POWER, alpha: float = ALPHA) -> float | None:
    """The smallest true difference of scores of 0 and 1 that so many items show: `items_needed` turned round.

    Args:
        n: Items in the golden set.
        discordant: Share of the items that one of the two gets right and the other does not; 0.3 is usual.
        power: Probability of finding it.
        alpha: Two-sided level of the test.

    Returns:
        The difference, 0.10 for 10 points; None where not even the whole discordant share would show.

    Raises:
        ValueError: No item, or a share is not between 0 and 1.

    Example:
        >>> [round(detectable_difference(n, 0.3), 3) for n in (50, 100, 200, 500)]
        [0.212, 0.152, 0.108, 0.068]
    """
    if n < 1 or not 0 < discordant <= 1:
        raise ValueError(f"at least one item and a discordant share between 0 and 1 are needed: got {n}, {discordant}")
    z_alpha, z_power = _z(power, alpha)
    root = z_alpha**2 * discordant * n - (n + z_power**2) * discordant * (z_alpha**2 - z_power**2)
    found = (z_alpha * sqrt(discordant * n) + sqrt(max(root, 0.0))) / (n + z_power**2)
    return found if found <= discordant else None


def items_needed_graded(difference: float, sd: float, *, power: float = POWER, alpha: float = ALPHA) -> int:
    """Items to label so that a true mean difference of graded scores is found by a paired t test.

    Args:
        difference: The true difference that should not be missed, in the unit of the scores.
        sd: Standard deviation of the differences between the two candidates, an item each.
        power: Probability of finding it.
        alpha: Two-sided level of the test.

    Raises:
        ValueError: The difference is 0, or the standard deviation not above 0.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> items_needed_graded(0.2, 1.0), items_needed_graded(0.5, 1.0)
        (199, 34)
    """
    if not difference or not sd > 0:
        raise ValueError(
            f"a difference that is not 0 and a standard deviation above 0 are needed: got {difference}, {sd}"
        )
    effect = abs(difference) / sd
    most = ceil((sum(_z(power, alpha)) / effect) ** 2) + 10  # a normal needs fewer, by no more than this
    return 2 + bisect_left(range(2, most), power, key=lambda n: _power_of_t(n, effect, alpha))


def _power_of_t(n: int, effect: float, alpha: float) -> float:
    """The probability that a two-sided t test of n differences finds an effect, in standard deviations."""
    special = library("scipy.special")
    bound, shift = float(special.stdtrit(n - 1, 1 - alpha / 2)), effect * sqrt(n)
    return 1 - float(special.nctdtr(n - 1, shift, bound)) + float(special.nctdtr(n - 1, shift, -bound))


@dataclass(frozen=True, slots=True)
class SamplingNoise(Shown):
    """Where the variance of a mean comes from: the choice of the items, or chance in repeated answers to one item.

    Attributes:
        between: Variance between the items, were each asked without end.
        within: Variance between repeats of one item.
        repeats: Repeats an item in the data.
        n: Items in the data.

    Example:
        >>> noise = SamplingNoise(between=1 / 9, within=1 / 3, repeats=1, n=100)
        >>> noise.items_needed(0.03), noise.items_needed(0.03, repeats=10)
        (3876, 1260)
    """

    between: float
    within: float
    repeats: int
    n: int

    @property
    def share(self) -> float:
        """The part of the variance of the mean that more repeats could take away, 0 to 1."""
        noise = self.within / self.repeats
        return noise / (self.between + noise) if noise else 0.0

    @property
    def standard_error(self) -> float:
        """Standard error of the mean."""
        return sqrt((self.between + self.within / self.repeats) / self.n)

    def items_needed(
        self, difference: float, *, repeats: int | None = None, power: float = POWER, alpha: float = ALPHA
    ) -> int:
        """Items that show a true difference with so many repeats of each.

        Args:
            difference: The true difference that should not be missed.
            repeats: Repeats an item; None for those of the data.
            power: Probability of finding it.
            alpha: Two-sided level of the test.

        Source: Miller, "Adding Error Bars to Evals", 2024.
        """
        z_alpha, z_power = _z(power, alpha)
        variance = self.between + self.within / (repeats or self.repeats)
        return ceil((z_alpha + z_power) ** 2 * variance / difference**2 - 1e-9)

    def __str__(self) -> str:
        advice = "more repeats of each item" if self.share > 0.5 else "more items"
        return f"{self.share:.0%} of the variance of the mean comes from repeats: {advice} would help most"


def sampling_noise(scores_by_repeat: Iterable[Iterable[float]]) -> SamplingNoise:
    """Split the variance of scores, or of paired differences, into that between items and that between repeats.

    Args:
        scores_by_repeat: One row a repeat, each with one score an item, in the same order.

    Raises:
        ValueError: Fewer than two repeats or two items, rows of different lengths, or a score that is not finite.

    Source: one-way analysis of variance with random effects; a negative variance is 0.

    Example:
        >>> noise = sampling_noise([[1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [1, 0, 1, 1, 1]])
        >>> print(noise)
        10% of the variance of the mean comes from repeats: more items would help most
    """
    given = [listed(row, f"scores_by_repeat[{place}]") for place, row in enumerate(scores_by_repeat)]
    lengths = {len(row) for row in given}
    if len(given) < 2 or len(lengths) != 1 or lengths.pop() < 2:
        raise ValueError("sampling noise needs at least two repeats of the same items, at least two")
    rows = [numbers(row, f"scores_by_repeat[{place}]").tolist() for place, row in enumerate(given)]
    items, repeats = list(zip(*rows, strict=True)), len(rows)
    within = fmean(variance(item) for item in items)
    between = max(0.0, variance([fmean(item) for item in items]) - within / repeats)
    return SamplingNoise(between, within, repeats, len(items))


def _z(power: float, alpha: float) -> tuple[float, float]:
    if not (0 < alpha < 1 and alpha < power < 1):
        raise ValueError(f"alpha and power lie between 0 and 1, the power above alpha: got {alpha} and {power}")
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2), normal.inv_cdf(power)

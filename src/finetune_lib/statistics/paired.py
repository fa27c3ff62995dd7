"""Two candidates on the same items: the mean difference, the win rate and the mean of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from finetune_lib.statistics.counts import mid_p, wilson
from finetune_lib.statistics.estimates import DIGITS, SEED, Clusters, Estimate, ends, groups, library, numbers, paired
from finetune_lib.statistics.flipping import sign_flip_p
from finetune_lib.statistics.intervals import Differences, interval, mean_and_error, method_of, standard_error

ALPACA = (1.0, 2.0)


def paired_difference(
    a: Iterable[float], b: Iterable[float], clusters: Clusters | None = None, *, seed: int = SEED
) -> Estimate:
    """The mean of `a` - `b` over the same items, with a 95 % interval and a p-value.

    The rule is fixed before any score is seen; it depends on the kind of scores only:

    - interval: Student's t over the differences with one more win and one more loss (see
      `finetune_lib.statistics.intervals`); cut at -1 and 1 for scores between 0 and 1.
    - p of scores with two values, as 0 and 1: mid-p sign test (McNemar's).
    - p of graded scores: sign-flip permutation test of the mean, exact up to 16 items that differ.
    - clusters: cluster-robust interval, and whole clusters are flipped. With fewer than 20 effective ones, as many of
      equal size as would tell as much, the method says "too few clusters to be sure".

    Args:
        a: Scores of one candidate, an item each; repeats, judges and orders of one item are averaged before.
        b: Scores of the other one on the same items.
        clusters: One id per item: items of one document, customer or template share it; None or nan stands alone.
        seed: Seed of the random flips.

    Returns:
        The difference. `standard_error` is that of the plain mean: sd / sqrt(n) (sd with n - 1; with n for scores of
        two values, as textbooks have it for paired proportions), or cluster-robust with statsmodels' correction;
        `statistic` is the plain mean over its standard error, or McNemar's signed z for scores of two values.

    Raises:
        ValueError: The lengths differ, there is no item, or a score is missing or not finite.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> found = paired_difference([1, 1, 1, 0] * 10, [1, 0, 0, 0] * 10)
        >>> f"{found.value:+.2f}, {found.low:+.2f} to {found.high:+.2f}"
        '+0.50, +0.30 to +0.65'
    """
    d = differences_of(*paired(a, b), clusters)
    return _estimate(d, seed=seed, error=standard_error(d, ddof=0 if d.two_valued else 1))


def differences_of(a: Any, b: Any, clusters: Clusters | None) -> Differences:
    """The differences, and the kind and scale of their scores."""
    numpy = library("numpy")
    values = (a - b).round(DIGITS)
    seen = numpy.unique(numpy.concatenate([a, b]))
    signs = bool(numpy.isin(values, (-1.0, 0.0, 1.0)).all())
    known = signs or (seen[0] >= 0 and seen[-1] <= 1)
    scale = 1.0 if known else float(seen[-1] - seen[0])
    return Differences(values, groups(clusters, len(values)), signs or (not known and len(seen) == 2), scale)


def _estimate(d: Differences, *, seed: int, error: float | None) -> Estimate:
    low, high = interval(d)
    if d.two_valued and d.groups is None:
        p, test = mid_p(int((d.values > 0).sum()), int((d.values < 0).sum())), "mid-p sign test"
    else:
        p, test = sign_flip_p(d.totals.round(DIGITS), seed=seed), "sign-flip permutation test"
    return Estimate(d.mean, low, high, p, d.n, method_of(d, test), standard_error=error, statistic=_statistic(d, error))


def _statistic(d: Differences, error: float | None) -> float | None:
    if d.two_valued and d.groups is None:
        differ = abs(d.values).sum()
        return float(d.values.sum() / (differ * abs(d.values).max()) ** 0.5) if differ else 0.0
    return d.mean / error if error else None


def win_rate(
    preferences: Iterable[float],
    clusters: Clusters | None = None,
    *,
    scale: tuple[float, float] = (0, 1),
    seed: int = SEED,
) -> Estimate:
    """How often a candidate is preferred: 1 for each win, 0.5 for a tie, 0 for a loss, averaged.

    Judges that give a probability or several levels may write any number between. Interval and p follow
    `paired_difference`, within 0 and 1; p is against 1/2. `standard_error` is sd / sqrt(n), sd with n - 1,
    as AlpacaEval publishes it (there times 100, as is the rate).

    Args:
        preferences: One an item; both orders of a judge are averaged before.
        clusters: One id per item, as for `paired_difference`.
        scale: What a loss and a win are written as: (0, 1); (1, 2) in files of AlpacaEval, where 0 is a draw like
            1.5; (-1, 1) for signed verdicts.
        seed: Seed of the random flips.

    Raises:
        ValueError: There is no preference, one is missing or not finite, one is outside the scale, or the
            ends of the scale do not differ.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> rate = win_rate([1, 1, 0.5, 0, 1, 1, 1, 0.5, 1, 1])
        >>> f"{rate.value:.2f}, {rate.low:.2f} to {rate.high:.2f}, p = {rate.p:.3f}"
        '0.80, 0.50 to 1.00, p = 0.039'
    """
    shares = _shares(preferences, scale)
    d = _from_half(shares, clusters)
    found = _estimate(d, seed=seed, error=standard_error(d))
    error = None if found.standard_error is None else found.standard_error / 2
    value, low, high = float(shares.mean()), (found.low + 1) / 2, (found.high + 1) / 2
    return replace(found, value=value, low=low, high=high, standard_error=error)


def _from_half(shares: Any, clusters: Clusters | None) -> Differences:
    """Shares of 0 to 1 as differences of -1 to 1; they have two values where each is a loss, a tie or a win."""
    decided = bool(library("numpy").isin(shares, (0.0, 0.5, 1.0)).all())
    return Differences((2 * shares - 1).round(DIGITS), groups(clusters, len(shares)), decided, 1.0)


def _shares(preferences: Iterable[float], scale: tuple[float, float]) -> Any:
    """The preferences between 0 for a loss and 1 for a win."""
    loss, win = ends(scale)
    values = numbers(preferences, "preferences")
    if (loss, win) == ALPACA and values.max() > loss:  # nothing above 1: rather 0 and 1, given with the wrong scale
        values[values == 0] = 1.5
    outside = [place for place, value in enumerate(values) if not loss <= value <= win]
    if outside:
        place = outside[0]
        raise ValueError(
            f"preferences[{place}] = {values[place]:g} is not between {loss:g} (a loss) and {win:g} (a win); "
            f"{len(outside)} of {len(values)} are outside. Scales: (0, 1); (1, 2) as AlpacaEval's, with 0 or 1.5 "
            "for a draw; (-1, 1) for signed verdicts"
        )
    return ((values - loss) / (win - loss)).round(DIGITS)


@dataclass(frozen=True, slots=True)
class Tally:
    """Wins, losses and ties.

    Attributes:
        wins: Items preferred by more than half.
        losses: Items preferred by less than half.
        ties: The others.

    Example:
        >>> tally([1, 1, 0.5, 0]).discrete_win_rate
        0.625
    """

    wins: int
    losses: int
    ties: int

    @property
    def n(self) -> int:
        """All items."""
        return self.wins + self.losses + self.ties

    @property
    def discrete_win_rate(self) -> float:
        """The win rate where only the side of each preference counts, with half a win for a tie."""
        return (self.wins + self.ties / 2) / self.n


def tally(preferences: Iterable[float], *, scale: tuple[float, float] = (0, 1)) -> Tally:
    """Count the wins, losses and ties among preferences.

    Args:
        preferences: One an item.
        scale: As for `win_rate`.

    Raises:
        ValueError: As `win_rate`.

    Example:
        >>> tally([2, 1, 0, 2], scale=(1, 2))
        Tally(wins=2, losses=1, ties=1)
    """
    shares = _shares(preferences, scale)
    wins, losses = int((shares > 0.5).sum()), int((shares < 0.5).sum())
    return Tally(wins, losses, len(shares) - wins - losses)


def equivalence(a: Iterable[float], b: Iterable[float], margin: float, clusters: Clusters | None = None) -> Estimate:
    """Whether two candidates differ by less than a margin: two one-sided t tests (TOST).

    `p` below 0.05 shows that the difference lies within the margin; this is so exactly where the 90 % interval does,
    which is the interval given here. Test and interval have the pseudo-items of `paired_difference`.

    Args:
        a: Scores of one candidate, an item each.
        b: Scores of the other one on the same items.
        margin: The largest difference of no importance, above 0, named before the scores are seen.
        clusters: One id per item, as for `paired_difference`.

    Raises:
        ValueError: The margin is no number above 0, or as `paired_difference`.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", 1987.

    Example:
        >>> scores = [1, 1, 0, 1] * 50
        >>> equivalence(scores, scores, 0.05).p < 0.05
        True
    """
    if not isinstance(margin, Real) or not 0 < float(margin) < float("inf"):
        raise ValueError(f"a margin is a number above 0, as 0.05: got {margin!r}")
    d = differences_of(*paired(a, b), clusters)
    mean, error, freedom = mean_and_error(d)
    p = float(library("scipy.stats").t.sf((margin - abs(mean)) / error, freedom))
    low, high = interval(d, level=0.90)
    method = method_of(d, f"two one-sided t tests within ±{margin:g}, 90 % interval")
    return Estimate(d.mean, low, high, p, d.n, method, standard_error=standard_error(d))


def mean_score(scores: Iterable[float], clusters: Clusters | None = None) -> Estimate:
    """The mean of one candidate's scores with its 95 % interval: Wilson's for 0 and 1, else as `paired_difference`.

    The interval of scores that all lie between 0 and 1 stays there: it is that of `win_rate`, with one more item
    of full score and one of none.

    Compare candidates by `paired_difference`: two intervals that overlap do not say that nothing differs.

    Args:
        scores: One score an item.
        clusters: One id per item, as for `paired_difference`.

    Raises:
        ValueError: There is no score, or one is not finite.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> print(mean_score([1, 0, 1, 1]).method)
        Wilson score interval
    """
    values = numbers(scores, "scores")
    if clusters is None and {0.0, 1.0}.issuperset(values.tolist()):
        return replace(wilson(values.sum(), len(values)), method="Wilson score interval")
    shares = values.min() >= 0 and values.max() <= 1
    d = _from_half(values, clusters) if shares else differences_of(values, 0 * values, clusters)
    (low, high), error, method = interval(d), standard_error(d), method_of(d)
    if shares:
        low, high, error = (low + 1) / 2, (high + 1) / 2, error and error / 2
    return Estimate(float(values.mean()), low, high, None, d.n, method, standard_error=error)

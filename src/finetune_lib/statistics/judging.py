"""Is a judge to be trusted: its bias for places and lengths, and what people's labels make of its scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from finetune_lib.shown import Shown
from finetune_lib.statistics.counts import wilson
from finetune_lib.statistics.estimates import Clusters, Estimate, groups, library, numbers, paired, whole

UNIT = (0.0, 1.0)
KAPPA_GATE = 0.4
"""Where the lower bound of a judge's kappa with people is below this, a headline must not rest on the judge.

A convention: Landis and Koch (1977) call agreement up to 0.4 fair, above it moderate.
"""


def position_bias(first_chosen: float, second_chosen: float) -> Estimate:
    """How often a judge that saw both orders chose the answer in the first place; 0.5 without bias.

    Args:
        first_chosen: Calls in which the first answer was chosen.
        second_chosen: Calls in which the second one was chosen; ties count for neither.

    Returns:
        The share of the first place with Wilson's interval, and the binomial p-value against 0.5.

    Raises:
        ValueError: A count is negative or no whole number, or both are 0.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> bias = position_bias(542, 296)
        >>> f"{bias.value:.3f}, {bias.low:.2f} to {bias.high:.2f}"
        '0.647, 0.61 to 0.68'
    """
    first_chosen, second_chosen = whole(first_chosen, "first_chosen"), whole(second_chosen, "second_chosen")
    found = wilson(first_chosen, first_chosen + second_chosen)
    p = float(library("scipy.stats").binomtest(first_chosen, found.n).pvalue)
    return Estimate(found.value, found.low, found.high, p, found.n, "binomial test, Wilson interval")


@dataclass(frozen=True, slots=True)
class LengthEffect(Shown):
    """What a judge's preferences owe to the length of the answers.

    Attributes:
        coefficient: Log odds of a win for a difference of length that is large (its tanh nears 1); 0 where length
            does not matter, above 0 where the longer answer wins. p is against 0.
        controlled: The win rate of answers of equal length. p is against 1/2.

    Example:
        >>> effect = length_effect([1, 1, 0, 1, 0, 0] * 20, [90, 70, -80, -20, 60, -40] * 20)
        >>> effect.coefficient.value > 0
        True
    """

    coefficient: Estimate
    controlled: Estimate


def length_effect(
    preferences: Iterable[float], length_differences: Iterable[float], clusters: Clusters | None = None
) -> LengthEffect:
    """Separate the taste of a judge from the length of the answers: a fractional logit of the preferences.

    The covariate is tanh(difference / standard deviation of the differences), so that one huge answer cannot decide;
    it is 0 for equal lengths, where the win rate is read off. Intervals and p are of Student's t. A tie is added at
    either end of the lengths: without it no finite coefficient fits where one length parts all wins from all losses,
    and with few items a length effect would be found too often.

    Args:
        preferences: One an item: 1 win, 0.5 tie, 0 loss, or between.
        length_differences: Length of the candidate's answer less that of the other, in characters, so that Chinese
            counts alike.
        clusters: One id per item; the errors then allow for any correlation inside a cluster.

    Raises:
        ValueError: Different lengths, fewer than three items, a preference outside 0 to 1, or nothing to separate
            because all preferences or all lengths are equal.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Dubois and others, "Length-Controlled AlpacaEval", 2024, with the length term only; Papke and Wooldridge
    1996 for the fractional logit with robust errors.

    Example:
        >>> wins = [1, 1, 1, 0, 1, 0, 0, 0, 1, 0] * 10
        >>> longer = [80, 60, 90, -70, -10, 20, -60, -90, 10, -30] * 10
        >>> effect = length_effect(wins, longer)
        >>> effect.coefficient.p < 0.01, round(effect.controlled.value, 2)
        (True, 0.52)
    """
    y, apart = paired(preferences, length_differences, ("preferences", "length_differences"))
    spread = float(apart.std(ddof=1)) if len(apart) > 2 else 0.0
    if not spread or y.min() == y.max() or y.min() < 0 or y.max() > 1:
        raise ValueError("a length effect needs three items, preferences between 0 and 1, and differences in both")
    x, together = library("numpy").tanh(apart / spread), groups(clusters, len(y))
    errors = "HC1" if together is None else "cluster"
    method = (
        "fractional logit on tanh of the standardised length difference, one tie added at either end, "
        f"{errors} errors, t interval"
    )
    return _effect(_fitted(*_with_ties(y, x, together)), len(y), method)


def _with_ties(y: Any, x: Any, together: Any) -> tuple[Any, Any, Any]:
    """With a tie at the largest difference of either sign, each a cluster of its own."""
    numpy, end = library("numpy"), abs(x).max()
    if together is not None:
        together = numpy.append(together, together.max() + numpy.array([1, 2]))
    return numpy.append(y, [0.5, 0.5]), numpy.append(x, [end, -end]), together


def _fitted(y: Any, x: Any, together: Any) -> Any:
    models, family = library("statsmodels.genmod.generalized_linear_model"), library("statsmodels.genmod.families")
    robust: dict[str, Any] = {"cov_type": "HC1"}
    if together is not None:
        robust = {"cov_type": "cluster", "cov_kwds": {"groups": together}}
    covariates = library("numpy").column_stack([0 * x + 1, x])
    return models.GLM(y, covariates, family=family.Binomial()).fit(**robust, use_t=True)


def _effect(fitted: Any, n: int, method: str) -> LengthEffect:
    expit, bounds = library("scipy.special").expit, fitted.conf_int()
    rate, low, high = (float(expit(x)) for x in (fitted.params[0], *bounds[0]))
    p = [float(x) for x in fitted.pvalues]
    slope, error = float(fitted.params[1]), float(fitted.bse[1])
    coefficient = Estimate(slope, float(bounds[1][0]), float(bounds[1][1]), p[1], n, method, standard_error=error)
    return LengthEffect(coefficient, Estimate(rate, low, high, p[0], n, method))


def calibrated(
    judge_labelled: Iterable[float], human: Iterable[float], judge_all: Iterable[float], *, tuned: bool = False
) -> Estimate:
    """A judge's mean score corrected by people's labels of a random part (prediction-powered inference).

    The mean of the judge over all items, plus the mean error that people found in it. It is unbiased however bad
    the judge is, and the better the judge the narrower the interval; this rests on the labelled items being drawn at
    random. A judge without an error in few labels may still err: the interval is Student's t with two more labels, on
    which the judge errs wholly, once in either direction; within 0 and 1 for such scores.

    Args:
        judge_labelled: The judge's scores of the items that people have labelled too.
        human: People's scores of the same items, in the same order.
        judge_all: The judge's scores of the items without labels; those of all items where the labels are few.
        tuned: Trust the judge as far as it is worth it (PPI++) instead of wholly; never wider in the long run.

    Raises:
        ValueError: Fewer than two labels or scores, different numbers of labels, or a score that is not finite.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Angelopoulos and others, "Prediction-powered inference", 2023, and "PPI++", 2023.

    Example:
        >>> judge, human = [1, 1, 0, 1, 1, 0, 1, 1] * 10, [1, 0, 0, 1, 1, 0, 1, 0] * 10
        >>> round(calibrated(judge, human, [1, 1, 1, 0] * 200).value, 2)
        0.5
    """
    f, y = paired(judge_labelled, human, ("judge_labelled", "human"))
    everywhere = numbers(judge_all, "judge_all")
    if len(y) < 2 or len(everywhere) < 2:
        raise ValueError(f"calibration needs two labels and two scores or more: got {len(y)} and {len(everywhere)}")
    weight = _tuned_weight(f, y, everywhere) if tuned else 1.0
    value = float(weight * everywhere.mean() + (y - weight * f).mean())
    error = float((weight**2 * everywhere.var() / len(everywhere) + (y - weight * f).var() / len(y)) ** 0.5)
    low, high = _corrected(y - weight * f, weight * everywhere, _scale(f, y, everywhere))
    if _scale(f, y, everywhere) == UNIT:
        low, high = min(value, max(0.0, low)), max(value, min(1.0, high))
    method = f"prediction-powered inference, weight {weight:.2f} of the judge, t interval with two more labels"
    return Estimate(value, low, high, None, len(y), method, standard_error=error)


def _scale(*scores: Any) -> tuple[float, float]:
    """The ends of the scale: 0 and 1, or the least and the greatest score."""
    low, high = min(float(s.min()) for s in scores), max(float(s.max()) for s in scores)
    return UNIT if low >= 0 and high <= 1 else (low, high)


def _corrected(errors: Any, judged: Any, scale: tuple[float, float]) -> tuple[float, float]:
    """The interval of the judge's mean and its mean error, with the two more."""
    size = scale[1] - scale[0]
    more = library("numpy").append(errors, [size, -size])
    error = float((judged.var() / len(judged) + more.var(ddof=1) / len(more)) ** 0.5)
    reach = float(library("scipy.stats").t.ppf(0.975, len(more) - 1)) * error
    middle = float(judged.mean() + more.mean())
    return middle - reach, middle + reach


def _tuned_weight(f: Any, y: Any, everywhere: Any) -> float:
    """The weight of the judge with the least variance, at least 0 and at most 1."""
    numpy = library("numpy")
    spread = float(numpy.concatenate([f, everywhere]).var(ddof=1))
    shared = float(((f - f.mean()) * (y - y.mean())).mean())
    return min(1.0, max(0.0, shared / ((1 + len(y) / len(everywhere)) * spread))) if spread else 0.0

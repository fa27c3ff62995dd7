"""From which confidence on a model's own answers keep a promise: exact, whatever the curve of its errors.

Each case gives a confidence and whether the answer was wrong. The promise speaks of the answers whose confidence
reaches a threshold, and that threshold is chosen on the same cases. So every threshold is held to one stricter level,
such that *any* of them passes with at most the chance that was agreed on if each answer is wrong with exactly the
promised chance. That chance is summed, not drawn; `docs/explanation/certificates.md` proves that no curve is worse.

Source: Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then Test", 2021, for the question; Bates, Angelopoulos,
Lei, Malik and Jordan, "Distribution-free, risk-controlling prediction sets", 2021, for the promise about all questions;
Clopper and Pearson 1934.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from finetune_lib.statistics.estimates import is_missing, library, listed

Promised = Literal["answers", "questions"]
POWER = 0.8
ROUNDED = 5  # cases to plan for are told in fives
MOST, GROWTH, SAW = 5_000, 1.1, 0.75  # a size that is enough may have larger ones above it that are not
EQUAL = 1e-12  # equal but for the arithmetic of floats
STEPS, ROUGHLY = 34, 14  # of halving a level: to the last digit that counts, and near enough to plan


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a model answers itself, and what that rests on.

    Attributes:
        value: The least confidence with which it answers.
        answered: Cases that reach it.
        wrong: Wrong answers among them.
        n: All cases.
        level: The level that each threshold was held to.
        share: The share that it answers.
        interval: The exact 95 % interval of that share.

    Example:
        >>> from finetune_lib.statistics import certified_threshold
        >>> found = certified_threshold([i / 100 for i in range(100)], [i < 30 for i in range(100)])
        >>> found.value, found.answered, found.wrong
        (0.3, 70, 0)
    """

    value: float
    answered: int
    wrong: int
    n: int
    level: float

    @property
    def share(self) -> float:
        """The share that it answers."""
        return self.answered / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 95 % interval of the share that it answers."""
        return clopper_pearson(self.answered, self.n)


def certified_threshold(
    confidences: Iterable[float | None],
    wrong: Iterable[bool | None],
    *,
    error: float = 0.05,
    confidence: float = 0.95,
    of: Promised = "answers",
) -> Threshold | None:
    """The lowest confidence from which on the promise holds; None where these cases cannot show it for any.

    Equal confidences stand or fall together. The cases must have been used for nothing else that was chosen, and
    count once each: of copies of a question give one.

    Args:
        confidences: One a case, the larger the surer; None or nan where there is none: it never answers.
        wrong: Whether the answer is wrong; None where nobody could tell, which counts as wrong.
        error: The promise: at most this share is wrong.
        confidence: How often a promise given in this way is kept, at least.
        of: `answers`: of what it answers itself, at most that share is wrong. `questions`: of all questions, at most
            that share gets a wrong answer. Decide before you look.

    Raises:
        ValueError: The two differ in length or are empty, or a number or word is out of range.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib.statistics import certified_threshold
        >>> certified_threshold([0.9] * 58, [False] * 58) is None
        True
        >>> certified_threshold([0.9] * 59, [False] * 59).answered
        59
    """
    require_promise(error, confidence, of)
    numpy = library("numpy")
    sure, bad = listed(confidences, "confidences"), listed(wrong, "wrong")
    if len(sure) != len(bad) or not sure:
        raise ValueError(f"each case has a confidence and a verdict: got {len(sure)} and {len(bad)}")
    order = numpy.array([-numpy.inf if is_missing(c) else c for c in sure], dtype=float)
    failed = numpy.array([is_missing(w) or bool(w) for w in bad])
    values = numpy.unique(order[order > -numpy.inf])[::-1]
    answered = numpy.array([int((order >= v).sum()) for v in values], dtype=int)
    errors = numpy.array([int(failed[order >= v].sum()) for v in values], dtype=int)
    n, chance = len(sure), 1 - confidence
    if of == "answers":
        level = simultaneous_level(n, error, chance)
        passes = errors <= allowed_errors(n, level, error)[answered] if level else errors < 0
    else:  # wrong answers among all cases only grow from threshold to threshold: each is held to the whole chance
        level, passes = chance, library("scipy.special").bdtr(errors, n, error) <= chance * (1 + EQUAL)
    if not passes.any():
        return None
    place = int(numpy.flatnonzero(passes)[-1])
    return Threshold(float(values[place]), int(answered[place]), int(errors[place]), n, level)


def allowed_errors(n: int, level: float, error: float) -> Any:
    """For 0 to n answers the errors with which a threshold passes; -1 where it cannot.

    k of j pass where P(Bin(j, error) <= k) <= level.
    """
    numpy, special = library("numpy"), library("scipy.special")
    answers = numpy.arange(1, n + 1)
    level = level * (1 + EQUAL)
    found = numpy.floor(numpy.nan_to_num(special.bdtrik(level, answers, error), nan=-1.0))
    found = numpy.clip(found, -1, answers - 1)
    found += special.bdtr(found + 1, answers, error) <= level  # the inverse may be off by one
    found -= (found >= 0) & (special.bdtr(numpy.maximum(found, 0), answers, error) > level)
    return numpy.concatenate([[-1], found]).astype(int)


def chance_of_passing(allowed: Any, error: float) -> float:
    """The chance that the errors are ever few enough, if each answer is wrong with just that chance; summed exactly."""
    numpy = library("numpy")
    counts = numpy.zeros(max(int(allowed.max()), 0) + 2)  # of errors; the last: more than can ever pass
    counts[0], found = 1.0, 0.0
    for most in allowed[1:]:
        after = counts * (1 - error)
        after[1:] += counts[:-1] * error
        after[-1] += counts[-1] * error
        counts = after
        if most >= 0:
            found += float(counts[: most + 1].sum())
            counts[: most + 1] = 0.0
    return found


@lru_cache(maxsize=1024)
def simultaneous_level(n: int, error: float, chance: float, *, steps: int = STEPS) -> float:
    """The largest level at which the chance that any of n thresholds passes stays within `chance`; 0 for none."""
    low, high = 0.0, chance
    for _ in range(steps):
        middle = (low + high) / 2
        fits = chance_of_passing(allowed_errors(n, middle, error), error) <= chance
        low, high = (middle, high) if fits else (low, middle)
    allowed = allowed_errors(n, chance, error)
    level = chance if chance_of_passing(allowed, error) <= chance else low
    return _reached(n, level, error)


def _reached(n: int, level: float, error: float) -> float:
    """The largest level up to this one that some number of errors has."""
    numpy, special = library("numpy"), library("scipy.special")
    allowed = allowed_errors(n, level, error)
    answers = numpy.flatnonzero(allowed >= 0)
    return float(special.bdtr(allowed[answers], answers, error).max()) if len(answers) else 0.0


def least_to_certify(error: float = 0.05, confidence: float = 0.95) -> int:
    """The least cases with which a promise can be shown: all of them answered, none of them wrong.

    Raises:
        ValueError: A number is not between 0 and 1.

    Example:
        >>> from finetune_lib.statistics import least_to_certify
        >>> least_to_certify(0.05), least_to_certify(0.10), least_to_certify(0.02)
        (59, 29, 149)
    """
    require_promise(error, confidence, "answers")
    return math.ceil(math.log(1 - confidence) / math.log(1 - error) * (1 - EQUAL))


@lru_cache(maxsize=256)
def cases_to_certify(
    error: float = 0.05, confidence: float = 0.95, *, answered: float = 0.6, wrong: float = 0.01, power: float = POWER
) -> int | None:
    """About how many cases bring a certificate in `power` of all sets; None where no 5,000 do.

    Args:
        error: The promise: at most this share of the answers is wrong.
        confidence: How often it is kept, at least.
        answered: The share of the questions that it is to answer itself.
        wrong: The share of those answers that is wrong.
        power: How often the certificate is to come.

    Raises:
        ValueError: A number is out of range.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> from finetune_lib.statistics import cases_to_certify
        >>> cases_to_certify(0.05), cases_to_certify(0.10, answered=1.0)
        (255, 50)
    """
    require_promise(error, confidence, "answers")
    if not 0 < answered <= 1 or not 0 <= wrong < 1 or not 0 < power < 1:
        raise ValueError(f"shares lie between 0 and 1: got answered {answered}, wrong {wrong}, power {power}")

    def enough(n: int) -> bool:
        many = int(answered * n + EQUAL)
        level = simultaneous_level(n, error, 1 - confidence, steps=ROUGHLY)
        allowed = allowed_errors(n, level, error)[many] if level else -1
        return allowed >= 0 and float(library("scipy.special").bdtr(allowed, many, wrong)) >= power

    low = least_to_certify(error, confidence)
    high = next((n for n in _growing(low) if enough(n)), None) if wrong < error else None
    if high is None:
        return None
    first = -(-max(low, int(high * SAW)) // ROUNDED) * ROUNDED
    return next((n for n in range(first, high, _step(high)) if enough(n)), high)


def _growing(first: int) -> Iterable[int]:
    n = -(-first // ROUNDED) * ROUNDED
    while n <= MOST:
        yield n
        n = max(n + ROUNDED, int(n * GROWTH) // ROUNDED * ROUNDED)


def _step(n: int) -> int:
    """Told to about two per cent."""
    return max(ROUNDED, n // 50 // ROUNDED * ROUNDED)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share."""
    inverse, tail = library("scipy.special").betaincinv, (1 - level) / 2
    low = float(inverse(successes, n - successes + 1, tail)) if successes else 0.0
    return low, float(inverse(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0


def require_promise(error: float, confidence: float, of: str) -> None:
    """Refuse what is no promise.

    Raises:
        ValueError: A number is not between 0 and 1, or `of` is another word.
    """
    if not 0 < error < 1:
        raise ValueError(f"error is the share that may be wrong, as 0.05: got {error}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, as 0.95: got {confidence}")
    if of not in get_args(Promised):
        raise ValueError(f"of is one of {', '.join(get_args(Promised))}, not {of!r}")

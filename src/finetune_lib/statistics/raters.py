"""Agreement of raters: people with people, a judge with people, a judge with itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from numbers import Real
from typing import Any, Literal, cast

from finetune_lib.statistics.counts import wilson
from finetune_lib.statistics.estimates import Estimate, is_missing, library, listed
from finetune_lib.statistics.intervals import Differences, decided

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Ratings = Iterable[Iterable[Any]] | Mapping[Any, Mapping[Any, Any]]
LEVELS = ("nominal", "ordinal", "interval", "ratio")
NAN = float("nan")
HELD = "t interval of the agreement of each item, chance agreement held fixed"
Interval = Literal["t", "asymptotic"]


def agreement(ratings: Ratings, level: Level = "nominal") -> Estimate:
    """Krippendorff's alpha of any number of raters, some of whose ratings may be missing.

    1 is perfect agreement, 0 what chance gives, below 0 is worse than chance.

    Args:
        ratings: One row a rater with one rating an item, None or nan where it is missing; or `{rater: {item: rating}}`.
        level: How far apart two ratings are: `nominal` (equal or not; strings are welcome), `ordinal` (by rank),
            `interval` (by difference), `ratio` (by proportion).

    Returns:
        Alpha with the interval of the observed agreement, chance agreement held fixed; `n` counts the items with two
        or more ratings. Where all ratings are one and the same, alpha has no meaning and all three numbers are nan.

    Raises:
        TypeError: The ratings are a table of pandas, or other than described.
        ValueError: No item has two ratings, rows differ in length, a rating that must be a number is none, or the
            level is unknown.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Krippendorff, "Content Analysis", 2018; Fleiss, Cohen and Everitt, "Large sample standard errors of kappa
    and weighted kappa", 1969, for chance held fixed.

    Example:
        >>> found = agreement([[1, 2, 3, 3, 2, None], [1, 2, 3, 3, 2, 5], [None, 3, 3, 3, 2, 3]])
        >>> round(found.value, 3)
        0.63
    """
    if level not in LEVELS:
        raise ValueError(f"no level is named {level!r}; there are {', '.join(LEVELS)}")
    rows = _coded(_rows(ratings), level)
    items = [[r for r in item if r is not None] for item in zip(*rows, strict=True)]
    pairable = [item for item in items if len(item) > 1]
    if not pairable:
        raise ValueError("agreement needs at least one item that two raters have rated")
    method = f"Krippendorff's alpha ({level}), {HELD}"
    if len({rating for item in pairable for rating in item}) == 1:
        return Estimate(NAN, NAN, NAN, None, len(pairable), method)
    return Estimate(*_alpha(pairable, level), None, len(pairable), method)


def _alpha(items: list[list[float]], level: Level) -> tuple[float, float, float]:
    """Alpha and the ends of its interval: 1 less observed over expected distance of two ratings."""
    numpy = library("numpy")
    labels = sorted({rating for item in items for rating in item})
    counted = [Counter(item) for item in items]
    table = numpy.array([[counts[label] for label in labels] for counts in counted], dtype=float)
    apart = _distances(numpy.array(labels), table.sum(axis=0), level)
    raters, n = table.sum(axis=1), table.sum()
    observed = ((table @ apart) * table).sum(axis=1) / (raters * (raters - 1))
    totals = table.sum(axis=0)
    expected = float(totals @ apart @ totals / (n * (n - 1)))
    agreed = 1 - float((raters * observed).sum() / n)  # an item counts by its ratings
    return _beyond_chance(1 - observed, 1 - expected, agreed=agreed)


def _distances(values: Any, totals: Any, level: Level) -> Any:
    """How far apart each two values are, 0 to 1."""
    numpy = library("numpy")
    if level == "nominal":
        return 1.0 - numpy.eye(len(values))
    if level == "ordinal":
        values = totals.cumsum() - totals / 2
    apart = (values[:, None] - values[None, :]).astype(float)
    if level == "ratio":
        both = values[:, None] + values[None, :]
        apart = numpy.divide(apart, both, out=0 * apart, where=both != 0)
    return apart**2 / (apart**2).max()


def _beyond_chance(agreement: Any, chance: float, *, agreed: float | None = None) -> tuple[float, float, float]:
    """What agreement there is beyond chance, with its interval; from the agreement of each item, 0 to 1."""
    mean = float(agreement.mean())
    agreed = mean if agreed is None else agreed
    found = decided(Differences(2 * agreement - 1, None, 1.0)).interval()
    ends = (agreed, *((x + 1) / 2 + agreed - mean for x in found))
    value, low, high = ((x - chance) / (1 - chance) for x in ends)
    return value, low, min(1.0, high)


def _rows(ratings: Ratings) -> list[list[Any]]:
    """One row a rater, all of one length; a nan is a missing rating."""
    if hasattr(ratings, "columns"):
        raise TypeError("of a table give the ratings, one row a rater: table.T.to_numpy() where each column is a rater")
    if isinstance(ratings, Mapping):
        rows = _of_names(cast("Mapping[Any, Any]", ratings))
    else:
        rows = [listed(row, f"ratings[{place}]") for place, row in enumerate(ratings)]
    lengths = {len(row) for row in rows}
    if len(rows) < 2 or len(lengths) != 1:
        raise ValueError(f"agreement needs two raters or more, each with one rating an item: got rows of {lengths}")
    return [[None if is_missing(rating) else rating for rating in row] for row in rows]


def _of_names(ratings: Mapping[Any, Any]) -> list[list[Any]]:
    if not all(hasattr(given, "get") and hasattr(given, "keys") for given in ratings.values()):
        raise TypeError("ratings by name are {rater: {item: rating}}; of lists of ratings give a list, one a rater")
    items = list(dict.fromkeys(item for given in ratings.values() for item in given))
    return [[given.get(item) for item in items] for given in ratings.values()]


def _coded(rows: list[list[Any]], level: str) -> list[list[float | None]]:
    """Ratings as numbers; names of nominal categories become numbers that stand for nothing but themselves."""
    if level == "nominal":
        codes = {rating: float(code) for code, rating in enumerate(dict.fromkeys(r for row in rows for r in row))}
        return [[None if rating is None else codes[rating] for rating in row] for row in rows]
    wrong = {repr(r) for row in rows for r in row if r is not None and not isinstance(r, Real)}
    if wrong:
        raise ValueError(f"{level} ratings are numbers: got {', '.join(sorted(wrong)[:5])}")
    return rows


def cohen_kappa(
    a: Iterable[Hashable],
    b: Iterable[Hashable],
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    interval: Interval = "t",
) -> Estimate:
    """Cohen's kappa of two raters, with its 95 % interval.

    Args:
        a: Ratings of one rater, an item each: any labels. Items that either has left out, None or nan, do not count.
        b: Ratings of the other one of the same items; labels that only one of them uses are welcome.
        weights: How much a near miss counts: None (nothing), `linear` or `quadratic` in the number of steps between
            the ratings, in sorted order, which must then be numbers.
        interval: `t` of the agreement of each item with chance agreement held fixed, which keeps its width where two
            raters never differ; `asymptotic` as SAS and R print it, which is far too narrow below 100 items.

    Returns:
        Kappa; `p` is against 0 (None where it cannot be told), and `n` counts the items that both have rated. Where
        both give every item one and the same label, kappa has no meaning and the numbers are nan.

    Raises:
        ValueError: The lengths differ, there is no item that both have rated, or weighted ratings are no numbers.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Cohen 1960; Fleiss, Cohen and Everitt 1969 for both errors; computed by statsmodels.

    Example:
        >>> yes_no = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
        >>> kappa = cohen_kappa(*zip(*yes_no))
        >>> f"{kappa.value:.3f}, {kappa.low:.2f} to {kappa.high:.2f}"
        '0.400, 0.13 to 0.64'
    """
    a, b = _same_items(a, b)
    labels = _labels([*a, *b], ordered=weights is not None)
    name = f"Cohen's kappa{f' ({weights})' if weights else ''}, {'asymptotic interval' if interval != 't' else HELD}"
    if len(labels) == 1:
        return Estimate(NAN, NAN, NAN, None, len(a), name)
    counts = Counter(zip(a, b, strict=True))
    table = library("numpy").array([[counts[x, y] for y in labels] for x in labels])
    found = library("statsmodels.stats.inter_rater").cohens_kappa(table, wt=weights)
    value, low, high, p, error = (
        float(x) for x in (found.kappa, found.kappa_low, found.kappa_upp, found.pvalue_two_sided, found.std_kappa)
    )
    if interval == "t":
        _, low, high = _of_table(table, weights)
    return Estimate(value, low, high, None if is_missing(p) or not error else p, len(a), name, standard_error=error)


def _of_table(table: Any, weights: str | None) -> tuple[float, float, float]:
    """Kappa and its interval from the counts of pairs of ratings; a near miss agrees by its weight."""
    numpy, k = library("numpy"), len(table)
    steps = abs(numpy.subtract.outer(numpy.arange(k), numpy.arange(k))) / (k - 1)
    agreed = 1 - {None: steps != 0, "linear": steps, "quadratic": steps**2}[weights]
    n = table.sum()
    chance = float(table.sum(axis=1) @ agreed @ table.sum(axis=0) / n**2)
    return _beyond_chance(numpy.repeat(agreed.ravel(), table.ravel()), chance)


def _same_items(a: Iterable[Any], b: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The ratings of the items that both have rated."""
    one, other = listed(a, "a"), listed(b, "b")
    if len(one) != len(other):
        raise ValueError(f"two raters rate the same items: got {len(one)} and {len(other)}")
    both = [pair for pair in zip(one, other, strict=True) if not any(map(is_missing, pair))]
    if not both:
        raise ValueError("two raters rate the same items: there is none that both have rated")
    return [x for x, _ in both], [y for _, y in both]


def _labels(ratings: list[Any], *, ordered: bool) -> list[Any]:
    if not ordered:
        return list(dict.fromkeys(ratings))
    wrong = sorted({repr(rating) for rating in ratings if not isinstance(rating, Real)})
    if wrong:
        raise ValueError(f"weighted ratings are numbers, so that they have an order: got {', '.join(wrong[:5])}")
    return sorted(set(ratings))


def percent_agreement(a: Iterable[Hashable], b: Iterable[Hashable]) -> Estimate:
    """The share of items that two raters rate alike, with Wilson's interval.

    Args:
        a: Ratings of one rater, an item each: any labels. Items that either has left out, None or nan, do not count.
        b: Ratings of the other one of the same items.

    Raises:
        ValueError: The lengths differ, or there is no item that both have rated.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> percent_agreement(["good", "bad", "good"], ["good", "bad", "bad"]).value
        0.6666666666666666
    """
    a, b = _same_items(a, b)
    found = wilson(sum(x == y for x, y in zip(a, b, strict=True)), len(a))
    return Estimate(found.value, found.low, found.high, None, found.n, "share of equal ratings, Wilson interval")


def fleiss_kappa(ratings: Ratings) -> Estimate:
    """Fleiss' kappa of three or more raters, every item rated by the same number of them.

    Only how many raters chose each category counts, so a published table of counts may be written out as ratings in
    any order.

    Args:
        ratings: One row a rater with one rating an item; or `{rater: {item: rating}}`.

    Raises:
        ValueError: A rating is missing (see `agreement`, which allows it), or rows differ in length.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Fleiss, "Measuring nominal scale agreement among many raters", 1971.

    Example:
        >>> found = fleiss_kappa([["a", "b", "b", "a"], ["a", "b", "a", "a"], ["a", "b", "b", "b"]])
        >>> round(found.value, 3)
        0.333
    """
    rows = _rows(ratings)
    if any(rating is None for row in rows for rating in row):
        raise ValueError("Fleiss' kappa needs every rater's rating of every item; agreement() allows missing ones")
    numpy, labels = library("numpy"), _labels([rating for row in rows for rating in row], ordered=False)
    counted = [Counter(item) for item in zip(*rows, strict=True)]
    table = numpy.array([[counts[label] for label in labels] for counts in counted])
    name, raters = f"Fleiss' kappa, {HELD}", len(rows)
    if len(labels) == 1:
        return Estimate(NAN, NAN, NAN, None, len(table), name)
    agreed = ((table**2).sum(axis=1) - raters) / (raters * (raters - 1))
    chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return Estimate(*_beyond_chance(agreed, chance), None, len(table), name)

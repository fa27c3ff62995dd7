"""More than two candidates: one ranking from comparisons of pairs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from numbers import Real
from typing import Any

from finetune_lib.statistics.estimates import SEED, Estimate, library

Pairs = Mapping[tuple[str, str], float]
RESAMPLES = 500
NORMAL = 1.96
PRECISION, ROUNDS = 1e-10, 1_000


def bradley_terry(wins: Pairs, *, ties: Pairs | None = None, seed: int = SEED) -> dict[str, Estimate]:
    """Rank candidates by the Bradley-Terry model: x beats y with probability x / (x + y) of their scores.

    A tie counts as half a win for both sides. The scores sum to 1. Intervals are normal on the scale of log odds, score
    against the rest, with the standard deviation of a Bayesian bootstrap, which gives each comparison a random
    weight, so that no rare defeat is ever left out. It takes comparisons for independent: where one item or one judge
    gave many, the intervals are too narrow.

    Args:
        wins: How often the first of two names beat the second: `{(winner, loser): count}`.
        ties: How often two names tied, in any order.
        seed: Seed of the bootstrap.

    Returns:
        Each name's score, the best first; `n` counts its comparisons.

    Raises:
        TypeError: Wins or ties are no mapping of pairs of names.
        ValueError: A name is compared with itself, a count is negative or no number, or no scores exist because some
            candidates never lost or tied against the others; the message names them.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Source: Bradley and Terry 1952; Newman, "Efficient computation of rankings from pairwise comparisons", 2023; Rubin,
    "The Bayesian bootstrap", 1981; computed by evalica.

    Example:
        >>> board = bradley_terry({("a", "b"): 30, ("b", "a"): 10, ("b", "c"): 30, ("c", "b"): 10})
        >>> [f"{name} {score.value:.2f}" for name, score in board.items()]
        ['a 0.69', 'b 0.23', 'c 0.08']
    """
    if not all(hasattr(counts, "items") for counts in (wins, ties or {})):
        raise TypeError('wins and ties are counts by pair of names, as {("winner", "loser"): 12}; see also ranking()')
    cells = [(x, y, count, True) for (x, y), count in wins.items() if count != 0]
    cells += [(x, y, count, False) for (x, y), count in (ties or {}).items() if count != 0]
    _refuse_odd(cells)
    names = list(dict.fromkeys(name for x, y, _, _ in cells for name in (x, y)))
    counts = library("numpy").array([count for _, _, count, _ in cells], dtype=float)
    board = _Board(names, cells)
    if apart := board.unbeaten(counts):
        raise ValueError(
            f"no Bradley-Terry scores exist: {', '.join(apart)} never lost to or tied with any of the others. "
            "Compare more items, leave them out, or compare two at a time with win_rate()"
        )
    return _ordered(board, counts, seed)


def ranking(comparisons: Iterable[tuple[Hashable, str, str, float]], *, seed: int = SEED) -> dict[str, Estimate]:
    """Rank candidates from comparisons on items, one of which may carry several: the item is the unit.

    As `bradley_terry`, but the bootstrap resamples items, and one tie is added between each two that were compared,
    so that a candidate which never lost has a score, too.

    Args:
        comparisons: For each its item, two names, and the preference for the first: from 1 to -1, above 0 is a win.
        seed: Seed of the bootstrap.

    Returns:
        Each name's score, the best first; they sum to 1, and `n` counts the items.

    Raises:
        ValueError: There is no comparison, a preference is not between -1 and 1, or two groups of candidates never met.
        MissingExtraError: Without `pip install "finetune_lib[eval]"`.

    Example:
        >>> board = ranking([(item, "tuned", "base", 1.0) for item in range(20)])
        >>> f"{board['tuned'].value:.3f}"
        '0.976'
    """
    numpy = library("numpy")
    places: dict[Hashable, int] = {}
    cells: dict[tuple[str, str, bool], int] = {}
    marks: list[tuple[int, int]] = []
    for place, (item, x, y, preference) in enumerate(comparisons):
        if not isinstance(preference, Real) or not -1 <= float(preference) <= 1:
            raise ValueError(f"comparison {place}, of {x!r} and {y!r}: {preference!r} is no preference from -1 to 1")
        first, second = (x, y) if preference > 0 or (preference == 0 and x < y) else (y, x)
        cell = (first, second, preference != 0)
        marks.append((places.setdefault(item, len(places)), cells.setdefault(cell, len(cells))))
    named = [(x, y, 1.0, won) for x, y, won in cells]
    _refuse_odd(named)
    prior = [(x, y, 1.0, False) for x, y in {tuple(sorted((x, y))) for x, y, _ in cells}]
    board = _Board(list(dict.fromkeys(name for x, y, _, _ in named for name in (x, y))), [*named, *sorted(prior)])
    counts = numpy.zeros((len(places), len(named)))
    numpy.add.at(counts, tuple(numpy.array(marks).T), 1.0)
    return _by_item(board, counts, numpy.ones(len(prior)), seed)


def _by_item(board: _Board, counts: Any, prior: Any, seed: int) -> dict[str, Estimate]:
    numpy = library("numpy")
    whole = numpy.concatenate([counts.sum(axis=0), prior])
    if board.unbeaten(whole):
        raise ValueError("some candidates never met any of the others: compare all of them, or leave them out")
    drawn = numpy.random.default_rng(seed).multinomial(len(counts), [1 / len(counts)] * len(counts), RESAMPLES)
    scores = board.scores(whole)
    kept = numpy.array([board.scores(numpy.concatenate([draw @ counts, prior])) for draw in drawn])
    low, high = numpy.quantile(kept, [0.025, 0.975], axis=0)
    method = "Bradley-Terry score with one tie added between each two, bootstrap interval over items"
    return {
        board.names[i]: Estimate(float(scores[i]), float(low[i]), float(high[i]), None, len(counts), method)
        for i in numpy.argsort(-scores, kind="stable")
    }


def _refuse_odd(cells: list[tuple[str, str, float, bool]]) -> None:
    if not cells:
        raise ValueError("a ranking needs at least one comparison")
    odd = [f"{x!r} and {y!r}: {count}" for x, y, count, _ in cells if x == y or not _is_count(count)]
    if odd:
        raise ValueError(f"comparisons are between two names and counted from 0 upwards: {'; '.join(odd[:5])}")


def _is_count(count: object) -> bool:
    return isinstance(count, Real) and 0 <= float(count) < float("inf")


class _Board:
    """The cells of a tournament, with which any counts in them can be scored."""

    def __init__(self, names: list[str], cells: list[tuple[str, str, float, bool]]) -> None:
        place = {name: number for number, name in enumerate(names)}
        winner = library("evalica").Winner
        self.names = names
        self.xs, self.ys = [place[x] for x, _, _, _ in cells], [place[y] for _, y, _, _ in cells]
        self.won = [won for _, _, _, won in cells]
        self.winners = [winner.X if won else winner.Draw for won in self.won]

    def unbeaten(self, counts: Any) -> list[str]:
        """Names that no other one beat or tied with; empty where scores exist (Ford 1957)."""
        graph, matrix = library("scipy.sparse.csgraph"), library("numpy").zeros((len(self.names), len(self.names)))
        for x, y, won, count in zip(self.xs, self.ys, self.won, counts, strict=True):
            matrix[x, y] += count
            matrix[y, x] += 0 if won else count
        number, part = graph.connected_components(matrix, connection="strong")
        if number == 1:
            return []
        beaten = {int(part[y]) for x, y in zip(*matrix.nonzero(), strict=True) if part[x] != part[y]}
        top = next(p for p in range(number) if p not in beaten)
        return [name for name, p in zip(self.names, part, strict=True) if p == top]

    def scores(self, counts: Any) -> Any:
        """The score of each name; they sum to 1."""
        found = library("evalica").bradley_terry(
            self.xs, self.ys, self.winners, weights=counts, tie_weight=0.5, tolerance=PRECISION, limit=ROUNDS
        )
        scores = found.scores.reindex(range(len(self.names))).to_numpy()
        return scores / scores.sum()

    def resampled(self, counts: Any, seed: int) -> Any:
        """Scores under random weights of the comparisons, one row a draw."""
        numpy = library("numpy")
        draws = numpy.random.default_rng(seed).standard_gamma(counts, (RESAMPLES, len(counts)))
        return numpy.array([self.scores(draw * counts.sum() / draw.sum()) for draw in draws])


def _ordered(board: _Board, counts: Any, seed: int) -> dict[str, Estimate]:
    numpy, special, scores = library("numpy"), library("scipy.special"), board.scores(counts)
    odds = special.logit(scores)
    reach = NORMAL * special.logit(board.resampled(counts, seed)).std(axis=0, ddof=1)
    low, high = special.expit(odds - reach), special.expit(odds + reach)
    method = "Bradley-Terry score, normal interval of its log odds, Bayesian bootstrap over comparisons"
    played = numpy.bincount(board.xs, counts, len(scores)) + numpy.bincount(board.ys, counts, len(scores))
    return {
        board.names[i]: Estimate(float(scores[i]), float(low[i]), float(high[i]), None, round(float(played[i])), method)
        for i in numpy.argsort(-scores, kind="stable")
    }

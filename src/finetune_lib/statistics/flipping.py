"""Permutation of signs: what the sum of the differences would be if each could as well have gone the other way."""

from __future__ import annotations

from typing import Any

from finetune_lib.statistics.estimates import library

DRAWS = 9_999
EXACT = 16
TOGETHER = 8


def sign_flip_p(differences: Any, *, seed: int) -> float:
    """Two-sided p-value of the sign-flip permutation test: exact up to 16 differences that are not 0.

    Beyond, 9,999 random flips and the observed one are counted, so that p is never 0. Source: Fisher, "The Design
    of Experiments", 1935; Phipson and Smyth, "Permutation p-values should never be zero", 2010.
    """
    sizes = abs(differences[differences != 0])
    exact = len(sizes) <= EXACT
    sums = _all(sizes) if exact else _random(sizes, seed)
    least = abs(float(differences.sum())) - 1e-9 * float(sizes.sum())
    extreme = int((abs(sums) >= least).sum())
    return extreme / len(sums) if exact else (extreme + 1) / (DRAWS + 1)


def _signs(n: int) -> Any:
    """All ways to give n numbers a sign, one a row."""
    numpy = library("numpy")
    return 1 - 2 * (numpy.arange(2**n)[:, None] >> numpy.arange(n) & 1)


def _all(sizes: Any) -> Any:
    return _signs(len(sizes)) @ sizes


def _random(sizes: Any, seed: int) -> Any:
    """Sums under random signs; eight of the numbers get theirs with one random byte."""
    numpy = library("numpy")
    draw, sums = numpy.random.default_rng(seed), numpy.zeros(DRAWS)
    padded = numpy.pad(sizes, (0, -len(sizes) % TOGETHER)).reshape(-1, TOGETHER)
    for partial in padded @ _signs(TOGETHER).T:
        sums += partial[draw.integers(0, 2**TOGETHER, DRAWS, dtype=numpy.uint8)]
    return sums

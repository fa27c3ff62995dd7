"""Numbers as people read them: scores, differences, shares, money, seconds, p-values."""

from __future__ import annotations

import math

MINUS, DASH = "\u2212", "–"
SMALLEST_P = 0.001


def number(value: float | None) -> str:
    """A score, or a dash where there is none."""
    return DASH if value is None or math.isnan(value) else f"{value:.2f}".replace("-", MINUS)


def signed(value: float) -> str:
    """A difference, always with its sign."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", MINUS)


def percent(share: float) -> str:
    """A share of 1."""
    return f"{share:.0%}".replace("%", " %")


def p_value(p: float) -> str:
    """A p-value to three digits."""
    return f"p < {SMALLEST_P}" if p < SMALLEST_P else f"p = {p:.3f}"


def money(usd: float | None) -> str:
    """US dollars, small ones to two digits that count; a dash where they are not known."""
    if usd is None:
        return DASH
    digits = 2 if abs(usd) >= 1 or not usd else min(8, 1 - math.floor(math.log10(abs(usd))))
    return f"{MINUS if usd < 0 else ''}${abs(usd):,.{max(2, digits)}f}"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that reads best; a dash where they are not known."""
    if seconds is None:
        return DASH
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

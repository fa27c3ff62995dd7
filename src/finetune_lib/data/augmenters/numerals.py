"""How people write small numbers in words; pure."""

from __future__ import annotations

HAN = "零一二三四五六七八九"
ENGLISH = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)


def numerals(digits: str) -> tuple[str, ...]:
    """The number in Chinese up to 99 and in English up to 20; empty beyond, and for digits that are a code."""
    if not digits.isdecimal() or len(digits) > 2 or str(int(digits)) != digits:
        return ()
    number = int(digits)
    also = {2: ("兩", "两"), 20: ("廿",)}.get(number, ())
    return (_chinese(number), *also, *ENGLISH[number : number + 1])


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return HAN[ones]
    return f"{HAN[tens] if tens > 1 else ''}十{HAN[ones] if ones else ''}"

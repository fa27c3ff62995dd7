"""Check digits of identifiers, so that a row of digits is called one only where it is.

Each function takes the identifier without spaces and hyphens and tells whether its check digit is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

# 10 to 35 in the order in which Taiwan's counties and cities were given their letters.
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_COMPANY_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)
_CHINA_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHINA_CHECK = "10X98765432"
# Provinces, by the two digits of GB/T 2260.
_CHINA_AREAS = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)}
)
_CHINA_AREAS_OVERSEAS = frozenset({71, 81, 82, 83})
_CARD_LENGTHS: tuple[tuple[range, tuple[int, ...]], ...] = (
    (range(340_000, 350_000), (15,)),  # American Express
    (range(370_000, 380_000), (15,)),
    (range(352_800, 359_000), (16,)),  # JCB
    (range(300_000, 306_000), (14,)),  # Diners Club
    (range(360_000, 370_000), (14,)),
    (range(380_000, 390_000), (14,)),
    (range(400_000, 500_000), (13, 16, 19)),  # Visa
    (range(510_000, 560_000), (16,)),  # Mastercard
    (range(222_100, 272_100), (16,)),
    (range(601_100, 601_200), (16,)),  # Discover
    (range(644_000, 660_000), (16,)),
    (range(620_000, 630_000), (16, 17, 18, 19)),  # UnionPay
)


def luhn(digits: str) -> bool:
    """Payment cards. Source: ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def payment_card(digits: str) -> bool:
    """A card of a known network with the length that it gives out. Source: the networks' published ranges."""
    return any(int(digits[:6]) in area and len(digits) in sizes for area, sizes in _CARD_LENGTHS) and luhn(digits)


def taiwan_id(text: str) -> bool:
    """身分證 and 新式居留證. Source: 內政部 (Ministry of the Interior), rules for numbers of household registration."""
    return _taiwan(text[0], [int(digit) for digit in text[1:]])


def taiwan_old_permit(text: str) -> bool:
    """舊式居留證, whose second place is a letter too. Source: 內政部移民署 (National Immigration Agency)."""
    second = _letter(text[1]) % 10
    return _taiwan(text[0], [second, *(int(digit) for digit in text[2:])])


def taiwan_company(digits: str) -> bool:
    """統一編號. Source: 財政部 (Ministry of Finance), check rule of 2023-04-01: divisible by 5 instead of 10."""
    total = sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, _COMPANY_WEIGHTS, strict=True))
    return total % 5 == 0 or (digits[6] == "7" and (total + 1) % 5 == 0)


def china_id(text: str) -> bool:
    """公民身份号码: area, date of birth and check character. Source: GB 11643-1999, ISO 7064 mod 11-2."""
    if int(text[:2]) not in _CHINA_AREAS | _CHINA_AREAS_OVERSEAS or not _is_birthday(text[6:14]):
        return False
    total = _weighted(map(int, text[:17]), _CHINA_WEIGHTS)
    return _CHINA_CHECK[total % 11] == text[17].upper()


def hong_kong_id(text: str) -> bool:
    """HKID without its brackets. Source: the check digit rule in use since 1983 (weights 9 to 1, mod 11)."""
    letters, digits, check = text[:-7], text[-7:-1], text[-1]
    head = [*([36] if len(letters) == 1 else []), *(int(letter, 36) for letter in letters)]
    return _weighted([*head, *map(int, digits), int(check, 36)], range(9, 0, -1)) % 11 == 0


def iban(text: str) -> bool:
    """International bank account numbers. Source: ISO 13616, check by ISO 7064 mod 97-10."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def us_social_security(digits: str) -> bool:
    """Numbers that were ever given out. Source: Social Security Administration, randomization of 2011."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _taiwan(letter: str, digits: Sequence[int]) -> bool:
    tens, ones = divmod(_letter(letter), 10)
    return _weighted([tens, ones, *digits], (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def _letter(letter: str) -> int:
    return _TAIWAN_LETTERS.index(letter) + 10


def _is_birthday(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2099


def _weighted(values: Iterable[int], weights: Iterable[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=True))

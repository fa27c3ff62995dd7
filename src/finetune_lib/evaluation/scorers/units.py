"""Units of measure behind and before numbers, and what they are in each other; pure."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import product

from finetune_lib.files import packaged_text

# Said before the number, they make another unit of the one behind it: 時速 100 公里.
SPEED = re.compile(r"(?:時速|时速|每小時|每小时)\D{0,4}$")
DEGREES = {"攝": "°C", "摄": "°C", "華": "°F", "华": "°F"}
SCALE_BEFORE = re.compile(r"([攝摄華华])氏\D{0,4}$")
ENGLISH = re.compile(r"[A-Za-z]{3,}(?:_[A-Za-z]+)?")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Attributes:
        name: As the table has it.
        kind: What it measures; `money.USD` is a narrower kind of `money`.
        factors: What one of it is in the first unit of its kind; two where people mean two things by it.
    """

    name: str
    kind: str
    factors: tuple[Decimal, ...]

    @property
    def fahrenheit(self) -> bool:
        """Whether its zero lies elsewhere than that of the other unit of its kind."""
        return self.kind == "temperature.F"


def unit_behind(text: str, place: int) -> tuple[Unit, int] | None:
    """The unit that begins at a place, after at most a space and 個, and its end."""
    units, behind, _ = _table()
    found = behind.match(text, place)
    return (units[_key(found["unit"])], found.end()) if found else None


def unit_before(text: str, place: int) -> Unit | None:
    """The currency that stands right before a place."""
    units, _, before = _table()
    found = before.search(text, max(0, place - 12), place)
    return units[_key(found["unit"])] if found else None


def named_before(text: str, place: int, unit: Unit | None) -> Unit | None:
    """The unit, as words before the number make another one of it: of 公里 a speed, of 度 those of Fahrenheit."""
    units, before = _table()[0], text[max(0, place - 12) : place]
    if unit and unit.kind == "length" and SPEED.search(before):
        return units.get(f"{unit.name}/小時", units["km/h"] if unit.factors == (1000,) else unit)
    if unit and unit.kind == "temperature" and (scale := SCALE_BEFORE.search(before)):
        return units[DEGREES[scale[1]]]
    return unit


def comparable(one: Unit | None, other: Unit | None) -> bool:
    """Whether both may measure the same; what has no unit may have any."""
    if one is None or other is None or one.kind == other.kind:
        return True
    kinds = sorted((one.kind, other.kind), key=len)
    return kinds[1].startswith(f"{kinds[0]}.") or {one.kind, other.kind} == {"temperature.C", "temperature.F"}


def converted(value: Decimal, unit: Unit | None, to: Unit | None) -> list[Decimal]:
    """What a value in one comparable unit may be in another one."""
    if unit is None or to is None or unit == to:
        return [value]
    if unit.fahrenheit and to.kind == "temperature.C":
        return [(value - 32) * 5 / 9]
    if to.fahrenheit and unit.kind == "temperature.C":
        return [value * 9 / 5 + 32]
    return [value * one / other for one, other in product(unit.factors, to.factors)]


@cache
def _table() -> tuple[dict[str, Unit], re.Pattern[str], re.Pattern[str]]:
    """All units by their names, and the patterns that find them behind a number, and those of money before one."""
    table = tomllib.loads(packaged_text(__package__ or "", "units.toml"))
    units: dict[str, Unit] = {}
    for kind, rows in table.items():
        for factors, names in rows.items():
            for name in names.split():
                units[_key(name)] = Unit(name.replace("_", " "), kind, tuple(map(Decimal, factors.split())))
    longest = sorted(units, key=len, reverse=True)
    money = [name for name in longest if units[name].kind.startswith("money") and name not in {"元", "塊", "块", "圓"}]
    behind = re.compile(rf"\s?(?:[個个](?=小|鐘|钟|星|禮|礼))?(?P<unit>{'|'.join(map(_pattern, longest))})")
    before = re.compile(rf"(?P<unit>{'|'.join(map(_pattern, money))})\s*$")
    return units, behind, before


def _key(name: str) -> str:
    """Words in full letters are found whatever their case, spaces and plural; m and M are not the same."""
    word = re.sub(r"\s+", "_", name)
    if not ENGLISH.fullmatch(word):
        return word
    word = word.lower().replace("degree_", "degrees_")
    return word if word.endswith(("celsius", "inches")) else word.removesuffix("s")


def _pattern(name: str) -> str:
    if ENGLISH.fullmatch(name):
        return rf"(?i:{name.replace('_', ' +').replace('degrees', 'degrees?')}s?)(?![A-Za-z])"
    ends_in_letter = name[-1].isascii() and name[-1].isalnum()
    return re.escape(name) + (r"(?![A-Za-z0-9^/])" if ends_in_letter else r"(?!\d)" if name in "日年" else "")

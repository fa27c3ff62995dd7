"""How a value shows itself: short in the shell, whole in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from html import escape
from importlib.resources import files
from itertools import islice
from typing import Any, ClassVar, cast

LONGEST = 500  # characters of a value; three bytes each in Chinese, it stays under two kilobytes
FIELD = 160
TEXT = 60
FIRST = 3
CELL = 600
ROWS, DEEP = 8, 4  # that are shown in a notebook of what holds much, and how deep
BRACKETS = {dict: "{}", list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


class Shown:
    """A value that shows itself: its fields, shortened, in the shell; its words, or a table of them, in a notebook.

    Fields that have their default are left out.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        setattr(cls, "__repr__", cls.__repr__)  # noqa: B010 - what stands in the class itself, a dataclass leaves alone

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={cut(brief(value), FIELD)}" for name, value in _told(self))
        return f"{type(self).__name__}({cut(told, LONGEST)})"

    def _repr_html_(self) -> str:
        if type(self).__repr__ is not Shown.__repr__:  # it has its own words, or something to hide
            body = f"<pre>{escape(repr(self))}</pre>"
        elif _speaks(type(self)):
            body = f"<pre>{escape(str(self))}</pre>"
        else:
            body = _table(_told(self))
        return f'<div class="ftl list"><style>{_sheet()}</style><p><b>{escape(type(self).__name__)}</b></p>{body}</div>'


def brief(value: object, *, deep: int = 4) -> str:
    """A value in few words: the beginning of a text, the first of many, the name of what is large."""
    if isinstance(value, str):
        return repr(cut(value, TEXT))
    if type(value) in BRACKETS:
        return _several(cast("dict[Any, Any] | list[Any]", value), deep)
    if is_dataclass(value) and not isinstance(value, Shown | type):
        return f"{type(value).__name__}(…)"
    return cut(repr(value), FIELD)


def cut(text: str, room: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= room else f"{text[:room]}…"


def _several(values: dict[Any, Any] | list[Any], deep: int) -> str:
    first = list(islice(values, FIRST)) if deep else []
    if isinstance(values, dict):
        told = [f"{brief(key, deep=0)}: {brief(values[key], deep=deep - 1)}" for key in first]
    else:
        told = [brief(value, deep=deep - 1) for value in first]
    if more := len(values) - len(first):
        told.append(f"… {more:,} more" if first else f"… {more:,}")
    opened, closed = BRACKETS[type(values)]
    return f"{opened}{', '.join(told)}{',' * (opened == '(' and len(values) == 1)}{closed}"


def _told(value: object) -> Iterator[tuple[str, Any]]:
    """The fields that are shown, of a dataclass or a model of pydantic, without those that have their default."""
    if is_dataclass(value):
        for field in fields(value):
            held = getattr(value, field.name, None)
            has_default = field.default is not MISSING or field.default_factory is not MISSING
            if field.repr and field.name[0] != "_" and not (has_default and _is_default(held, field.default)):
                yield field.name, held
        return
    model, kind = cast("Any", value), cast("Any", type(value))
    known: dict[str, Any] = {name: field.default for name, field in kind.model_fields.items()}
    for name in (*known, *(model.model_extra or ())):
        if not _is_default(held := getattr(model, name), known.get(name)):
            yield name, held


def _is_default(held: object, default: object) -> bool:
    if type(held) in BRACKETS:
        return not held
    return held is None or held is default or (isinstance(held, str | int | float) and held == default)


def _table(rows: Iterable[tuple[Any, Any]], deep: int = DEEP) -> str:
    told = (f"<tr><th>{escape(str(name))}</th><td>{_cell(value, deep)}</td></tr>" for name, value in rows)
    return f"<table><tbody>{''.join(told)}</tbody></table>"


def _cell(value: object, deep: int) -> str:
    """A value inside a table: texts as they are, what has fields as a table of its own, of many the first ones."""
    if isinstance(value, str):
        return escape(cut(value, CELL))
    if not deep or not value:
        return escape(brief(value))
    if isinstance(value, dict):
        return _table(islice(cast("dict[Any, Any]", value).items(), ROWS), deep - 1)
    if isinstance(value, list | tuple):
        many = cast("list[Any]", value)
        more = [f"… {len(many) - ROWS:,}"] if len(many) > ROWS else []
        return "".join(f"<div>{one}</div>" for one in [*(_cell(one, deep - 1) for one in many[:ROWS]), *more])
    if isinstance(value, Shown) and type(value).__repr__ is Shown.__repr__ and not _speaks(type(value)):
        return _table(told, deep - 1) if (told := list(_told(value))) else escape(brief(value))
    return escape(brief(value))


def _speaks(kind: type) -> bool:
    """Whether values of the class say in words of ours what they are."""
    teller = next(one for one in kind.__mro__ if "__str__" in vars(one))
    return teller.__module__.partition(".")[0] == __name__.partition(".")[0]


@cache
def _sheet() -> str:
    return files("finetune_lib.pages").joinpath("style.css").read_text(encoding="utf-8")

"""What a function is, told by its content: the same code over the same values is the same function."""

from __future__ import annotations

import hashlib
import re
import sys
import sysconfig
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, cached_property, partial
from itertools import count
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from finetune_lib.files import packaged_text
from finetune_lib.platforms import Platform

NUMBERS = (int, float, complex, Decimal, Fraction)
TIMES = (date, datetime, time, timedelta)
PLAIN = (str, bytes, bytearray, bool, type(None), type(...), range, count, PurePath, UUID, *TIMES, *NUMBERS)
SEQUENCES = (list, tuple, deque)
# What every class has, and what tells where its text stands and not what it does.
INCIDENTAL = frozenset(
    {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__slots__", "__annotations__"}
    | {"__firstlineno__", "__static_attributes__", "__dataclass_params__", "__dataclass_fields__", "__match_args__"}
    | {"__parameters__", "__orig_bases__", "__abstractmethods__", "_abc_impl", "__protocol_attrs__", "_is_protocol"}
)
# What connects and orders but holds no content of its own.
PLUMBING = frozenset({"_thread", "threading", "ssl", "_ssl", "socket", "_socket", "weakref", "logging", "typing"})
STANDARD = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")})
INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]|^<frozen")
OWN = __name__.partition(".")[0]
# Objects that are looked at; and the flag of a class that is written in Python, though some of C have it, too.
MOST, HEAP = 100_000, 1 << 9


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A function told by its content.

    Attributes:
        digest: The same for the same code over the same values.
        whole: Whether that is all: False where it touches an object whose content cannot be told, as an open file.
    """

    digest: str
    whole: bool


def fingerprint(function: object, *, keys: bool = True) -> Fingerprint:
    """What a function is made of: its code, defaults, closure, and the globals that it names.

    What the user has written is read to the bottom; code that is installed counts by its name and version.

    Args:
        function: The function, or any value.
        keys: Whether another key to the same platform makes it another one.
    """
    reader = _Reader(keys=keys)
    try:
        content = repr(reader.content(function))
    except Exception:  # too deep, or an object that lets nobody look at it
        content, reader.whole = repr(type(function)), False
    return Fingerprint(hashlib.sha256(content.encode("utf-8", "replace")).hexdigest(), reader.whole)


@dataclass(slots=True)
class _Reader:
    """Reads values, each one once."""

    keys: bool = True
    whole: bool = True
    seen: dict[int, tuple[int, Any]] = field(default_factory=dict[int, tuple[int, Any]])

    def content(self, value: Any) -> Any:
        if isinstance(value, PLAIN):
            return type(cast("object", value)).__name__, repr(cast("object", value))
        if id(value) in self.seen:
            return "again", self.seen[id(value)][0]
        self.seen[id(value)] = len(self.seen), value  # held, so that no other value takes its id
        match value:
            case FunctionType():
                return self._function(value)
            case type():
                return "class", _name(value), *(self._class(value) if _written(value) else [_version(value)])
            case ModuleType():
                return "module", _module(value.__name__), str(getattr(value, "__version__", ""))
            case MethodType() | BuiltinFunctionType():
                return _name(value), self.content(getattr(value, "__func__", None)), self.content(value.__self__)
            case partial():
                return self.all(cast("list[Any]", [value.func, value.args, value.keywords]))
            case _:
                return self._data(value)

    def all(self, values: Iterable[Any]) -> list[Any]:
        return [self.content(value) for value in values]

    def _data(self, value: Any) -> Any:
        if isinstance(value, SEQUENCES):
            return type(cast("object", value)).__name__, self.all(cast("list[Any]", value))
        if isinstance(value, (set, frozenset)):
            return "set", sorted(map(repr, self.all(cast("set[Any]", value))))
        if isinstance(value, Mapping):
            pairs = cast("Mapping[Any, Any]", value).items()
            return "mapping", sorted(repr([self.content(name), self.content(item)]) for name, item in pairs)
        if isinstance(value, re.Pattern):
            pattern = cast("re.Pattern[str]", value)
            return "pattern", pattern.pattern, pattern.flags
        if isinstance(value, BaseModel):
            return _name(type(value)), value.model_dump_json()
        if isinstance(value, Enum) or type(value).__module__ in PLUMBING:
            return _name(type(value)), str(getattr(value, "name", ""))
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if wrapped := getattr(value, "__wrapped__", None):  # as `functools.cache` leaves it
            return "wrapped", self.content(wrapped)
        held = _attributes(value)
        if isinstance(value, Platform):  # what else it holds follows from these
            names = ("api_key", "base_url", "name") if self.keys else ("base_url", "name")
            held = [(name, getattr(value, name)) for name in names]
        if held is None or len(self.seen) > MOST:
            self.whole = False
            return "untold", _name(type(value))
        return self.content(type(value)), [(name, self.content(item)) for name, item in held]

    def _function(self, function: FunctionType) -> Any:
        if not _written(function):
            return "function", _name(function), _version(function)
        cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
        own = self.all([function.__defaults__, function.__kwdefaults__, cells])
        return _code(function.__code__), own, self.all(_named(function))

    def _class(self, kind: type) -> Iterator[Any]:
        """Its constants and methods, and what it has from its bases."""
        yield self.all(kind.__bases__)
        for name, item in sorted(vars(kind).items()):
            if name not in INCIDENTAL:
                yield name, self._member(item)

    def _member(self, item: Any) -> Any:
        if isinstance(item, property):
            return self.all([item.fget, item.fset])
        if isinstance(item, cached_property):
            return self.content(cast("Any", item).func)
        if wrapped := getattr(item, "__wrapped__", None):  # of a static or class method, too
            return self.content(wrapped)
        descriptor = hasattr(cast("object", type(item)), "__get__") and not isinstance(item, FunctionType)
        return _name(type(item)) if descriptor else self.content(item)


def _written(thing: Any) -> bool:
    """Whether the user has written a function or class: it is neither installed nor of this package."""
    module = str(thing.__module__)
    code = getattr(thing, "__code__", None)
    elsewhere = "" if module == "__main__" else None
    file = code.co_filename if code else getattr(sys.modules.get(module), "__file__", elsewhere)
    return not _own(module) and not _installed(file)


def _installed(file: str | None) -> bool:
    return file is None or file.startswith(STANDARD) or INSTALLED.search(file) is not None


def _version(thing: Any) -> str:
    return str(getattr(sys.modules.get(str(thing.__module__).partition(".")[0]), "__version__", ""))


def _attributes(value: Any) -> list[tuple[str, Any]] | None:
    """What an object holds in its dictionary and its slots; None where it holds something elsewhere."""
    kinds = type(value).__mro__[:-1]
    if not hasattr(value, "__dict__") and not any("__slots__" in vars(kind) for kind in kinds):
        return None
    if any(not kind.__flags__ & HEAP for kind in kinds):
        return None
    slots = [name for kind in kinds for name in _slots(kind)]
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return sorted({**held, **getattr(value, "__dict__", {})}.items())


def _slots(kind: type) -> Iterable[str]:
    told = vars(kind).get("__slots__", ())
    return (told,) if isinstance(told, str) else told


def _named(function: FunctionType) -> list[Any]:
    """The globals that the code may read; of a module that the user has written, what is named of it."""
    known, names = function.__globals__, sorted(_names(function.__code__))
    found = [known[name] for name in names if name in known]
    modules = [value for value in found if isinstance(value, ModuleType) and _own_module(value)]
    return [*found, *(vars(module)[name] for module in modules for name in names if name in vars(module))]


def _own_module(module: ModuleType) -> bool:
    return not _own(module.__name__) and not _installed(getattr(module, "__file__", None))


def _filled(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _code(code: CodeType) -> Any:
    return code.co_code.hex(), list(map(_constant, code.co_consts)), code.co_names


def _constant(value: Any) -> Any:
    """Sets have no order of their own."""
    if isinstance(value, CodeType):
        return _code(value)
    return sorted(map(repr, cast("frozenset[Any]", value))) if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> set[str]:
    """The globals that the code may read, inner functions included."""
    inner = (item for item in code.co_consts if isinstance(item, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _name(value: Any) -> str:
    """Of this package, where the name stood at first: a key does not depend on where it stands now."""
    module, name = str(getattr(value, "__module__", "")), str(getattr(value, "__qualname__", value))
    return f"{_addresses().get(name.partition('.')[0], OWN) if _own(module) else module}.{name}"


def _module(name: str) -> str:
    """A public module of this package goes by the name under which users know it."""
    return f"{OWN}.{name.rpartition('.')[2]}" if _own(name) and name != OWN else name


def _own(module: str) -> bool:
    return module.partition(".")[0] == OWN


@cache
def _addresses() -> dict[str, str]:
    told = tomllib.loads(packaged_text("finetune_lib.evaluation.running", "addresses.toml"))
    return {name: f"{OWN}.{module}" for module, names in told.items() for name in names}

"""The public API, as public_api.txt lists it: names, signatures, members. A change of it shows there, line by line.

`python -m tests.architecture.test_public_api` accepts what the code says now.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import finetune_lib

LISTED = Path(__file__).with_name("public_api.txt")
ACCEPT = "python -m tests.architecture.test_public_api"


class Written:
    """An annotation shown as it stands in the code."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def test_the_public_api_is_the_one_that_is_listed():
    listed = LISTED.read_text(encoding="utf-8").splitlines()
    diff = "\n".join(difflib.unified_diff(listed, list(api()), LISTED.name, "the code", lineterm="", n=1))
    if diff:
        pytest.fail(f"the public API has changed:\n{diff}\n\nIf that is meant, accept it: {ACCEPT}", pytrace=False)


def api() -> Iterator[str]:
    """The names of the package, then what its public modules hold beside them."""
    for name in dir(finetune_lib):
        if not isinstance(thing := getattr(finetune_lib, name), ModuleType):
            yield from told(name, thing)
    for module in dir(finetune_lib):
        if isinstance(held := getattr(finetune_lib, module), ModuleType):
            yield from ("", f"module {module}")
            for name in sorted(held.__all__):
                same = getattr(held, name) is vars(finetune_lib).get(name)
                yield from [f"{module}.{name}"] if same else told(f"{module}.{name}", getattr(held, name))


def told(name: str, thing: Any) -> Iterator[str]:
    if inspect.isfunction(thing):
        yield f"{waits(thing)}{name}{signature(thing)}"
    elif not isinstance(thing, type):
        yield f"{name}: a value"
    else:
        bases = [base.__name__ for base in thing.__bases__ if base.__name__ not in ("object", "Generic", "Shown")]
        yield f"class {name}" + (f"({', '.join(bases)})" if bases else "")
        yield from (f"    {line}" for line in members(thing))


def members(kind: type) -> Iterator[str]:
    """How it is made, and what it has of its own or from a class of the package."""
    made = not (issubclass(kind, Exception | dict) or getattr(kind, "_is_protocol", False))
    if made:
        yield f"__init__{signature(kind)}"
    given = inspect.signature(kind).parameters if made else {}
    found: dict[str, str] = {}
    for one in reversed([base for base in kind.__mro__ if base.__module__.partition(".")[0] == finetune_lib.__name__]):
        fields = {name: f"{name}: {written(what)}" for name, what in inspect.get_annotations(one).items()}
        found |= {name: line for name, line in fields.items() if name not in given}
        found |= {name: line for name, value in vars(one).items() if public(name) and (line := member(name, value))}
    yield from (found[name] for name in sorted(found) if public(name))


def public(name: str) -> bool:
    return name == "__call__" or not name.startswith("_")


def member(name: str, value: Any) -> str | None:
    """A method or a property; what a dataclass or a model keeps of a field is none."""
    if getter := getattr(value, "fget", None) or getattr(value, "func", None):
        return f"{name} -> {written(inspect.signature(getter).return_annotation)}"
    if not inspect.isroutine(value):
        return None
    kind = f"@{type(value).__name__} " if isinstance(value, staticmethod | classmethod) else ""
    function = getattr(value, "__func__", value)
    return f"{kind}{waits(function)}{name}{signature(function)}"


def waits(function: Any) -> str:
    return "async " if inspect.iscoroutinefunction(function) else ""


def signature(function: Any) -> str:
    found = inspect.signature(function)
    parameters = [p.replace(annotation=written(p.annotation)) for p in found.parameters.values()]
    shown = [p for p in parameters if p.name not in ("self", "cls")]
    end = "" if isinstance(function, type) else f" -> {written(found.return_annotation)}"
    return f"{inspect.Signature(shown)}{end}"


def written(annotation: Any) -> Any:
    text = getattr(annotation, "__forward_arg__", annotation)
    return Written(text) if isinstance(text, str) else annotation


if __name__ == "__main__":
    LISTED.write_text("".join(f"{line}\n" for line in api()), encoding="utf-8")

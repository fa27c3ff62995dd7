"""The tools that a row declares: their definitions, and the JSON Schemas that arguments must match.

Rows of one data set mostly declare the same tools, so each distinct declaration is read once and kept.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, cast

from finetune_lib.rows.messages import fields_of

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KEPT_DECLARATIONS = 512
SHOWN_RULES = 3
SHOWN = 60
NOT_A_LIST = "tools must be a list of objects"
NO_FUNCTION = "a tool needs a function with a name"
NO_TYPE = 'a tool needs "type": "function"'
NO_SCHEMA = "parameters must be a JSON Schema object"
NO_OBJECT = 'parameters must have "type": "object"'
BAD_SCHEMA = "parameters are not valid JSON Schema"
TWICE = "two tools have the same name"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a declaration, or with arguments.

    Attributes:
        code: The diagnostic's code.
        path: The place below what was looked at.
        args: What fills its texts.
    """

    code: str
    path: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of a row.

    Attributes:
        flaws: What is wrong with their declarations.
        validators: From a tool's name to the validator of its arguments; None where it has no usable schema.
    """

    flaws: tuple[Flaw, ...] = ()
    validators: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def complete(self) -> bool:
        """Whether the names of all its tools are known."""
        return not any(flaw.args.get("what") in (NOT_A_LIST, NO_FUNCTION) for flaw in self.flaws)


def toolbox(tools: object, *, legacy: bool = False) -> Toolbox:
    """The tools of a declaration: a list of `{"type": "function", "function": …}`, or of functions alone."""
    try:
        text = json.dumps(tools)
    except (TypeError, ValueError, RecursionError):  # values from memory that JSON has no form for
        return Toolbox((_invalid("", NOT_A_LIST),))
    return _toolbox(text, legacy)


@lru_cache(maxsize=KEPT_DECLARATIONS)
def _toolbox(text: str, legacy: bool) -> Toolbox:
    tools = json.loads(text)
    if not isinstance(tools, list):
        return Toolbox((_invalid("", NOT_A_LIST),))
    flaws, validators = list[Flaw](), dict[str, Any]()
    for place, tool in enumerate(cast("list[Any]", tools)):
        flaws.extend(_tool(tool, f"/{place}", validators, legacy=legacy))
    return Toolbox(tuple(flaws), validators)


def _tool(tool: Any, path: str, validators: dict[str, Any], *, legacy: bool) -> Iterator[Flaw]:
    """What is wrong with one declared tool; a sound one is put among `validators`."""
    fields = fields_of(tool)
    if fields.get("type") == "custom" and not legacy:  # free text goes in: there is no schema
        validators[str(fields_of(fields.get("custom")).get("name"))] = None
        return
    function, place = (fields, path) if legacy else (fields_of(fields.get("function")), f"{path}/function")
    name = function.get("name")
    if not isinstance(name, str):
        yield _invalid(path, NO_FUNCTION)
        return
    if not legacy and fields.get("type") != "function":
        yield _invalid(path, NO_TYPE)
    if not NAME.fullmatch(name):
        yield Flaw("F509", f"{place}/name", {"name": name})
    if name in validators:
        yield _invalid(f"{place}/name", TWICE)
    validators[name] = None
    yield from _parameters(function, place, validators)


def _parameters(function: Mapping[str, Any], path: str, validators: dict[str, Any]) -> Iterator[Flaw]:
    schema, place = function.get("parameters"), f"{path}/parameters"
    if schema is None or schema == {}:
        return
    if not isinstance(schema, dict):
        yield _invalid(place, NO_SCHEMA)
        return
    found = _validator(cast("dict[str, Any]", schema))
    if isinstance(found, str):
        yield _invalid(f"{place}{found}", BAD_SCHEMA)
        return
    validators[function["name"]] = found
    if "type" in schema and schema["type"] != "object":
        yield _invalid(f"{place}/type", NO_OBJECT)


def _validator(schema: Mapping[str, Any]) -> Any:
    """A validator of the newest draft that the schema is valid in; else where it is not, as a pointer."""
    engine: Any = importlib.import_module("jsonschema")
    nothing: Any = importlib.import_module("referencing").Registry()  # so that nothing is fetched from the network
    wrong = ""
    for draft in (engine.Draft202012Validator, engine.Draft7Validator, engine.Draft4Validator):
        with suppress(Exception):  # a schema of unknown making may break its engine in any way
            meta = draft(draft.META_SCHEMA, format_checker=draft.FORMAT_CHECKER)
            paths = [error.absolute_path for error in meta.iter_errors(schema)]  # in an order that no one promises
            if not paths:
                return draft(schema, registry=nothing)
            first = min(paths, key=lambda path: _place(path, schema))
            wrong = wrong or "".join(f"/{step}" for step in first)
    return wrong


def _place(path: Iterable[str | int], value: Any) -> list[int]:
    """Where a path stands in a document as it is written, step by step."""
    places: list[int] = []
    for step in path:
        places.append(step if isinstance(step, int) else list(value).index(step))
        value = value[step]
    return places


def merged(boxes: Sequence[Toolbox]) -> Toolbox:
    """The tools of several declarations as one."""
    flaws = tuple(flaw for box in boxes for flaw in box.flaws)
    return Toolbox(flaws, {name: validator for box in boxes for name, validator in box.validators.items()})


def broken_rules(validator: Any, arguments: object) -> Iterator[Mapping[str, Any]]:
    """The first rules of a tool's schema that arguments break: `where` in them, `rule` and what was `got`."""
    try:
        for error in islice(validator.iter_errors(arguments), SHOWN_RULES):
            where = "".join(f"/{step}" for step in error.absolute_path) or "/"
            rule = f"{error.validator}: {_short(error.validator_value)}"
            yield {"where": where, "rule": rule, "got": _short(error.instance)}
    except Exception:  # a reference to nowhere, a pattern that is none: the schema tells nothing
        return


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _invalid(path: str, what: str) -> Flaw:
    return Flaw("F510", path, {"what": what})

"""Scorers for answers that are JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from typing import Any, cast

from finetune_lib.evaluation.scorers.json_text import MISSING, Field, Rules, fields
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.json_values import json_in

SHOWN = 3
LONG = 200


@dataclass(frozen=True, slots=True)
class JsonMatch(Shown, Instant):
    """1 where the answer is JSON of the same value as the expected text, else 0; the reason has the fields that differ.

    White space, the order of keys, a code fence, words around the one value, and how a number is written count for
    nothing.

    Attributes:
        fields: Compare only these fields of the expected object, as `total` or `customer.name`; None compares all.
        tolerance: How far numbers may be apart.
        ordered: Whether the order of lists counts.
        name: What reports call it.

    Raises:
        ValueError: When called: the expected text is no JSON, or lacks one of the fields.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import JsonMatch
        >>> score = JsonMatch()('{"城市": "台北", "人數": 3}', Case("1", (), expected='{"人數": 2, "城市": "台北"}'))
        >>> score.value, score.reason
        (0.0, '1 of 2 fields equal; $.人數: 3 instead of 2')
    """

    _: KW_ONLY
    fields: Sequence[str] | None = None
    tolerance: float = 0.0
    ordered: bool = True
    name: str = "json_match"

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ValueError("tolerance is at least 0")
        if self.fields is not None:
            object.__setattr__(self, "fields", (self.fields,) if isinstance(self.fields, str) else tuple(self.fields))

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        expected = self._expected(case)
        try:
            compared = self._compared(expected, json_in(answer))
        except RecursionError:
            return Score(0.0, reason="the answer is nested too deeply")
        except ValueError as error:
            return Score(0.0, reason=f"the answer is no JSON: {error}")
        return _score(compared)

    def _expected(self, case: Case) -> Any:
        try:
            value = json_in(case.expected)
        except ValueError as error:
            raise ValueError(f"the expected text of case {case.id} is no JSON: {error}") from error
        if missing := [name for name in self.fields or () if _at(value, name) is MISSING]:
            raise ValueError(f"the expected JSON of case {case.id} has no field {', '.join(missing)}")
        return value

    def _compared(self, expected: Any, given: Any) -> list[Field]:
        rules = Rules(self.tolerance, self.ordered)
        if self.fields is None:
            return list(fields(expected, given, rules))
        each = (fields(_at(expected, name), _at(given, name), rules, f"$.{name}") for name in self.fields)
        return [field for found in each for field in found]


@dataclass(frozen=True, slots=True)
class JsonSchemaMatch(Shown, Instant):
    """1 where the answer is JSON that fits a schema, else 0; the reason has the first errors with their places.

    Attributes:
        schema: A JSON schema, by default of draft 2020-12; None takes each case's own, `metadata["schema"]`. Nothing
            is fetched: references lead to places within the schema.
        name: What reports call it.

    Raises:
        ValueError: The schema is none; when called: the case has none.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import JsonSchemaMatch
        >>> valid = JsonSchemaMatch({"type": "object", "required": ["答案"]})
        >>> valid('{"答覆": 1}', Case("1", ())).reason
        "$: '答案' is a required property"
    """

    schema: Mapping[str, Any] | None = None
    _: KW_ONLY
    name: str = "json_schema"

    def __post_init__(self) -> None:
        if self.schema is not None:
            _validator(self.schema, "the schema")

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        schema = case.metadata.get("schema") if self.schema is None else self.schema
        if schema is None:
            raise ValueError(f'case {case.id} has no schema: give it metadata["schema"], or the scorer a schema')
        validator = _validator(schema, f"the schema of case {case.id}")
        try:
            errors: list[Any] = list(islice(validator.iter_errors(json_in(answer)), SHOWN))
        except RecursionError:
            return Score(0.0, reason="the answer is nested too deeply")
        except ValueError as error:
            return Score(0.0, reason=f"the answer is no JSON: {error}")
        return Score(float(not errors), reason="; ".join(f"{e.json_path}: {e.message[:LONG]}" for e in errors))


def _validator(schema: object, what: str) -> Any:
    """An empty registry keeps references from being fetched."""
    if not isinstance(schema, Mapping):
        raise ValueError(f"{what} is no JSON schema: an object is one, not {type(schema).__name__}")
    import jsonschema
    from jsonschema.validators import validator_for
    from referencing import Registry

    kind = cast("Any", validator_for)(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(f"{what} is no JSON schema: {error.json_path}: {error.message[:LONG]}") from error
    return kind(schema, registry=cast("Any", Registry)())


def _score(compared: Sequence[Field]) -> Score:
    wrong = [field for field in compared if field.difference]
    if not wrong:
        return Score(1.0, reason=f"all {len(compared)} fields equal")
    told = [f"{field.path}: {field.difference}" for field in wrong[:SHOWN]]
    more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return Score(0.0, reason="; ".join([f"{len(compared) - len(wrong)} of {len(compared)} fields equal", *told, *more]))


def _at(value: Any, name: str) -> Any:
    """The value of a field; a key that has a point in it is found as well."""
    if not isinstance(value, Mapping):
        return MISSING
    known = cast("Mapping[str, Any]", value)
    first, _, rest = name.partition(".")
    if name in known or not rest:
        return known.get(name, MISSING)
    return _at(known.get(first), rest)

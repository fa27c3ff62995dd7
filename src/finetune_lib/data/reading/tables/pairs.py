"""A row of a table as one example: a question and its answer, a preference, messages as JSON, a grader's fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.reading.json.strict import parse
from finetune_lib.data.reading.tables.body import Making, at_cell
from finetune_lib.data.reading.tables.cells import LOST, Row, is_blank, letters, text_of
from finetune_lib.data.reading.tables.headers import JSON_FIELDS
from finetune_lib.records import Example, Origin

TEXTS = ("prompt", "context", "completion", "chosen", "rejected", "system")


@dataclass(slots=True)
class Pairs(Making):
    """Each row gives an example by the fields that its columns hold.

    Attributes:
        places: From a field to its column.
        beside: Columns that go along under their own names, for the grader of a reinforcement job.
    """

    places: Mapping[str, int]
    beside: Mapping[str, int] = field(default_factory=dict[str, int])
    texts: Sequence[int] = field(init=False)
    paths: Mapping[str, str] = field(init=False)
    _told: bool = False

    def __post_init__(self) -> None:
        """Work out once what every row needs."""
        self.texts = [place for name, place in self.places.items() if name in TEXTS]
        columns = {name: letters(place) for name, place in self.places.items()}
        beside = {f"/{name}": letters(place) for name, place in self.beside.items()}
        self.paths = {**_paths(columns, graded=bool(self.beside)), **beside}

    def of_row(self, row: Row, origin: Origin) -> Iterator[Example | Diagnostic]:
        """The example, and what is to be said of cells that hold JSON."""
        fields: dict[str, Any] = {}
        for name, place in self.places.items():
            cell = row.cells[place] if place < len(row.cells) else ""
            if row.marks.get(place) in LOST:
                continue
            if name in JSON_FIELDS:
                cell, problems = self._json(cell, at_cell(origin, row, place))
                yield from problems
                if any(map(is_error, problems)):
                    return
            fields[name] = cell
        cells = {name: row.cells[place] for name, place in self.beside.items() if place < len(row.cells)}
        beside = {name: cell for name, cell in cells.items() if not is_blank(cell)}
        yield example_of(fields, beside if self.beside else None, origin)

    def _json(self, cell: Any, origin: Origin) -> tuple[Any, Sequence[Diagnostic]]:
        """The value of a cell that holds JSON, or Python's form of the same, as pandas writes it."""
        if not isinstance(cell, str) or is_blank(cell):
            return (None if isinstance(cell, str) else cell), ()
        value, problem = parse(cell, origin)
        if problem is None or problem.code != "J203":
            return value, (problem,) if problem else ()
        try:
            value = ast.literal_eval(cell.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None, (problem,)
        first, self._told = not self._told, True
        return value, (diagnose("T273", origin),) if first else ()


def _paths(columns: Mapping[str, str], *, graded: bool) -> dict[str, str]:
    """The JSON paths of an example's fields, with the columns that they come from."""
    places: dict[str, str] = {}
    asked = f"messages/{1 if 'system' in columns else 0}/content"
    if "chosen" in columns:
        places = {"chosen": "/preferred_output/0/content", "rejected": "/non_preferred_output/0/content"}
        places["prompt"] = f"/input/{asked}"
    elif graded:
        places["prompt"] = f"/{asked}"
    return {places.get(name, f"/{name}"): column for name, column in columns.items()}


def example_of(fields: dict[str, Any], beside: Mapping[str, Any] | None, origin: Origin) -> Example:
    """The example that the fields of a row make; without an answer where a grader reads what stands beside it."""
    category = fields.pop("category", None)
    label = None if is_blank(category) else text_of(category).strip()
    if "messages" in fields or "conversations" in fields:
        data = {name: value for name, value in fields.items() if not is_blank(value)}
        return Example({**data, **(beside or {})}, origin, label)
    fields = {name: value if isinstance(value, (str, list)) else text_of(value) for name, value in fields.items()}
    context = fields.pop("context", "")
    if not is_blank(context):
        fields["prompt"] = f"{fields['prompt']}\n\n{context}"
    if "chosen" in fields and all(isinstance(fields[name], str) for name in ("prompt", "chosen", "rejected")):
        return Example(_preference(fields), origin, label)
    if beside is not None:
        return Example({"messages": _asked(fields), **beside}, origin, label)
    return Example(fields, origin, label)


def _asked(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The system message, if there is one, and the question."""
    turns = [{"role": "user", "content": fields["prompt"]}]
    if not is_blank(fields.get("system")):
        turns.insert(0, {"role": "system", "content": fields["system"]})
    return turns


def _preference(fields: Mapping[str, str]) -> Mapping[str, Any]:
    """A preference row in OpenAI's form, from texts."""
    return {
        "input": {"messages": _asked(fields)},
        "preferred_output": [{"role": "assistant", "content": fields["chosen"]}],
        "non_preferred_output": [{"role": "assistant", "content": fields["rejected"]}],
    }

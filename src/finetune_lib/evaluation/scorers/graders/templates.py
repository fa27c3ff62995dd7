"""What a grader's `{{item.field}}` and `{{sample.output_text}}` stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.evaluation.scorers.json_text import MISSING
from finetune_lib.records import Answer, Case
from finetune_lib.texts.json_values import json_in

TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
STEP = r"(?:\.[^\s.\[\]{}|'\"()]+|\[\s*(?:[0-9]+|'[^']*'|\"[^\"]*\")\s*\])"
PLACE = re.compile(rf"\s*(item|sample)({STEP}+)\s*")
STEPS = re.compile(r"\.([^\s.\[\]{}|]+)|\[\s*(?:([0-9]+)|'([^']*)'|\"([^\"]*)\")\s*\]")
OF_SAMPLE = ("output_text", "output_json", "output_tools", "choices")


class AbsentError(ValueError):
    """The answer lacks what the grader reads of it: that is the answer's fault."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a grader reads: the row as `item`, the answer as `sample`.

    `item` has the metadata of the case; `input`, `expected`, `reference_answer` and `category` are the case's own
    where the metadata lacks them and the case has them. `sample` has `output_text`, `output_json` where the text is
    JSON, `output_tools` and `choices`.
    """

    item: Mapping[str, Any]
    sample: Mapping[str, Any]
    case: str

    @staticmethod
    def of(answer: Answer | str, case: Case) -> Material:
        """What there is of an answer and its case."""
        return Material(item_of(case), sample_of(answer if isinstance(answer, Answer) else Answer(answer)), case.id)


def item_of(case: Case) -> dict[str, Any]:
    """The row that a grader reads: the metadata, and what the case has beside it."""
    own = {
        "input": case.prompt,
        "expected": case.expected,
        "reference_answer": case.expected,
        "category": case.category,
    }
    return {name: value for name, value in own.items() if value} | dict(case.metadata)


def sample_of(answer: Answer) -> dict[str, Any]:
    """The answer as a grader reads it; `output_json` is None where the text is no JSON."""
    value: Any = None
    with suppress(ValueError):
        value = json_in(answer.text)
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for n, call in enumerate(answer.tool_calls)
    ]
    message = {"role": "assistant", "content": answer.text, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    return {"output_text": answer.text, "output_json": value, "output_tools": calls, "choices": [choice]}


def problems(text: str, path: str) -> Iterator[str]:
    """What is wrong with the templates of a text, each with its place."""
    for found in TEMPLATE.finditer(text):
        place = PLACE.fullmatch(found[1])
        if place is None:
            yield f"{path}: {found[0]} is neither {{{{item.field}}}} nor {{{{sample.field}}}}"
        elif place[1] == "sample" and (name := _steps(place[2])[0]) not in OF_SAMPLE:
            yield f"{path}: {found[0]}: a sample has {', '.join(OF_SAMPLE)}, no {name}"


def filled(text: str, material: Material, *, absent: str | None = None) -> str:
    """A text with its templates replaced; values that are no texts are written as JSON.

    Args:
        text: The text.
        material: What they stand for.
        absent: What stands for a part that the answer lacks; None refuses.

    Raises:
        ValueError: The row lacks a field.
        AbsentError: The answer lacks a part.
    """

    def value(found: re.Match[str]) -> str:
        place = cast("re.Match[str]", PLACE.fullmatch(found[1]))
        read = _read(getattr(material, place[1]), _steps(place[2]))
        if read is MISSING and place[1] == "item":
            raise ValueError(f"case {material.case} has no {found[1].strip()}: put it into the case's metadata")
        if read is MISSING and absent is None:
            raise AbsentError(f"the answer has no {found[1].strip().removeprefix('sample.')}")
        given = absent if read is MISSING else read
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)

    return TEMPLATE.sub(value, text)


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name or single or double for name, index, single, double in STEPS.findall(path)]


def _read(value: Any, steps: list[str | int]) -> Any:
    for step in steps:
        try:
            value = value[int(step) if isinstance(value, list) else str(step)]
        except (KeyError, IndexError, TypeError, ValueError):
            return MISSING
    return MISSING if value is None else value

"""The shapes of OpenAI's graders, by its OpenAPI document of 2026-08-21, and where a grader departs from its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

TEXT = {"type": "string"}
FILLED = {"type": "string", "minLength": 1}
LABELS = {"type": "array", "items": FILLED, "minItems": 1, "uniqueItems": True}
NUMBER_OR_NULL = {"type": ["number", "null"]}


def _object(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


PART: dict[str, Any] = {
    "anyOf": [
        TEXT,
        _object({"type": {"enum": ["input_text", "output_text", "text"]}, "text": TEXT}),
        _object({"type": {"const": "input_image"}, "image_url": FILLED}),
        _object({"type": {"const": "input_audio"}, "input_audio": _object({"data": TEXT, "format": TEXT})}),
    ]
}
MESSAGE = _object(
    {
        "role": {"enum": ["user", "assistant", "system", "developer"]},
        "content": {"anyOf": [*PART["anyOf"], {"type": "array", "items": PART, "minItems": 1}]},
    }
)
MESSAGES = {"type": "array", "items": MESSAGE, "minItems": 1}
METRICS = ["cosine", "fuzzy_match", "bleu", "gleu", "meteor", *(f"rouge_{n}" for n in range(1, 6)), "rouge_l"]
SAMPLING = {
    "type": ["object", "null"],
    "properties": {
        "seed": {"type": ["integer", "null"]},
        "top_p": NUMBER_OR_NULL,
        "temperature": NUMBER_OR_NULL,
        "max_completions_tokens": {"type": ["integer", "null"], "minimum": 1},
    },
}
SHAPES: Mapping[str, dict[str, Any]] = {
    "string_check": _object(
        {"name": FILLED, "input": TEXT, "reference": TEXT, "operation": {"enum": ["eq", "ne", "like", "ilike"]}}
    ),
    "text_similarity": _object(
        {"name": FILLED, "input": TEXT, "reference": TEXT, "evaluation_metric": {"enum": METRICS}}
    ),
    "label_model": _object(
        {"name": FILLED, "model": FILLED, "input": MESSAGES, "labels": LABELS, "passing_labels": LABELS}
    ),
    "score_model": _object(
        {"name": FILLED, "model": FILLED, "input": MESSAGES},
        range={"type": ["array", "null"], "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        sampling_params=SAMPLING,
    ),
    "python": _object({"name": FILLED, "source": FILLED}),
    "multi": _object(
        {
            "name": FILLED,
            "graders": {"type": ["object", "array"], "minProperties": 1, "minItems": 1},
            "calculate_output": FILLED,
        }
    ),
}
LONG = 160


def shape_problems(value: Any, path: str) -> Iterator[str]:
    """Where a grader departs from the shape of its type, each with its JSON path."""
    from jsonschema import Draft202012Validator

    if not isinstance(value, Mapping):
        yield f"{path}: a grader is a JSON object, not {type(value).__name__}"
        return
    kind = cast("Mapping[str, Any]", value).get("type")
    if not isinstance(kind, str) or kind not in SHAPES:
        yield f"{path}.type: {kind!r} is none of {', '.join(SHAPES)}"
        return
    for error in cast("Any", Draft202012Validator(SHAPES[kind])).iter_errors(value):
        text = "it is no text, nor a part of type input_text, output_text, input_image (with image_url) or input_audio"
        yield f"{path}{error.json_path[1:]}: {text if error.validator == 'anyOf' else error.message[:LONG]}"

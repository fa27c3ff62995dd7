"""OpenAI's specification, where it lies beside the repository: what an answer has that it does not allow."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from tests.files import SHARED

PATH = SHARED / "openapi" / "openapi.json"
# 3 MB that are not the product's own: a checkout alone still checks every shape against the client's types.
needed = pytest.mark.skipif(not PATH.exists(), reason="OpenAI's specification does not lie beside the repository")


@cache
def schemas() -> Any:
    return modern(json.loads(PATH.read_text(encoding="utf-8"))["components"]["schemas"])


def modern(part: Any) -> Any:
    """The document calls itself 3.1, and has words of 3.0: `nullable`, and an exclusive minimum that is true."""
    if isinstance(part, list):
        return [modern(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: modern(value) for name, value in part.items()}
    if found.get("exclusiveMinimum") is True:
        found["exclusiveMinimum"] = found.pop("minimum")
    return {"anyOf": [found, {"type": "null"}]} if found.pop("nullable", None) is True else found


def faults(kind: str, body: Any) -> list[tuple[str, str]]:
    """What of a body is invalid, each with its place."""
    schema = {"$ref": f"#/components/schemas/{kind}", "components": {"schemas": schemas()}}
    return [(one.json_path, one.message) for one in jsonschema.Draft202012Validator(schema).iter_errors(body)]

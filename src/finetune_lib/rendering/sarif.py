"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines of a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Diagnostic, ValidationReport
    from finetune_lib.records import Origin

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(report: ValidationReport) -> str:
    """The report as one run."""
    codes = sorted({finding.code for finding in report.diagnostics})
    places = {code: place for place, code in enumerate(codes)}
    run = {
        "tool": {"driver": {"name": "finetune_lib", "rules": [_rule(code) for code in codes]}},
        "results": [_result(finding, places[finding.code]) for finding in report.diagnostics],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    from finetune_lib.diagnostics import catalogue

    entry = catalogue("en")[code]
    return {"id": code, "name": entry.slug, "defaultConfiguration": {"level": LEVELS[entry.severity]}}


def _result(finding: Diagnostic, rule: int) -> dict[str, Any]:
    texts = finding.texts()
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{texts.message}. {texts.hint}"},
        "locations": [_location(finding.origin, finding.path, finding.args.get("column"))],
        "relatedLocations": [_location(origin, None, None) for origin in finding.related],
    }


def _location(origin: Origin, path: str | None, column: Any) -> dict[str, Any]:
    region = {"startLine": origin.line} if origin.line else {}
    if region and isinstance(column, int):
        region["startColumn"] = column
    physical: dict[str, Any] = {"artifactLocation": {"uri": origin.source}, **({"region": region} if region else {})}
    cell = origin.cells.get(path or "") or origin.cells.get("")
    names = [name for name in (cell, path) if name]
    logical = {"logicalLocations": [{"fullyQualifiedName": name} for name in names]} if names else {}
    return {"physicalLocation": physical, **logical}

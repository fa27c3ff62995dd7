"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines of a change."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from finetune_lib.data.diagnostics.catalogue import catalogue
from finetune_lib.data.diagnostics.explaining import plain
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.result import ValidationResult
from finetune_lib.data.diagnostics.shell import in_shell
from finetune_lib.files import json_text
from finetune_lib.pages.wording import chosen
from finetune_lib.records import Origin
from finetune_lib.texts.languages import Language

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def sarif(report: ValidationResult, *, lang: Language | None = None, path: str | None = None) -> str:
    """The report as one run.

    Args:
        report: The report.
        lang: The language of the messages; by default that of the locale.
        path: Where the file lies, seen from the root of the repository; by default its name alone.
    """
    language = chosen(lang)
    codes = sorted({finding.code for finding in report.diagnostics})
    at_shell = any(finding.at_shell for finding in report.diagnostics)
    places = {code: place for place, code in enumerate(codes)}
    paths = {report.source: path} if path else {}
    run = {
        "tool": {
            "driver": {"name": "finetune_lib", "rules": [_rule(code, language, at_shell=at_shell) for code in codes]}
        },
        "results": [_result(finding, places[finding.code], language, paths) for finding in report.diagnostics],
        "columnKind": "unicodeCodePoints",
        "language": language,
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(name: str, lang: Language, *, at_shell: bool) -> dict[str, Any]:
    code = catalogue(lang)[name]
    return {
        "id": name,
        "name": code.slug,
        "shortDescription": {"text": plain(code.message)},
        "help": {"text": plain(in_shell(code.hint) if at_shell else code.hint)},
        "defaultConfiguration": {"level": LEVELS[code.severity]},
    }


def _result(finding: Diagnostic, rule: int, lang: Language, paths: dict[str, str]) -> dict[str, Any]:
    texts = finding.texts(lang)
    related = [{"id": n, **_location(origin, None, None, paths)} for n, origin in enumerate(finding.related, start=1)]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{texts.message}\n{texts.hint}"},
        "locations": [_location(finding.origin, finding.path, finding.args.get("column"), paths)],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
        **({"relatedLocations": related} if related else {}),
    }


def _fingerprint(finding: Diagnostic) -> str:
    """The same for the same finding on another line, so that a moved row raises no new alert."""
    said = finding.texts("en").message if finding.origin.row else ""  # of the whole file, numbers change
    key = "\n".join((finding.code, finding.path or "", said))
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]


def _location(origin: Origin, path: str | None, column: Any, paths: dict[str, str]) -> dict[str, Any]:
    artifact = {"uri": _uri(paths.get(origin.source, origin.source))}
    region = _region(origin, column)
    physical = {"artifactLocation": artifact, **({"region": region} if region else {})}
    names = [name for name in (origin.cells.get(path or "") or origin.cells.get(""), path) if name]
    logical = {"logicalLocations": [{"fullyQualifiedName": name} for name in names]} if names else {}
    return {"physicalLocation": physical, **logical}


def _region(origin: Origin, column: Any) -> dict[str, int]:
    """Lines and columns count from 1; without a line, the finding is about the whole file."""
    if not origin.line or origin.line < 1:
        return {}
    known = isinstance(column, int) and column >= 1
    return {"startLine": origin.line, **({"startColumn": column} if known else {})}


def _uri(source: str) -> str:
    """A relative reference: a colon in it would name a scheme, a leading slash a root."""
    return quote(source.replace("\\", "/").lstrip("/"), safe="/", errors="replace") or "dataset"

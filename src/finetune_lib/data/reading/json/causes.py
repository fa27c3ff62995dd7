"""From a line that is no record to the diagnostic that says why, and from several broken lines to one record."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, Severity, diagnose, name_of, quote
from finetune_lib.data.reading.json.questions import STRING_BODY, fault_of, unwrapped
from finetune_lib.data.reading.json.scanning import Fault, Stop, scan
from finetune_lib.records import Origin

MOST_LINES = 50
JOINABLE = frozenset({"J208", "J219", "J233"})
STRING_REST = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"')
WINDOW = 400


def cause(text: str, origin: Origin) -> Diagnostic:
    """Why a line gives no record: why it is not strict JSON, or what it holds instead of an object."""
    line = text.rstrip("\r\n")
    if not line.strip():
        return diagnose("J212", origin)
    fault = fault_of(line)
    if fault is None:
        return not_an_object(json.loads(line), origin)
    return finding(line, fault, origin)


def finding(text: str, fault: Fault, origin: Origin, *, severity: Severity | None = None) -> Diagnostic:
    """The diagnostic of a fault: with its column in its physical line, and that line quoted."""
    column = fault.start - text.rfind("\n", 0, fault.start)
    begin = max(fault.start - column + 1, fault.start - WINDOW)
    window = text[begin : fault.start + WINDOW]
    line = window[: window.find("\n", fault.start - begin)] if "\n" in window[fault.start - begin :] else window
    shown = quote(line, fault.start - begin, fault.length)
    return diagnose(fault.code, origin, fault.path, quote=shown, severity=severity, column=column, **fault.args)


def not_an_object(value: object, origin: Origin) -> Diagnostic:
    """What JSON that is no object holds instead: perhaps an object as text."""
    if isinstance(value, str) and unwrapped(json.dumps(value)) is not None:
        return diagnose("J216", origin, column=1)
    return diagnose("J218", origin, what=name_of(value))


def causes(lines: Sequence[str], origin: Origin) -> tuple[Diagnostic, ...]:
    """Why the first lines give no record: one finding for each physical line that the broken record takes.

    Args:
        lines: The line and those behind it; see `join`.
        origin: The first line's.
    """
    joined = join(lines)
    if joined is None:
        return (cause(lines[0], origin),)
    code = "J208" if _ends_inside_string(scan(lines[0].rstrip("\r\n"))) else "J210"
    texts = [line.rstrip("\r\n") for line in lines[: joined[1]]]
    columns = [*(len(text) for text in texts[:-1]), 0]
    return tuple(
        finding(text, Fault(code, column), replace(origin, line=(origin.line or 1) + number), severity="error")
        for number, (text, column) in enumerate(zip(texts, columns, strict=True))
    )


def join(lines: Sequence[str]) -> tuple[dict[str, Any], int] | None:
    r"""The record that line breaks spread over several lines, and how many lines it takes.

    Args:
        lines: The first line and those behind it, with or without their line ends.

    Returns:
        None where the first line and the next ones do not make one object. Line ends inside strings become `\n`.
    """
    joined = lines[0].rstrip("\r\n")
    stop = scan(joined) if joined.lstrip()[:1] == "{" else None
    for count, line in enumerate(lines[1:MOST_LINES], start=2):
        inside = _ends_inside_string(stop)
        if not inside and not (isinstance(stop, Stop) and stop.position == len(stop.text)):
            return None  # it does not break off between two tokens either
        part = line.rstrip("\r\n")
        joined += ("\\n" if inside else "\n") + part
        if inside and STRING_REST.match(part) is None:
            if (len(part) - len(part.rstrip("\\"))) % 2:
                return None  # the line break itself is escaped
            continue
        stop = scan(joined)
        if stop is None:
            return json.loads(joined), count
    return None


def _ends_inside_string(stop: Stop | Fault | None) -> bool:
    if not isinstance(stop, Stop) or stop.rest[:1] != '"' or stop.expected in ("comma", "colon"):
        return False
    body = STRING_BODY.match(stop.text, stop.position)
    return body is not None and body.end() == len(stop.text)

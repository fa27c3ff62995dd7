"""JSON as RFC 8259 has it, with a diagnostic that names the usual causes instead of a parser's complaint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Never

from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Origin

CURLY = re.compile("[“”]")
STRUCTURAL_CURLY = re.compile(r"[{\[,:]\s*[“”]|[“”]\s*[}\],:]")
TRAILING_COMMA = re.compile(r",\s*[}\]]")
PYTHON_QUOTE = re.compile(r"[{\[,:]\s*'|:\s*(None|True|False)\b")


class NotStrictError(ValueError):
    """Valid for Python's reader, but not JSON, or not unambiguous."""

    def __init__(self, code: str, **args: Any) -> None:
        super().__init__(code)
        self.code = code
        self.given = args


def parse(text: str, origin: Origin) -> tuple[Any, Diagnostic | None]:
    """The value of one JSON text, or the diagnostic that tells why there is none."""
    try:
        return DECODER.decode(text), None
    except NotStrictError as error:
        return None, diagnose(error.code, origin, **error.given)
    except json.JSONDecodeError as error:
        return None, _cause(text, error, origin)
    except RecursionError:
        return None, diagnose("J201", origin, problem="nested too deeply", column=1)
    except ValueError as error:  # integers with more digits than Python converts
        return None, diagnose("J201", origin, problem=str(error), column=1)


def _cause(text: str, error: json.JSONDecodeError, origin: Origin) -> Diagnostic:
    """The likeliest cause of a parse error, looked for where the parser stopped."""
    rest = text[error.pos :]
    if CURLY.match(rest) or (STRUCTURAL_CURLY.search(text) and not text.lstrip().startswith('{"')):
        return diagnose("J202", origin, column=_column(CURLY, text, error.pos))
    if error.msg == "Extra data" and rest.strip() == ",":
        return diagnose("J205", origin, column=error.colno)
    comma = TRAILING_COMMA.search(text, max(0, error.pos - 3))
    if comma and comma.start() <= error.pos:
        return diagnose("J204", origin, column=comma.start() + 1)
    if PYTHON_QUOTE.search(text, max(0, error.pos - 2)) and rest[:1] in "'NTF":
        return diagnose("J203", origin, column=error.colno)
    return diagnose("J201", origin, problem=error.msg, column=error.colno)


def _column(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.search(text, position) or pattern.search(text)
    return match.start() + 1 if match else position + 1


def _unique_keys(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise NotStrictError("J214", key=key)
        result[key] = value
    return result


def _no_constant(value: str) -> Never:
    raise NotStrictError("J215", value=value)


DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant)

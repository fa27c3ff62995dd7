"""What a JSON file is as a whole: lines of objects, one list, objects spread over lines, one object around the rows.

Decided on the head of the file before any line is judged, so that a list in a `.jsonl` is one finding and not one
for each of its lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, cast

from finetune_lib.data.reading.json.questions import COMMENT, ODD
from finetune_lib.data.reading.json.scanning import Stop, scan
from finetune_lib.data.reading.json.wrapping import WRAPPERS, holding

Shape = Literal["lines", "array", "objects", "object", "encoded"]

LINES_LOOKED_AT = 50
LIST = re.compile(r"\[\s*(?:$|[\[\"'{“”\]]|-?\d[\d.]*\s*[,\]])")
WRAPPER = re.compile(rf'\{{\s*["“](?:{"|".join(WRAPPERS)})["”]\s*[:：]\s*\[')
NEXT_OBJECT = re.compile(r"\}[ \t]*,?\s*\{")
SECOND_AT_MARGIN = re.compile(r"^\}[ \t]*,?\s*\{", re.MULTILINE)
INSIDE = re.compile(r"[\"'“”‘{}\[\]]")


def shape_of(head: str, *, whole: bool) -> Shape:
    """How to read a file of JSON.

    Args:
        head: The beginning of its text.
        whole: Whether that is all of it.

    Returns:
        `lines` where each line is one record, however broken; else `read_document` reads it: a list (`array`),
        objects spread over lines or several on one (`objects`), one object around the rows or a row itself
        (`object`), all of it as one JSON text (`encoded`).
    """
    lines = _filled_lines(head[content_start(head) :], whole)
    if not lines:
        return "lines"
    first, rest = lines[0], lines[1:]
    if first[0] == "[":
        return _of_list(first, rest)
    if first[0] == "{":
        return _of_object(first, rest, head)
    return "encoded" if first[0] == '"' and not rest and whole and _encoded(first) else "lines"


def content_start(text: str) -> int:
    """Where the first character is that is neither space nor part of a comment line."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif (match := COMMENT.match(text, position)) or (match := ODD.match(text, position)):
            end = text.find("*/", position) + 2 if match.group() == "/*" else text.find("\n", position)
            position = match.end() if ODD.match(text, position) else end if end > position else len(text)
        else:
            break
    return position


def _filled_lines(text: str, whole: bool) -> list[str]:
    """The first lines that are not blank; the last one of a cut head only where it is the only one."""
    parts = re.finditer(r"[^\r\n]+", text)
    lines = [line for part in islice(parts, 2 * LINES_LOOKED_AT) if (line := part.group().strip())]
    if not whole and len(lines) > 1:
        lines.pop()
    return lines[:LINES_LOOKED_AT]


def _of_list(first: str, rest: Sequence[str]) -> Shape:
    if not LIST.match(first):
        return "lines"
    if not first.rstrip(" ,").endswith("]") or not rest:
        return "array"
    return "array" if rest[0][0] in "]," else "lines"


def _of_object(first: str, rest: Sequence[str], head: str) -> Shape:
    if _is_record(first):
        return "lines" if rest else _of_lone_line(first)
    records = sum(_is_record(line) and not line.endswith(",") for line in rest)
    if 2 * records > len(rest):
        return "lines"
    if WRAPPER.match(first):
        return "object"
    breaks_off = first[-1] in "{[,:"  # between two members, as printing with an indent does
    if not rest or not breaks_off or not INSIDE.match(rest[0]):
        return "lines"
    return "objects" if SECOND_AT_MARGIN.search(head) else "object"


def _is_record(line: str) -> bool:
    """Whether a line is one object, however broken, and not only the beginning of one."""
    line = line.rstrip(" ,;")
    if line[:1] != "{" or line[-1] != "}":
        return False
    stop = scan(line)
    return not isinstance(stop, Stop) or stop.position < len(line)


def _of_lone_line(line: str) -> Shape:
    value = _loaded(line)
    if isinstance(value, dict):
        return "lines" if holding(cast("dict[str, Any]", value)) in ("row", "unknown") else "object"
    if WRAPPER.match(line):
        return "object"
    return "objects" if NEXT_OBJECT.search(line) and _starts_with_object(line) else "lines"


def _starts_with_object(line: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(line)
    except (RecursionError, ValueError):
        return False
    return line[end:].lstrip(" ,")[:1] == "{"


def _encoded(line: str) -> bool:
    inner = _loaded(line)
    return isinstance(inner, str) and isinstance(_loaded(inner) or _loaded(inner.partition("\n")[0]), dict | list)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return None

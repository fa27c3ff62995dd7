"""JSONL, one object a line; and a JSON file that holds one array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

from finetune_lib.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.readers.reading import Options, Reading, unreadable
from finetune_lib.readers.strict_json import CURLY, DECODER, NotStrictError, parse
from finetune_lib.readers.text import lines
from finetune_lib.records import Example, Origin

SHAPE_LINES = 50


def read_jsonl(path: Path, options: Options) -> Reading:
    """Read one example a line; each line that is not an object becomes a diagnostic."""
    _refuse_other_shapes(path, options.encoding)
    numbered = lines(path, options.encoding, wanted="JSONL")
    return _gather(path, (_line(path.name, number, text) for number, text in numbered))


def read_json_array(path: Path, options: Options) -> Reading:
    """Read one example an element; a `.json` file that holds lines of objects is read as JSONL."""
    text = "".join(line for _, line in lines(path, options.encoding, wanted="JSON"))
    if not text.lstrip().startswith("["):
        return read_jsonl(path, options)
    return _gather(path, _elements(path, text))


def _gather(path: Path, found: Iterator[Example | Diagnostic]) -> Reading:
    """Number the examples and set the diagnostics apart."""
    examples: list[Example] = []
    problems: list[Diagnostic] = []
    for item in found:
        if isinstance(item, Diagnostic):
            problems.append(item)
        else:
            origin = Origin(item.origin.source, row=len(examples) + len(problems) + 1, line=item.origin.line)
            examples.append(Example(item.data, origin))
    if not examples and all(problem.severity == "info" for problem in problems):
        raise unreadable("E101", path)
    return Reading(tuple(examples), tuple(problems))


def _line(source: str, number: int, text: str) -> Example | Diagnostic:
    origin = Origin(source, line=number)
    if not text.strip():
        return diagnose("J212", origin)
    value, problem = parse(text.rstrip("\r\n"), origin)
    return problem or _example(value, origin)


def _example(value: object, origin: Origin) -> Example | Diagnostic:
    if not isinstance(value, dict):
        return diagnose("J218", origin, what=name_of(value))
    return Example(cast("dict[str, Any]", value), origin)


def _elements(path: Path, text: str) -> Iterator[Example | Diagnostic]:
    """Decode one element after the other, so that each knows its line; stop where the array breaks."""
    position, before, line, counted = text.index("["), "[", 1, 0
    while before in ("[", ","):
        position = _skip(text, position + 1)
        line, counted = line + text.count("\n", counted, position), position
        origin = Origin(path.name, line=line)
        if text.startswith("]", position):
            if before == ",":
                yield diagnose("J204", origin, column=position - text.rfind("\n", 0, position))
            break
        found, end = _element(path, text, position, origin)
        yield found
        if end is None:
            return
        position = _skip(text, end)
        before = text[position : position + 1]
    yield from _behind(path, text, position)


def _element(path: Path, text: str, position: int, origin: Origin) -> tuple[Example | Diagnostic, int | None]:
    """One element, or why it is none; and where it ends, or None where nothing behind it can be found."""
    try:
        value, end = DECODER.raw_decode(text, position)
        return _example(value, origin), end
    except json.JSONDecodeError as error:
        return _broken(path, error), None
    except NotStrictError as error:
        return diagnose(error.code, origin, **error.given), _end_of(text, position)
    except (RecursionError, ValueError) as error:  # too deep, or integers with more digits than Python converts
        return diagnose("J201", origin, problem=str(error), column=1), None


def _end_of(text: str, position: int) -> int | None:
    """Where an element ends that Python's lenient reader takes."""
    try:
        return json.JSONDecoder().raw_decode(text, position)[1]
    except (RecursionError, ValueError):
        return None


def _behind(path: Path, text: str, position: int) -> Iterator[Diagnostic]:
    """What is wrong at the end of the array and behind it."""
    if not text.startswith("]", position):
        yield _broken(path, json.JSONDecodeError("Expecting ',' or ']'", text, position))
    elif (rest := _skip(text, position + 1)) < len(text):
        yield _broken(path, json.JSONDecodeError("Extra data", text, rest))


def _broken(path: Path, error: json.JSONDecodeError) -> Diagnostic:
    if CURLY.match(error.doc, error.pos):
        return diagnose("J202", Origin(path.name, line=error.lineno), column=error.colno)
    return diagnose("J201", Origin(path.name, line=error.lineno), problem=error.msg, column=error.colno)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _refuse_other_shapes(path: Path, encoding: str) -> None:
    """Tell a whole-file cause once, instead of an error on each of its lines."""
    head = [text for _, text in islice(lines(path, encoding, wanted="JSONL"), SHAPE_LINES)]
    filled = [(number, text.strip()) for number, text in enumerate(head, start=1) if text.strip()]
    if not filled:
        return
    (line, start), *rest = filled
    if start == "[" or (start.startswith("[{") and not start.endswith("}]")) or (start[0] == "[" and not rest):
        raise unreadable("J209", path, line=line)
    if start == "{" and rest and rest[0][1].startswith('"'):
        raise unreadable("J210", path, line=line)

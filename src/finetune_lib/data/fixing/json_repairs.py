"""Repairs of one record that is not strict JSON: small, in a fixed order, and never a guess about its text.

A repair is offered only where strict JSON comes out and `same_content` proves that its texts are those of the broken
record. A record that is cut off is never repaired.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any, cast

from finetune_lib.data.diagnostics.catalogue import FixKind
from finetune_lib.data.fixing.json_proof import same_content
from finetune_lib.data.reading.json.questions import ODD, WIDE, fault_of, unwrapped
from finetune_lib.data.reading.json.strict import decode_at, strict

LOOSE = re.compile(
    r"""
      (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<curly>[“”„‟＂″](?:[^“”„‟＂″"\\]|\\.)*[“”„‟＂″] | [‘’‚‛](?:[^‘’‚‛"\\]|\\.)*[‘’‚‛])
    | (?P<space>[\ \t\r\n]+)
    | (?P<odd>ODD)
    | (?P<comment>//[^\n]*|/\*.*?\*/|\#[^\n]*)
    | (?P<mark>[{}\[\],:])
    | (?P<wide>[，：｛｝［］])
    | (?P<word>[^\s"{}\[\],:，：｛｝［］“”‘’]+)
    | (?P<other>.)
    """.replace("ODD", ODD.pattern),
    re.VERBOSE | re.DOTALL,
)
PYTHON_WORDS = {"None": "null", "True": "true", "False": "false"}
NO_NUMBERS = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
NAME = re.compile(r"[^\W\d]\w*")
BAD_ESCAPE = re.compile(r'\\(?:(u[0-9a-fA-F]{4}|["\\/bfnrt])|.)', re.DOTALL)
AMBIGUOUS = re.compile(r"\\[\\/bfnrt]|\\u[0-9a-fA-F]|\\x[0-9a-fA-F]|\\['`0-9\s]")
LATEX = re.compile(r"\\[bf]")
RAW_CONTROL = re.compile(r"\r\n|[\x00-\x1f]")
SHORT = {"\n": "\\n", "\r\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
BETWEEN = re.compile(r"(?:[\s,;，；]|\\n|\\r)*")
QUOTE_MARK = re.compile(r'\\.|"', re.DOTALL)
BEHIND_TEXT = re.compile(r"\s*(?:[,:}\]]|$)")


@dataclass(frozen=True, slots=True)
class Repair:
    """A record that was broken.

    Attributes:
        value: The object.
        text: Its JSON, one line.
        codes: What was mended.
        kind: `safe`, or `unsafe` where a person must say that it was meant so.
    """

    value: dict[str, Any]
    text: str
    codes: tuple[str, ...]
    kind: FixKind


def repair(text: str) -> Repair | None:
    """The record that a broken text stands for; None where it is sound, cut off, or could mean more than one thing.

    Args:
        text: One record, all of its physical lines.
    """
    if _object(text) is not None:
        return None
    text = text.strip()
    return next((mended for attempt in ATTEMPTS if (mended := attempt(text))), None)


def parted(text: str) -> tuple[dict[str, Any], ...]:
    """The objects of a line that holds several one behind the other; none where anything else stands there."""
    found: list[dict[str, Any]] = []
    position = 0
    while position < len(text):
        try:
            value, end = decode_at(text, position)
        except (RecursionError, ValueError):
            return ()
        if not isinstance(value, dict):
            return ()
        found.append(cast("dict[str, Any]", value))
        between = BETWEEN.match(text, end)
        position = between.end() if between else end
    return tuple(found)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = strict(text)
    except (RecursionError, ValueError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _accepted(before: str, after: str, codes: Sequence[str], kind: FixKind) -> Repair | None:
    value = _object(after)
    if "J207" in codes and LATEX.search(before):
        return None  # \\beta and \\frac elsewhere in the row would be read as control characters
    if value is None or not codes or (kind == "safe" and not same_content(before, after)):
        return None
    return Repair(value, after.replace("\r", " ").replace("\n", " "), tuple(dict.fromkeys(codes)), kind)


def _out_of_quotes(text: str) -> Repair | None:
    inner = unwrapped(text)
    value = _object(inner) if inner is not None else None
    return Repair(value, " ".join((inner or "").split("\n")), ("J216",), "safe") if value is not None else None


def _python_literal(text: str) -> Repair | None:
    """A row that Python printed, read by Python's own grammar."""
    source = text.rstrip().removesuffix(",")
    fault = fault_of(text)
    if fault is None or fault.code != "J203":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a backslash that is no escape of Python's
            value = ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, Warning):
        return None
    if not isinstance(value, dict) or not _is_json(cast("dict[object, object]", value)):
        return None
    codes = ("J203",) if source == text else ("J203", "J205")
    return _accepted(text, json.dumps(value, ensure_ascii=False), codes, "safe")


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return all(isinstance(key, str) and _is_json(item) for key, item in items)
    if isinstance(value, list):
        return all(map(_is_json, cast("list[object]", value)))
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


Piece = tuple[str, str]


def _rewritten(text: str, *, kind: FixKind) -> Repair | None:
    """What surrounds the values of a text in JSON's spelling."""
    pieces: list[Piece] = [(token.lastgroup or "other", token.group()) for token in LOOSE.finditer(text)]
    written: list[str] = []
    codes: list[str] = []
    for number, (token, said) in enumerate(pieces):
        new, code = _respelled(token, said, pieces, number, unsafe=kind == "unsafe")
        written.append(new)
        if code:
            codes.append(code)
    return _accepted(text, "".join(written).strip(), codes, kind)


def _respelled(kind: str, said: str, pieces: Sequence[Piece], number: int, *, unsafe: bool) -> tuple[str, str]:
    """One piece as JSON spells it, and the code of what was wrong with it."""
    if kind == "string":
        return _string(said)
    if kind == "curly":
        return _string(f'"{said[1:-1]}"')[0], "J202"
    if kind == "wide":
        return WIDE[said], "J227"
    if kind == "odd":
        return "", "J224"
    if kind == "space":
        return said.replace("\r", "").replace("\n", " "), ""
    if kind == "comment" and unsafe:
        return "", "J213"
    if said == ",":
        return _comma(pieces, number)
    return _word(said, pieces, number, unsafe=unsafe) if kind == "word" else (said, "")


def _comma(pieces: Sequence[Piece], number: int) -> tuple[str, str]:
    following = _significant(pieces, range(number + 1, len(pieces)))
    if not following or not _significant(pieces, range(number - 1, -1, -1)):
        return "", "J205"
    return ("", "J204") if following in ("}", "]", "｝", "］") else (",", "")


def _significant(pieces: Sequence[Piece], places: range) -> str:
    """The first piece at these places that says something."""
    said = (pieces[place] for place in places)
    return next((text for kind, text in said if kind not in ("space", "odd", "comment")), "")


def _word(said: str, pieces: Sequence[Piece], number: int, *, unsafe: bool) -> tuple[str, str]:
    if said in PYTHON_WORDS:
        return PYTHON_WORDS[said], "J203"
    if unsafe and NO_NUMBERS.fullmatch(said):
        return "null", "J215"
    if unsafe and NAME.fullmatch(said) and _significant(pieces, range(number + 1, len(pieces))) in (":", "："):
        return f'"{said}"', "J223"
    return said, ""


def _string(said: str) -> tuple[str, str]:
    """A text with its raw control characters and its lone backslashes escaped."""
    if not RAW_CONTROL.search(said) and "\\" not in said:
        return said, ""
    new, code = RAW_CONTROL.sub(lambda found: SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", said), ""
    if new != said:
        code = "J208" if "\n" in said or "\r" in said else "J225"
    if any(escape[1] is None for escape in BAD_ESCAPE.finditer(new)):
        return _doubled(new), "J207"
    return new, code


def _doubled(said: str) -> str:
    """Each backslash doubled that is no escape; left broken where another one could be meant as two characters too."""
    if any(AMBIGUOUS.match(said, escape.start()) for escape in BAD_ESCAPE.finditer(said)):
        return said
    return BAD_ESCAPE.sub(lambda found: found.group() if found[1] else f"\\{found.group()}", said)


def _quotes_escaped(text: str) -> Repair | None:
    """Quotes inside texts escaped, where they stand in pairs and none could be the end of its text."""
    written: list[str] = []
    position, inside, inner = 0, False, 0
    for mark in QUOTE_MARK.finditer(text):
        sign = mark.group()
        if sign == '"':
            if inside and not BEHIND_TEXT.match(text, mark.end()):
                inner, sign = inner + 1, '\\"'
            elif inner % 2 or not (inside or _may_open(text, mark.start())):
                return None
            else:
                inside, inner = not inside, 0
        written += (text[position : mark.start()], sign)
        position = mark.end()
    after = "".join(written) + text[position:]
    return _accepted(text, after, ("J206",), "unsafe") if same_content(text, after) else None


def _may_open(text: str, position: int) -> bool:
    """Whether a text can begin there: behind a bracket, a comma or a colon."""
    position -= 1
    while position >= 0 and text[position].isspace():
        position -= 1
    return position < 0 or text[position] in "{[,:"


ATTEMPTS: Sequence[Callable[[str], Repair | None]] = (
    _out_of_quotes,
    partial(_rewritten, kind="safe"),
    _python_literal,
    partial(_rewritten, kind="unsafe"),
    _quotes_escaped,
)

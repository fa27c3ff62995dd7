"""The proof that a repaired text says what the broken one said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from finetune_lib.data.reading.json.questions import ODD
from finetune_lib.data.reading.json.scanning import TOKEN

MARKS = {",": ",，、", ":": ":：", "{": "{｛", "}": "}｝", "[": "[［", "]": "]］"}
SCALARS = {"null": "None", "true": "True", "false": "False"}
STRING_QUOTES = "\"'“”„‟＂″‘’‚‛"
GAP = re.compile(rf"(?:\s|{ODD.pattern})*")
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)"
    r"|\r\n?",
    re.DOTALL,
)
SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}


def same_content(before: str, after: str) -> bool:
    """Whether strict JSON has the same structure and the same texts, in the same order, as the text it was made of.

    Every token of `after` must stand in `before`: a bracket, comma or colon as itself or full-width; a scalar as
    itself or in Python's spelling; a text between quotes of any kind, with the same characters however escaped.
    Between them `before` may have spaces, invisible characters, and a comma where none belongs; nothing else.
    """
    position = _gap(before, 0, comma=True)
    for token in _tokens(after):
        found = _mark(before, position, token) if token in MARKS else _scalar_or_string(before, position, token)
        if found is None:
            return False
        position = _gap(before, found)
    return _gap(before, position, comma=True) == len(before)


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while token := TOKEN.match(text, position):
        yield token[token.lastgroup or 0]
        position = token.end()


def _gap(text: str, position: int, *, comma: bool = False) -> int:
    match = GAP.match(text, position)
    end = match.end() if match else position
    return _gap(text, end + 1) if comma and text[end : end + 1] in (",", "，") else end


def _mark(before: str, position: int, mark: str) -> int | None:
    if mark in "}]":
        position = _gap(before, position, comma=True)
    found = before[position : position + 1]
    return position + 1 if found and found in MARKS[mark] else None


def _scalar_or_string(before: str, position: int, token: str) -> int | None:
    if token[0] == '"':
        return _string(before, position, token)
    spellings = (token, SCALARS.get(token, token))
    return next((position + len(s) for s in spellings if before.startswith(s, position)), None)


def _string(before: str, position: int, token: str) -> int | None:
    start = position + (before[position : position + 1] in ("u", "U"))
    if before[start : start + 1] == "" or before[start] not in STRING_QUOTES:
        return None
    end = start + len(token) - 1
    if not (before.startswith(token[1:-1], start + 1) and _closes(before, start, end)):
        end = _text_end(before, start + 1, json.loads(token)) or 0
    return end + 1 if end and _closes(before, start, end) else None


def _closes(text: str, start: int, end: int) -> bool:
    """Whether a quote at `end` closes the one at `start`: the same straight one, or a curly one for a curly one."""
    opening, closing = text[start], text[end : end + 1]
    if opening in "\"'":
        return closing == opening
    return closing != "" and closing in STRING_QUOTES[2:]


def _text_end(before: str, position: int, content: str) -> int | None:
    """Where a text ends whose characters are these, however each is written."""
    done = 0
    while done < len(content):
        escape = ESCAPE.search(before, position)
        run = before[position : escape.start() if escape else len(before)][: len(content) - done]
        if not content.startswith(run, done):
            return None
        position, done = position + len(run), done + len(run)
        if done == len(content):
            break
        if escape is None:
            return None
        said = next((s for s in _readings(escape.group()) if content.startswith(s, done)), None)
        if said is None:
            return None
        position, done = escape.end(), done + len(said)
    return position


def _readings(escape: str) -> Iterator[str]:
    """What an escape can say: its character, or itself where it is none."""
    if escape[0] == "\r":
        yield from (escape, "\n")
    elif escape[1] in "uUx" and len(escape) > 2:
        yield from (_character(escape), escape)
    else:
        yield SIMPLE.get(escape[1], escape)


def _character(escape: str) -> str:
    if len(escape) == 12:
        return json.loads(f'"{escape}"')
    code = int(escape[2:], 16)
    return chr(code) if code < 0x110000 else escape

"""What a person did at the place where a text stops being JSON: one question after the other.

The questions are asked in an order in which the first yes is the likeliest: what the character itself is (a curly
quote, a Python word, a comment), then what its surroundings are (a comma behind the last member, a text that its own
quote ended too early).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from finetune_lib.data.reading.json.scanning import KEYS, Fault, Stop, pointer, scan

QUOTES = "“”„‟＂″‘’‚‛«»「」『』`´"
WIDE = {"，": ",", "：": ":", "｛": "{", "｝": "}", "［": "[", "］": "]", "、": ","}
ODD_SPACE = "\ufeff\u200b\u200c\u200d\u2060\u00a0\u3000\u2028\u2029\u0085\u000b\u000c\u00ad"
ODD = re.compile(rf"[{ODD_SPACE}\u2000-\u200a\u202f\u205f]+")
COMMENT = re.compile(r"//|/\*|#|<!--|--(?=\s)")
DOTS = re.compile(r"\.{2,}|…+|。{2,}|⋯+")
PYTHON = re.compile(r"(?:None|True|False)\b|[bruf]{0,2}'|\(|[a-zA-Z_.]+\((?=[\[({'\d)])")
NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?)\b|[+-]?[.\d][\w.]*(?:[+-]\w+)?|-(?=\s*[,}\]])", re.IGNORECASE)
LONE_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?)\s*$", re.IGNORECASE)
WORD = re.compile(r"[^\s\\\"'{}\[\],:]+")
CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)")
FENCE = re.compile(r"```|~~~")
STRING_BODY = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
CURLY_END = re.compile(r"[”“’＂″][ \t]*(?::|[}\]]|,[ \t]*[\"“”‘＂])")
STRING_AND_NEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"\s*(.?)', re.DOTALL)
SWALLOWED = re.compile(r"(?:[,:]|[}\]]\s*,\s*[{\[])\s*$")
LOST_QUOTE = re.compile(r'\w[^"]{0,60}"\s*[:,}\]]')
CLOSERS = ("}", "]")
VALUE_OR_SIGN = re.compile(r"[{\[=]|-?\d[\d.]*\s*[,}]|(?:true|false|null)\b")
WRAPPED = re.compile(r"""\s*(?:['"]|\{\s*\\")""")
NEXT_MEMBER = re.compile(r'\s*(?:"[^"\n]*"\s*:|[}\]])')


def unwrapped(text: str) -> str | None:
    """The object's own text where a line holds it inside quotes or escaped as if inside them."""
    text = text.strip()
    unquoted = text[1:-1]
    for wrapped in (text, f'"{text}"'):
        inner = _loaded(wrapped)
        if isinstance(inner, str) and isinstance(_loaded(inner), dict):
            return inner
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        return next((t for t in (unquoted, unquoted.replace('""', '"')) if isinstance(_loaded(t), dict)), None)
    return None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in '{"' else None
    except (RecursionError, ValueError):
        return None


def fault_of(text: str, *, start: int = 0, alone: bool = True) -> Fault | None:
    """The first fault of a text, None where it is strict JSON; see `scan` for the arguments."""
    stop = scan(text, start=start, alone=alone)
    return fault_at(stop) if isinstance(stop, Stop) else stop


def fault_at(stop: Stop) -> Fault:
    """What a person did at the place where the grammar was left."""
    questions = QUESTIONS if stop.rest else (_cut_off,)
    if found := next((fault for ask in questions if (fault := ask(stop))), None):
        return found
    word = WORD.match(stop.rest)
    shown = word.group()[:24] if word else stop.rest[:1]
    return Fault("J201", stop.position, max(1, len(shown)), args={"found": shown or "␄"})


def _at(stop: Stop, code: str, length: int = 1, **args: Any) -> Fault:
    return Fault(code, stop.position, max(1, length), args=args)


def _matched(code: str, pattern: re.Pattern[str], stop: Stop) -> Fault | None:
    match = pattern.match(stop.rest)
    return _at(stop, code, len(match.group()), character=f"U+{ord(stop.rest[0]):04X}") if match else None


def _wrapped(stop: Stop) -> Fault | None:
    """Is the whole record inside quotes, or escaped as if it were?"""
    text = stop.text
    if stop.begin or not WRAPPED.match(text):
        return None
    return Fault("J216", 0, len(text)) if unwrapped(text) is not None else None


def _line_of_other_kind(stop: Stop) -> Fault | None:
    """Is it no record at all, but a comment, a fence, a conflict marker, a placeholder, prose?"""
    if stop.last is not None or stop.position == len(stop.text):
        return None
    for code, pattern in (("J213", COMMENT), ("J221", DOTS), ("J231", CONFLICT), ("J230", FENCE), ("J224", ODD)):
        if fault := _matched(code, pattern, stop):
            return fault
    first = stop.rest[0]
    if first == ",":
        return _at(stop, "J205")
    if first in "]})":
        return _at(stop, "J226")
    return None if first in QUOTES or first in WIDE or first in "\"'\\({[" else _prose(stop)


def _prose(stop: Stop) -> Fault | None:
    """Text alone, or text before an object?"""
    if PYTHON.match(stop.rest) and not re.match(r"\(|\w+\(", stop.rest):
        return None
    if LONE_NO_NUMBER.match(stop.rest):
        return _at(stop, "J215", len(stop.rest.rstrip()), value=stop.rest.rstrip())
    inner = re.search(r'\{\s*["\'“]', stop.text[stop.position :])
    length = inner.start() if inner else len(stop.text.rstrip()) - stop.position
    return _at(stop, "J229" if inner else "J228", length, start=stop.rest[: min(length, 24)].strip())


def _behind(stop: Stop) -> Fault | None:
    """Does something stand behind a whole value?"""
    if stop.expected != "end":
        return None
    rest = stop.rest
    if re.match(r"[,，]\s*$", rest):
        return _at(stop, "J205") if rest[0] == "," else _at(stop, "J227", character=rest[0])
    if re.match(r"(?:\\n|\\r|[,;，；|\s\x1e])*[{\[]", rest) and stop.before in CLOSERS:
        return _at(stop, "J211")
    if rest[0] in "}]" or re.match(r',\s*"', rest):
        return _at(stop, "J226")
    for code, pattern in (("J213", COMMENT), ("J224", ODD)):
        if fault := _matched(code, pattern, stop):
            return fault
    return _around(stop)


def _around(stop: Stop) -> Fault:
    """Text behind an object; or prose that only begins like JSON."""
    if stop.before in CLOSERS:
        return _at(stop, "J229", len(stop.rest.rstrip()), start=stop.rest[:24].strip())
    begin = stop.begin + len(stop.text) - len(stop.text.lstrip())
    if '{"' in stop.rest:
        return Fault("J229", begin, stop.position - begin, args={"start": stop.text[begin : begin + 24].strip()})
    return _prose_at(stop, begin)


def _prose_at(stop: Stop, begin: int) -> Fault:
    length = len(stop.text.rstrip()) - begin
    return Fault("J228", begin, length, args={"start": stop.text[begin : begin + 24].strip()})


def _cut_off(stop: Stop) -> Fault | None:
    """Is the text at its end while something is open?"""
    if stop.position < len(stop.text) or not stop.text.strip():
        return None
    return Fault("J219", max(0, len(stop.text.rstrip()) - 1), args={"missing": stop.missing or "…"})


def _early_end(stop: Stop) -> Fault | None:
    """Did a quote inside a text end it?"""
    token = stop.before
    if not token.startswith('"') or stop.expected not in ("comma", "colon"):
        return None
    if fault := _curly_end(stop.text, stop.before_start, stop.before_end):
        return fault
    if _looks_separate(stop):
        return None
    if SWALLOWED.search(token, 1, len(token) - 1) and LOST_QUOTE.match(stop.rest):
        return Fault("J233", stop.before_start, len(token))
    return Fault("J206", stop.before_end - 1)


def _curly_end(text: str, start: int, end: int) -> Fault | None:
    """A string that begins with a straight quote and ends with a curly one, which opens nothing inside it."""
    for curly in CURLY_END.finditer(text, start, end):
        before = text[start : curly.start()]
        if before.count("“") + before.count("‘") <= before.count("”") + before.count("’"):
            return Fault("J202", curly.start(), args={"character": curly.group()[0]})
    return None


def _looks_separate(stop: Stop) -> bool:
    """Whether what follows a text is a token of its own, not the rest of that text."""
    rest, apart = stop.rest, stop.position > stop.before_end
    if rest[0] == '"':
        return _next_string_fits(stop)
    if stop.expected == "colon" and VALUE_OR_SIGN.match(rest):
        return True
    if rest[0] in "{[":
        return apart
    if rest[0] in "]}:,":
        return True
    if COMMENT.match(rest):
        return apart
    if match := ODD.match(rest):
        return not rest[match.end() :].strip() or rest[match.end() :].lstrip()[0] in ',:}]"'
    if rest[0] in WIDE or rest[0] in ";；=":
        return bool(re.match(r"[，：、;；]\s*[\"“”{\[\d]|=>?\s*[\"{\[]|[｝］]", rest))
    return False


def _next_string_fits(stop: Stop) -> bool:
    """Whether the next string is one of its own, so that only a comma or a colon is missing before it."""
    match = STRING_AND_NEXT.match(stop.text, stop.position)
    if match is None or match.group() == '""' or match[1] == "":
        return False
    if stop.expected == "colon":
        return match[1] in ",}"
    return match[1] == ":" if stop.levels[-1].opening == "{" else match[1] in ",]"


def _bad_string(stop: Stop) -> Fault | None:
    """Is it a string with something in it that must not be there, or without an end?"""
    if stop.rest[:1] != '"' or stop.expected in ("comma", "colon"):
        return None
    body = STRING_BODY.match(stop.text, stop.position)
    end = body.end() if body else stop.position + 1
    if end == len(stop.text) or (end == len(stop.text) - 1 and stop.text[end] == "\\"):
        return _curly_end(stop.text, stop.position, end) or _unclosed(stop)
    return _bad_character(stop, end)


def _bad_character(stop: Stop, end: int) -> Fault:
    character = stop.text[end]
    if character == "\\":
        return Fault("J207", end, 2, args={"escape": stop.text[end : end + 2]})
    if character in "\r\n":
        lost = NEXT_MEMBER.match(stop.text, end)
        return Fault("J233", stop.position, end - stop.position) if lost else Fault("J208", end)
    return Fault("J225", end, args={"character": f"U+{ord(character):04X}"})


def _unclosed(stop: Stop) -> Fault:
    """A string that runs to the end: it lacks its quote where brackets end the text, else the rest is cut off."""
    whole = stop.text.rstrip().rstrip(",")
    if whole.endswith(("}", "]")) and stop.levels:
        return Fault("J233", stop.position, len(stop.text) - stop.position)
    return Fault("J219", max(0, len(stop.text) - 1), args={"missing": f'"{stop.missing}'})


def _foreign(stop: Stop) -> Fault | None:
    """Is the character itself from elsewhere: a word processor, Python, JavaScript, a number of another kind?"""
    rest = stop.rest
    if rest[0] in QUOTES:
        return _at(stop, "J202", character=rest[0])
    if fault := _matched("J213", COMMENT, stop) or _matched("J224", ODD, stop) or _matched("J221", DOTS, stop):
        return fault
    if rest[0] in WIDE:
        return _at(stop, "J227", character=rest[0])
    return None


def _value(stop: Stop) -> Fault | None:
    """What stands in a value's or a key's place?"""
    if stop.expected in ("comma", "colon", "end"):
        return None
    if fault := _matched("J203", PYTHON, stop):
        return fault
    number = NO_NUMBER.match(stop.rest) if "value" in stop.expected else None
    if number:
        value = number.group()
        return Fault("J215", stop.position, len(value), pointer(stop.levels), {"value": value[:24]})
    word = WORD.match(stop.rest)
    if word and stop.before == "[" and len(stop.levels) == 1 and stop.begin == 0:
        return _prose_at(stop, stop.text.find("["))  # [INST] or the date of a log
    return _at(stop, "J223", len(word.group()), word=word.group()[:24]) if word else None


def _nothing(stop: Stop) -> Fault | None:
    """Does a bracket or a comma stand where a value or a key belongs?"""
    mark, before = stop.rest[0], stop.before
    if mark not in "]}," or stop.expected == "comma" or (stop.expected == "colon" and mark == ","):
        return None
    if before == ",":
        return Fault("J204", stop.before_start)
    if before == ":" or stop.expected == "colon":
        return Fault("J234", stop.before_start, len(before), args={"key": str(stop.levels[-1].at)})
    return Fault("J204", stop.position) if mark == "," else None


def _brackets(stop: Stop) -> Fault | None:
    """Do the brackets not pair up?"""
    mark = stop.rest[0]
    if mark in "]}":
        return _at(stop, "J226")
    inside_object = bool(stop.levels) and stop.levels[-1].opening == "{"
    if mark in "{[" and (stop.expected in KEYS or (mark == "{" and inside_object and stop.expected == "comma")):
        return Fault("J226", stop.before_end - 1)
    return None


def _separator(stop: Stop) -> Fault | None:
    """Is a comma or a colon missing, or another sign in its place?"""
    if stop.expected not in ("comma", "colon"):
        return None
    sign = "," if stop.expected == "comma" else ":"
    if stop.rest[0] in ',:;=|"{[-' or VALUE_OR_SIGN.match(stop.rest):
        wrong = stop.rest[0] in ",:;=|"
        return Fault("J220", stop.position if wrong else stop.before_end - 1, args={"sign": sign})
    return None


QUESTIONS: Sequence[Callable[[Stop], Fault | None]] = (
    _wrapped,
    _cut_off,
    _line_of_other_kind,
    _behind,
    _early_end,
    _bad_string,
    _foreign,
    _nothing,
    _brackets,
    _separator,
    _value,
)

"""Personal data and secrets: what may not leave the house, and what a model would learn to repeat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from finetune_lib.data.checks.privacy import credentials, personal
from finetune_lib.data.checks.privacy.detectors import Detector, Found, narrowed
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.records import Example, Origin

SHORTEST = 6
REPEATED = 64  # texts that come again and again, as system prompts do
LABELS = (
    "EMAIL", "PHONE", "CN_ID", "TW_ID", "HK_ID", "US_SSN", "TW_COMPANY", "PASSPORT", "CARD", "IBAN", "API_KEY", "TOKEN",
)  # fmt: skip
# The one search that most texts cost; only those with a number or a mixture of digits and letters are looked at.
_SCREEN = re.compile(f"[0-9](?:{credentials.LETTER_BESIDE}|{personal.MORE_DIGITS})")
_REDACTED = re.compile(rf"\[(?:{'|'.join(LABELS)}|PASSWORD|PRIVATE_KEY)(?:_\d+)?\]")
NO_TEXT = frozenset({"role", "type", "id", "tool_call_id", "tools", "functions", "image_url", "input_audio", "file"})


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG001 - the checks share one shape
    """Personal data, secrets and redacted places in the texts of one example, one finding a text and kind."""
    for path, text in texts(example.data) if may_hold("\0".join(_gathered(example.data))) else ():
        if found := pieces(text):
            yield from _findings(text, found, path, example.origin)
        if "[" in text and (marks := _REDACTED.findall(text)):
            place = text.index(marks[0])
            given: dict[str, Any] = {"count": len(marks), "label": marks[0]}
            yield diagnose("X953", example.origin, path, quote=quote(text, place, len(marks[0])), **given)


def may_hold(whole: str) -> bool:
    """Whether a row needs a look at each of its texts: all of them, joined by line ends, are searched as one."""
    whole = narrowed(whole)
    if "@" in whole or ("[" in whole and _REDACTED.search(whole)):
        return True
    screened = _SCREEN.search(whole)
    return screened is not None and (personal.may_hold(whole, screened.start()) or credentials.is_hinted(whole))


def pieces(text: str) -> tuple[Found, ...]:
    """What is personal or secret in a text, in order; where two overlap, the surer one."""
    plain = narrowed(text)
    if ("@" not in plain and not _SCREEN.search(plain)) or plain.startswith("data:"):
        return ()
    return _pieces(plain)


@lru_cache(REPEATED)
def _pieces(text: str) -> tuple[Found, ...]:
    surest = [*credentials.find(text), *personal.find(text)]
    kept: list[tuple[int, Found]] = []
    for rank, piece in sorted(enumerate(surest), key=lambda item: item[1].start):
        if not kept or piece.start >= kept[-1][1].end:
            kept.append((rank, piece))
        elif rank < kept[-1][0]:
            kept[-1] = (rank, piece)
    return tuple(piece for _, piece in kept)


def masked(value: str, detector: Detector) -> str:
    """As much of a value as tells which one it is, and no more."""
    if detector.label == "EMAIL":
        local, _, domain = value.replace("＠", "@").partition("@")
        return f"{local[0]}{'*' * (len(local) - 1)}@{domain[0]}{'*' * (len(domain) - 1)}"
    shown = 0 if detector.label in ("PASSWORD", "PRIVATE_KEY") else min(4, len(value) // 4)
    tail = 2 if detector.severity != "error" and shown else 0
    hidden = min(len(value) - shown - tail, 24)
    return f"{value[:shown]}{'*' * hidden}{value[len(value) - tail :]}"


def texts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each text of a row that is uploaded, with its JSON pointer."""
    found: list[tuple[str, str]] = []
    _collect(data, "", found)
    return found


def _gathered(data: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    _gather(data, found)
    return found


def _gather(value: Mapping[str, Any], found: list[str]) -> None:
    """The texts without their places; short ones too."""
    for key, inner in value.items():
        if key in NO_TEXT:
            continue
        if isinstance(inner, str):
            found.append(inner)
        elif isinstance(inner, dict):
            _gather(cast("dict[str, Any]", inner), found)
        elif isinstance(inner, list):
            _gather_list(cast("list[object]", inner), found)


def _gather_list(values: Sequence[object], found: list[str]) -> None:
    for value in values:
        if isinstance(value, dict):
            _gather(cast("dict[str, Any]", value), found)
        elif isinstance(value, list):
            _gather_list(cast("list[object]", value), found)
        elif isinstance(value, str):
            found.append(value)


def _collect(value: Mapping[str, Any], path: str, found: list[tuple[str, str]]) -> None:
    """A list and a loop of its own for lists: this runs over every text of every row."""
    for key, inner in value.items():
        if key in NO_TEXT:
            continue
        if isinstance(inner, str):
            if len(inner) >= SHORTEST:
                found.append((f"{path}/{_escaped(key)}", inner))
        elif isinstance(inner, dict):
            _collect(cast("dict[str, Any]", inner), f"{path}/{_escaped(key)}", found)
        elif isinstance(inner, list):
            _collect_list(cast("list[object]", inner), f"{path}/{_escaped(key)}", found)


def _collect_list(values: Sequence[object], path: str, found: list[tuple[str, str]]) -> None:
    for index, value in enumerate(values):
        if isinstance(value, dict):
            _collect(cast("dict[str, Any]", value), f"{path}/{index}", found)
        elif isinstance(value, list):
            _collect_list(cast("list[object]", value), f"{path}/{index}", found)
        elif isinstance(value, str) and len(value) >= SHORTEST:
            found.append((f"{path}/{index}", value))


def _escaped(key: str) -> str:
    """A key in a JSON pointer. Source: RFC 6901."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def _findings(text: str, found: Sequence[Found], path: str, origin: Origin) -> Iterator[Diagnostic]:
    safe = _without(text, found)
    groups: dict[str, list[Found]] = {}
    for piece in found:
        groups.setdefault(piece.detector.kind, []).append(piece)
    for kind, group in groups.items():
        first = group[0]
        detector = first.detector
        code = "X952" if detector in credentials.secrets() else "X951"
        hidden = masked(text[first.start : first.end], detector)
        given: dict[str, Any] = {"kind": kind, "count": len(group), "masked": hidden}
        window = quote(safe, first.start, first.end - first.start)
        yield diagnose(code, origin, path, quote=window, severity=detector.severity, **given)


def _without(text: str, found: Iterable[Found]) -> str:
    """The text with every piece hidden, character for character, so that no quote gives one away."""
    parts: list[str] = []
    last = 0
    for piece in found:
        hidden = masked(text[piece.start : piece.end], piece.detector)
        size = piece.end - piece.start
        parts += [text[last : piece.start], hidden[:size].ljust(size, "*")]
        last = piece.end
    return "".join([*parts, text[last:]])

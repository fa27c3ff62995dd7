"""Secrets in texts: keys, tokens and passwords, as irregular as a machine or a careful person makes them.

Values that manuals print (`sk-xxxx`, `YOUR_API_KEY`, `AKIAIOSFODNN7EXAMPLE`) are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from finetune_lib.data.checks.privacy.detectors import Detector, Found, entropy, made_up, table

LETTER_BESIDE = r"[A-Za-z]|(?<=[A-Za-z_@!][0-9])"  # behind a digit: what every secret has
_FROM_RAREST = "zjqxkvbpygfwmculdrhsnioate "  # of English; anything else is rarer still
_DRAWN = re.compile(r"[A-Za-z0-9_-]{16}")  # a machine's secrets are long
_MADE_UP = re.compile(
    r"(?i)example|sample|dummy|fake|placeholder|redacted|your|changeme|change_me|insert|x{4,}|\*{3,}|\.{3}|…|123456|abcdef"
    r"|secret[-_]?key|api[-_]?key|password|passwd|mypass|test|0{6,}"
)
_CODE = re.compile(r"[(){}\[\]<>$%]|^(?:os|process|config|env|self|request|user|this|args)\.|[a-z]\.[a-z]{3,}")


def find(text: str) -> Iterator[Found]:
    """Each secret; of secrets that overlap the first is the surest."""
    if named := hinted(text):
        drawn = _DRAWN.search(text) is not None
        for number, detector in enumerate(secrets()):
            if number in named and (drawn or detector.label == "PASSWORD"):  # which need not be long
                yield from detector.find(text, 0, len(text))


def is_hinted(text: str) -> bool:
    """Whether `hinted` names any."""
    for mark, hints in _hints():  # a loop costs half of what a generator does, and nearly every number comes here
        if mark in text:
            for hint, _ in hints:
                if hint in text:
                    return True
    return False


def hinted(text: str) -> set[int]:
    """The places of the detectors of which a hint stands in a text; no other can find anything there."""
    return {place for mark, hints in _hints() if mark in text for hint, place in hints if hint in text}


@cache
def secrets() -> tuple[Detector, ...]:
    """The detectors of secrets, the surest first."""
    return tuple(
        Detector(
            entry["kind"],
            entry["label"],
            re.compile(_bordered(entry), re.ASCII),
            _holds(entry),
            tuple(entry["hints"]),
            entry.get("severity", "error"),
        )
        for entry in table("credentials.toml").values()
    )


@cache
def _hints() -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """The hints with the places of their detectors, by the rarest character of each, which is found quickly."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for number, secret in enumerate(secrets()):
        for hint in secret.hints:
            groups.setdefault(min(hint, key=_FROM_RAREST.find), []).append((hint, number))
    return tuple((mark, tuple(hints)) for mark, hints in groups.items())


def _bordered(entry: Mapping[str, Any]) -> str:
    return str(entry["pattern"]) if "(?P<value>" in entry["pattern"] else f"(?<![A-Za-z0-9])(?:{entry['pattern']})"


def _holds(entry: Mapping[str, Any]) -> Callable[[re.Match[str]], bool]:
    least, irregular = float(entry["entropy"]), bool(entry.get("irregular"))

    def holds(match: re.Match[str]) -> bool:
        value = match["value"] if "value" in match.re.groupindex else match[0]
        if _MADE_UP.search(value) or entropy(value) < least:
            return False
        return _is_irregular(value) if irregular else True

    return holds


def _is_irregular(value: str) -> bool:
    """Whether a value looks like a password: letters and digits, and no piece of a program."""
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    return letters and digits and not _CODE.search(value) and not made_up("".join(filter(str.isdigit, value)) + "ab")

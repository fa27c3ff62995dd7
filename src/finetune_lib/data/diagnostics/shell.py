"""Hints at the command line: each Python call as the option that does the same there."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from shlex import quote
from typing import Any

OPTIONS = "system|sheet|encoding|roles|conversation|method|target|model|ignore|near"
_VALUE = r"""…|"…"|"[^"]*"|'[^']*'|\{\w+(?:!r)?\}"""
_LOAD = re.compile(r"Dataset\.load\((?:path|…), (.*?)\)(?![\w}])")
_COLUMNS = re.compile(r"columns=\{\{?((?:\{\w+(?:!r)?\}|[^{}])+)\}\}?")
_FIELD = re.compile(rf"""["'](\w+|\{{\w+\}})["']: ({_VALUE})""")
_NAMED = re.compile(r"\{((?:'[^']*': …(?:, )?)+)\}")  # names, each with what is to be told of it
_SWITCH = re.compile(rf"\b({OPTIONS})=True")
_OPTION = re.compile(rf"\b({OPTIONS})=({_VALUE})?")
_CALLS = {
    "data.fix(safe_only=False)": "finetune-lib fix --unsafe",
    "data.fix()": "finetune-lib fix",
    "data = data.redact()": "finetune-lib fix --redact",
    "Dataset.save": "finetune-lib fix",
    "Dataset.load": "finetune-lib",
}


def in_shell(text: str) -> str:
    """A text, or a template of one, with options of the command line in the place of Python calls."""
    text = _LOAD.sub(lambda call: re.sub(r", (?=--)", " ", _options(call[1])), text)
    for call, command in _CALLS.items():
        text = text.replace(call, command)
    return _options(text)


def filled_for_shell(template: str, given: Mapping[str, Any]) -> str:
    """A template of a hint, filled: what is quoted in Python is quoted for the shell."""
    said = {name: in_shell(value) if isinstance(value, str) else value for name, value in given.items()}
    return _Shell().vformat(in_shell(template), (), said)


def _options(text: str) -> str:
    text = _NAMED.sub(_names, text)
    text = _COLUMNS.sub(lambda found: f"--columns {_fields(found[1])}", text)
    text = _SWITCH.sub(r"--\1", text)
    return _OPTION.sub(lambda found: f"--{found[1]} {(found[2] or '').strip(chr(34))}".rstrip(), text)


def _fields(text: str) -> str:
    """From `"prompt": …, "completion": …` to `prompt=…,completion=…`."""
    pairs = [f"{name}={value.strip(chr(34))}" for name, value in _FIELD.findall(text)]
    return ",".join(pairs) or "FIELD=NAME"


def _names(found: re.Match[str]) -> str:
    """From `{'小美': …}` to `小美=…`, quoted for the shell."""
    return ",".join(f"{quote(name)}=…" for name in re.findall(r"'([^']*)': …", found[1]))


class _Shell(string.Formatter):
    def convert_field(self, value: Any, conversion: Any) -> Any:
        return quote(str(value)) if conversion == "r" else super().convert_field(value, conversion)

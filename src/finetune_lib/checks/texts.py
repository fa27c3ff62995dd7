"""What may not stand in a text, whatever its role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from finetune_lib.diagnostics import Diagnostic, Severity, diagnose
from finetune_lib.records import Origin

SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix|im_start|im_sep|im_end)\|>")
SURROGATE = re.compile("[\ud800-\udfff]")


def text_findings(text: str, path: str, origin: Origin, *, role: str, empty: Severity | None) -> Iterator[Diagnostic]:
    """Special tokens, halves of characters, and emptiness with the severity that it has here."""
    if match := SPECIAL.search(text):
        yield diagnose("K703", origin, path, token=match[0])
    if match := SURROGATE.search(text):
        yield diagnose("E108", origin, path, character=f"\\u{ord(match[0]):04x}")
    if empty and not text.strip():
        yield replace(diagnose("C406", origin, path, role=role), severity=empty)

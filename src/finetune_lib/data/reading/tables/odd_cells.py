"""Cells that are not what they seem: damaged by a spreadsheet, shown otherwise than stored, or like nothing at all."""

from __future__ import annotations

import re
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.reading.tables.cells import LOST, Kind, Mark
from finetune_lib.data.reading.tables.unfinished import lost_character, unfinished
from finetune_lib.records import Origin

ONCE_A_COLUMN: frozenset[Kind] = frozenset({"shown by its format", "a date in the viewer's own form"})
DITTO = "T283"
LONGEST_EXCEL = 32_767  # UTF-16 units: what a cell of Excel holds at most
ORDINARY = 20
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
ODD_TEXT = re.compile(
    r"(?P<T255>N/?A|n/a|None|none|NULL|Null|null|NaN|nan)"
    r"|(?P<T259>#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!))"
    rf"|(?P<T256>\d(?:\.\d+)?E\+\d\d+|\d{{1,2}}-(?:{MONTHS})|(?:{MONTHS})-\d\d)"
)


def marked(mark: Mark, name: str, cell: Any, origin: Origin) -> Diagnostic:
    """The finding for a cell that is shown otherwise than it is stored; without a value the row is lost."""
    match mark.kind:
        case "a number with more digits than Excel keeps":
            return diagnose("T256", origin, text=cell)
        case "shown by its format":
            return diagnose("T279", origin, text=cell, stored=mark.stored)
        case "a date in the viewer's own form":
            return diagnose("T280", origin, text=cell)
        case "struck through":
            return diagnose("T281", origin)
        case _:
            severity = "error" if mark in LOST and name != "category" else "warning"
            return diagnose("T259", origin, severity=severity, what=mark.kind, text=cell)


def odd_text(text: str) -> str | None:
    """The code for a text that other readers take for nothing, that a spreadsheet has damaged, or that is none yet."""
    if len(text) <= ORDINARY:
        bare = text.strip()
        if match := ODD_TEXT.fullmatch(bare):
            return match.lastgroup
        if found := unfinished(bare):
            return found
    if "?" in text and not text.isascii() and lost_character(text):
        return "T286"
    cut = len(text) > LONGEST_EXCEL // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 == LONGEST_EXCEL
    return "T264" if cut else None


def of_column(code: str, column: str, text: str, origin: Origin) -> Diagnostic:
    """The finding for an odd text."""
    match code:
        case "T259":
            return diagnose(code, origin, what="an error of Excel", text=text)
        case "T264":
            return diagnose(code, origin, column=column)
        case "T286":
            return diagnose(code, origin, text=lost_character(text))
        case _:
            return diagnose(code, origin, column=column, text=text)

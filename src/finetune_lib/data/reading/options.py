"""What a reader takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.errors import ReadError
from finetune_lib.records import Example, Origin


@dataclass(frozen=True, slots=True)
class Options:
    """How to read: the text encoding, the sheet of a workbook, and names of columns."""

    encoding: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The examples of a file, and a diagnostic for each part that gave none."""

    examples: tuple[Example, ...]
    problems: tuple[Diagnostic, ...]


def unreadable(code: str, path: Path, *, line: int | None = None, **args: Any) -> ReadError:
    """The error for a file that cannot be read as a whole, with its diagnostic."""
    diagnostic = diagnose(code, Origin(path.name, line=line), None, **args)
    return ReadError(str(diagnostic), path=path, line=line, diagnostic=diagnostic)

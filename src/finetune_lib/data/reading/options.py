"""What a reader takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.errors import DataError
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


class ReadError(DataError):
    """A file as a whole cannot be read: missing, empty, of another kind, in an unknown encoding.

    Attributes:
        path: The file, or None for data that came from memory.
        line: The physical line, counted from 1, where it shows; None where there is none.
        diagnostic: The same as a finding with a stable code; None where the file could not be opened.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        diagnostic: Diagnostic | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.diagnostic = diagnostic


def unreadable(code: str, path: Path, *, line: int | None = None, **args: Any) -> ReadError:
    """The error for a file that cannot be read as a whole, with its diagnostic."""
    diagnostic = diagnose(code, Origin(path.name, line=line), None, **args)
    return ReadError(str(diagnostic), path=path, line=line, diagnostic=diagnostic)

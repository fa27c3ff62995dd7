"""What a reader takes and gives."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.errors import DataError
from finetune_lib.records import Example, Origin

ROLES = frozenset({"user", "assistant", "system"})


@dataclass(frozen=True, slots=True)
class Options:
    """How to read.

    Attributes:
        encoding: The text encoding.
        sheet: The sheet of a workbook.
        columns: From a field to the column that holds it.
        roles: From a speaker's name to `user`, `assistant` or `system`.
        conversation: The column that tells conversations apart, or holds each as a whole.

    Raises:
        ValueError: A role is unknown.
    """

    encoding: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] | None = None
    roles: Mapping[str, str] | None = None
    conversation: str | None = None

    def __post_init__(self) -> None:
        """Refuse roles that there are not."""
        if unknown := set((self.roles or {}).values()) - ROLES:
            given = ", ".join(sorted(map(str, unknown)))
            raise ValueError(f"roles= maps speakers to user, assistant or system, not to {given}")

    @property
    def tells(self) -> bool:
        """Whether something is said of the columns of a table."""
        return bool(self.columns or self.roles or self.conversation)


@dataclass(frozen=True, slots=True)
class Reading:
    """The examples of a file, and what was found about it: a diagnostic for each part that gave none."""

    examples: Sequence[Example]
    problems: tuple[Diagnostic, ...]


class ReadError(DataError):
    """A file as a whole cannot be read: missing, empty, of another kind, in an unknown encoding.

    Attributes:
        path: The file, or None for data that came from memory.
        line: The physical line, counted from 1, where it shows; None where there is none.
        diagnostic: The same as a finding with a stable code; None where the file could not be opened.
    """

    def __init__(
        self, message: str, *, path: Path | None = None, line: int | None = None, diagnostic: Diagnostic | None = None
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.diagnostic = diagnostic


def unreadable(code: str, *, line: int | None = None, **args: Any) -> ReadError:
    """The error for a file that cannot be read as a whole, with its diagnostic; `about` names the file."""
    diagnostic = diagnose(code, Origin(line=line), None, **args)
    return ReadError(str(diagnostic), line=line, diagnostic=diagnostic)


@contextmanager
def about(path: Path) -> Generator[None]:
    """Name the file in what is raised inside without knowing it."""
    try:
        yield
    except ReadError as error:
        raise (error if error.path else _named(error, path)) from error.__cause__
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}. Check the path.", path=path) from error


def _named(error: ReadError, path: Path) -> ReadError:
    if error.diagnostic is None:
        return ReadError(f"{path}: {error}", path=path)
    diagnostic = sourced(error.diagnostic, path.name)
    return ReadError(str(diagnostic), path=path, line=error.line, diagnostic=diagnostic)


def sourced(found: Diagnostic, source: str) -> Diagnostic:
    """The finding with the name of the file that it is about."""
    return replace(found, origin=replace(found.origin, source=source))

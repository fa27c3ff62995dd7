"""Warnings that point at the user's own line, also where the work runs on a loop or in a thread of the library's."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

# Code of these folders is never the user's own; a task has asyncio's above it, and then the line that runs the loop.
_FOLDERS = tuple(f"{Path(file).parent}{os.sep}" for file in (__file__, asyncio.__file__))
_FILES = frozenset({contextlib.__file__, threading.__file__})
FAR_BELOW = 6  # where nothing else is known


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code.

    Attributes:
        file: Where it stands.
        number: From 1.
        globals: Of its module.
    """

    file: str
    number: int
    globals: dict[str, Any]


_BEGUN_AT: contextvars.ContextVar[Line | None] = contextvars.ContextVar("finetune_lib_begun_at", default=None)


def begun(context: contextvars.Context) -> contextvars.Context:
    """Let what runs in a context remember the line that it was begun at; gives the context."""
    if line := _own_line():
        context.run(_BEGUN_AT.set, line)
    return context


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the user's own line: of this call, else of the one that began the work."""
    line = _own_line() or _BEGUN_AT.get()
    if line is None:
        warnings.warn(text, category, stacklevel=FAR_BELOW)
        return
    module, registry = line.globals.get("__name__"), line.globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, category, line.file, line.number, module=module, registry=registry)


def _own_line() -> Line | None:
    """The innermost line of a stack that is neither the library's nor of what runs loops and threads."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and (frame.f_code.co_filename in _FILES or frame.f_code.co_filename.startswith(_FOLDERS)):
        frame = frame.f_back
    return None if frame is None else Line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)

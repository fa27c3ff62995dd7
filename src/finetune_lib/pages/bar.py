"""How far something is, drawn where somebody looks: in place in a notebook, as one line in a terminal, else nowhere."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from finetune_lib.pages.markup import Markup, tag
from finetune_lib.pages.terminal import width

SWITCH = "FINETUNE_LIB_PROGRESS"
PAUSE = 0.2  # seconds between two pictures
CELLS = 20
Told = Callable[..., object]


@dataclass(frozen=True, slots=True)
class _State:
    text: str
    share: float | None
    picture: Callable[[], str] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return self.text

    def __str__(self) -> str:
        if self.share is None:
            return self.text
        full = int(self.share * CELLS)
        return f"[{'#' * full}{'-' * (CELLS - full)}] {self.share:4.0%} {self.text}"

    def _repr_html_(self) -> str:
        bars = [] if self.share is None else [tag("progress", value=f"{self.share:.3f}", max="1"), " "]
        return tag("div", *bars, self.text, Markup(self.picture()) if self.picture else "", class_="ftl")


class Bar:
    """Draws how far something is; `progress=True` makes one, and it can be given as `on_progress`.

    In a notebook it is a display that changes in place, in a terminal one line on stderr. In a pipe, and where
    `FINETUNE_LIB_PROGRESS` is 0, it is silent. Drawing never disturbs what is drawn.

    Whatever it is given to closes it in the end; in a loop of your own `with` does, also where that is interrupted.

    Example:
        >>> import finetune_lib as ft
        >>> with ft.Bar("upload") as bar:
        ...     for done in range(4):
        ...         bar(done + 1, 4)
    """

    def __init__(self, title: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; nothing is drawn yet.

        Args:
            title: Stands before each state.
            clock: Seconds of a clock that never goes back.
        """
        self._title, self._clock = f"{title} " if title else "", clock
        self._kernel = _kernel()
        self._off = os.environ.get(SWITCH) == "0" or not (self._kernel or _is_terminal())
        self._state: _State | None = None
        self._drawn, self._at, self._cells = self._state, -PAUSE, 0
        self._handle: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, done: Any, total: int | None = None) -> None:
        """Draw so many of so many, or what has `done` and `total` and says itself in words, as a `Progress`."""
        count, whole, text = (done.done, done.total, str(done)) if total is None else (done, total, "")
        share = min(count / whole, 1.0) if whole else 1.0
        self.show(text or f"{count:,} of {whole:,}", share=share)
        if share == 1:
            self.close()

    @property
    def due(self) -> bool:
        """Whether a new state would be drawn now."""
        return not self._off and self._clock() - self._at >= PAUSE

    def show(self, text: str, *, share: float | None = None, picture: Callable[[], str] | None = None) -> None:
        """Draw a state in words and, where it is known, as the share that is done; at most five a second.

        Args:
            text: The words.
            share: From 0 to 1.
            picture: Gives the SVG that a notebook shows below; called when it is drawn.
        """
        self._state = _State(f"{self._title}{text}", share, picture)
        if self.due:
            self._draw()

    def close(self) -> None:
        """Draw the last state, and leave it there."""
        if self._off or self._state is None:
            return
        if self._drawn != self._state:
            self._draw()
        if self._cells:
            self._write("\n")
        self._cells, self._state = 0, None

    def _draw(self) -> None:
        self._drawn, self._at = self._state, self._clock()
        if self._kernel is None:
            self._draw_line(str(self._state))
            return
        with suppress(Exception):  # a front end that is gone must not end paid work
            if self._handle is None:
                self._handle = self._kernel(self._state, display_id=True)
            else:
                self._handle.update(self._state)

    def _draw_line(self, line: str) -> None:
        line = "".join(c if c.isprintable() else " " for c in line)
        room = shutil.get_terminal_size().columns - 1
        while width(line) > room:
            line = line[:-1]
        self._write(f"\r{line}{' ' * (self._cells - width(line))}")
        self._cells = width(line)

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # closed by now
            sys.stderr.write(text)
            sys.stderr.flush()


@contextmanager
def drawing(on_progress: Told | None, *, progress: bool, title: str = "") -> Generator[Told | None]:
    """What is called with each state: the given function, a bar, or both; however it ends, no line stays open."""
    told = [*([Bar(title)] if progress else []), *([on_progress] if on_progress else [])]

    def tell(*state: Any) -> None:
        for one in told:
            one(*state)

    try:
        yield tell if told else None
    finally:
        for one in told:
            if isinstance(one, Bar):
                one.close()


def _kernel() -> Any:
    """The `display` of a notebook's kernel; None where there is none. IPython is not imported for it."""
    if "IPython" not in sys.modules:
        return None
    shell: Any = sys.modules["IPython"].get_ipython()
    return importlib.import_module("IPython.display").display if hasattr(shell, "kernel") else None


def _is_terminal() -> bool:
    with suppress(AttributeError, ValueError):  # no stderr, or a closed one
        return sys.stderr.isatty()
    return False

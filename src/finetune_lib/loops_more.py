"""An event loop of its own in a thread of its own: what waits runs in scripts and inside a notebook's loop alike."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on an event loop of its own in its own thread; Ctrl-C stops it."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work, context=contextvars.copy_context())
    left: list[BaseException] = []
    thread = threading.Thread(target=_drive, args=[loop, task, left], name="finetune_lib", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if left:
        raise left[0]
    return task.result()


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], left: list[BaseException]) -> None:
    """The task keeps its result or its error for the thread that waits; what makes the loop stop goes to `left`."""
    try:
        loop.run_until_complete(asyncio.wait([task]))
    except (KeyboardInterrupt, SystemExit) as error:
        left.append(error)
        task.cancel()
        with contextlib.suppress(BaseException):
            loop.run_until_complete(task)
        if task.done() and not task.cancelled():
            task.exception()  # told already
    finally:
        loop.close()

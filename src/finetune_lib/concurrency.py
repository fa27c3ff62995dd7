"""Calling what users give, and waiting for it: plain functions in threads, async ones on a loop, side by side.

Every thread is a daemon: what hangs in it does not keep an interrupted process alive.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from finetune_lib.warned import begun

P = ParamSpec("P")
T = TypeVar("T")
GRACE = 3.0  # seconds that work has to end in, once it is told to
# Seconds after which a wait looks whether it was interrupted: with polars loaded, and on Windows, Ctrl-C wakes no wait.
HEARTBEAT = 0.2


async def call(function: Callable[..., Any], *args: Any) -> Any:
    """Await an async callable; run a plain one in a thread, so that a slow one holds up nobody.

    What would end the whole run, as `SystemExit`, is an error of this call alone.
    """
    if getattr(function, "instant", False):
        result = function(*args)
        return await result if inspect.isawaitable(result) else result
    try:
        result = function(*args) if is_async(function) else await in_thread(_caught, function, *args)
        return await result if inspect.isawaitable(result) else result
    except (asyncio.CancelledError, SystemExit) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise
        raise _ordinary(error) from error


def is_async(function: object) -> bool:
    """Whether calling it gives something to await, or to be gone through asynchronously."""
    forms = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(form(one) for one in (function, type(function).__call__) for form in forms)


def name_of(thing: object) -> str:
    """The name in reports: the object's own `name`, else a function's or class's name."""
    given = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return str(given or type(thing).__name__)


def _caught(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, StopIteration):  # which a coroutine cannot raise
            raise
        raise _ordinary(error) from error


def _ordinary(error: BaseException) -> RuntimeError:
    return RuntimeError(f"{type(error).__name__}: {error}")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`, whose threads an interrupted process would wait for."""
    return await asyncio.wrap_future(_started(begun(contextvars.copy_context()).run, function, *args, **kwargs))


def _started(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    future: Future[T] = Future()

    def work() -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

    threading.Thread(target=work, name="finetune_lib", daemon=True).start()
    return future


class _Daemons(ThreadPoolExecutor):
    """For what a loop or an async function does in threads by itself, as looking up the address of a host."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return _started(fn, *args, **kwargs)


def in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end on an event loop of its own in its own thread: in scripts and inside a notebook's loop alike.

    Ctrl-C stops it; what does not stop within `GRACE` seconds, as a function that blocks the loop, is left behind.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Daemons())
    task = loop.create_task(work, context=begun(contextvars.copy_context()))
    ended = _started(_driven, loop, task)
    try:
        while not wait([ended], HEARTBEAT).done:
            pass
        return ended.result()  # to join the thread would not do: once interrupted, Python 3.11 takes it for ended
    except BaseException:
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(task.cancel)
        wait([ended], GRACE)
        raise


def _driven(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> T:
    """The result or error of the task, or what makes the loop stop before."""
    try:
        loop.run_until_complete(asyncio.wait([task]))
        return task.result()
    except (KeyboardInterrupt, SystemExit):
        task.cancel()
        with suppress(BaseException):  # asked for the task itself, asyncio would never stop where it ended so
            loop.run_until_complete(asyncio.wait([task]))
        if task.done() and not task.cancelled():
            task.exception()  # told already
        raise
    finally:
        loop.close()


async def together(coroutines: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Run them side by side; the first error ends them all, and is raised as it is."""
    ended: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        ended = errors.exceptions[0]
    if ended:
        raise ended

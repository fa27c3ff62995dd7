"""Calling what users give: plain functions in threads, async ones on the loop; what they raise ends no run."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

Outcome = tuple[Any, BaseException | None]


async def call(function: Callable[..., Any], *args: Any) -> Any:
    """Await an async callable; run a plain one in a thread, so that a slow one holds up nobody."""
    if getattr(function, "instant", False):
        return function(*args)
    result = function(*args) if is_async(function) else await _in_thread(function, args)
    return await _awaited(result) if inspect.isawaitable(result) else result


def is_async(function: object) -> bool:
    """Whether calling it gives something to await."""
    return any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))


def name_of(thing: object) -> str:
    """The name in reports: the object's own `name`, else a function's or class's name."""
    given = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return str(given or type(thing).__name__)


async def _awaited(result: Awaitable[Any]) -> Any:
    """What would end the whole run, as `SystemExit`, is an error of this call alone."""
    try:
        return await result
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        raise _ordinary(error) from error
    except SystemExit as error:
        raise _ordinary(error) from error


async def _in_thread(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """A daemon thread: a function that hangs does not keep an interrupted process alive."""
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    future: asyncio.Future[Outcome] = loop.create_future()

    def work() -> None:
        outcome = context.run(_caught, function, args)
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(_set, future, outcome)

    threading.Thread(target=work, name="finetune_lib", daemon=True).start()
    result, error = await future
    if error is not None:
        raise error if isinstance(error, Exception) else _ordinary(error)
    return result


def _caught(function: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    try:
        return function(*args), None
    except StopIteration as error:  # a coroutine cannot raise it
        return None, _ordinary(error)
    except BaseException as error:
        return None, error


def _ordinary(error: BaseException) -> RuntimeError:
    return RuntimeError(f"{type(error).__name__}: {error}")


def _set(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)


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


def name_of(thing: object) -> str:
    """The name in reports: the object's own `name`, else a function's or class's name."""
    given = getattr(thing, "name", None) or getattr(thing, "__name__", None)
    return str(given or type(thing).__name__)

"""Calling augmenters of every form: plain functions in threads, async ones on the loop, generators to their end."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from finetune_lib.data.augmenters.augmenter import Augmenter, Child, Made, Missing
from finetune_lib.data.augmenters.noise import Noise
from finetune_lib.data.augmenters.script import Script
from finetune_lib.data.augmenters.system_prompts import SystemPrompts
from finetune_lib.records import Example

# They wait for nothing and change nothing: a thread would cost more than they do.
INSTANT = (Noise, Script, SystemPrompts)


async def children_of(augmenter: Augmenter, example: Example) -> list[Made]:
    """All that an augmenter gives for one example."""
    if isinstance(augmenter, INSTANT):
        return list(augmenter(example))
    # A function may change what it is given: it gets a copy, and what it gives is copied as it comes.
    own = replace(example, data=copy.deepcopy(dict(example.data)))
    if any(map(_is_async, (augmenter, type(augmenter).__call__))):
        return await _gathered(augmenter(own))
    made, waiting, error = await asyncio.to_thread(_caught, augmenter, own)
    if error is not None:
        raise error
    return made if waiting is None else await _gathered(waiting)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


async def _gathered(made: Any) -> list[Made]:
    if inspect.isawaitable(made):
        made = await made
    if isinstance(made, AsyncIterable):
        return [copy.deepcopy(item) async for item in cast("AsyncIterable[Made]", made)]
    return _listed(made)


def _caught(function: Callable[[Example], Any], example: Example) -> tuple[list[Made], Any, Exception | None]:
    """Call inside the thread, a generator to its end: the rows, or what is to be awaited, or the error."""
    try:
        made: Any = function(example)
        waits = inspect.isawaitable(made) or isinstance(made, AsyncIterable)
        return ([], cast("Any", made), None) if waits else (_listed(cast("object", made)), None, None)
    except (StopIteration, SystemExit) as error:  # no future can carry them
        return [], None, RuntimeError(f"{type(error).__name__}: {error}")
    except Exception as error:
        return [], None, error


def _listed(made: object) -> list[Made]:
    """What a function gave: rows in an iterable, one row alone, or None for none."""
    if made is None:
        return []
    if isinstance(made, (Example, Child, Missing, Mapping)):
        return [copy.deepcopy(cast("Made", made))]
    if isinstance(made, (str, bytes)) or not isinstance(made, Iterable):
        raise TypeError(f"an augmenter gives rows, not {type(made).__name__}")
    return [copy.deepcopy(item) for item in cast("Iterable[Made]", made)]

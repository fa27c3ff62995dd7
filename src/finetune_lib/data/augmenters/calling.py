"""The rows that augmenters of every form give: functions, plain or async, and generators."""

from __future__ import annotations

import copy
import inspect
from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from finetune_lib.concurrency import call, is_async
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
    return await call(_awaited if is_async(augmenter) else _run, augmenter, own)


async def _awaited(augmenter: Augmenter, example: Example) -> list[Made]:
    return await _gathered(augmenter(example))


def _run(augmenter: Augmenter, example: Example) -> list[Made] | Awaitable[list[Made]]:
    """A generator runs to its end in the thread; what is to be awaited is left to the loop."""
    made: Any = augmenter(example)
    return _gathered(made) if inspect.isawaitable(made) or isinstance(made, AsyncIterable) else _listed(made)


async def _gathered(made: Any) -> list[Made]:
    if inspect.isawaitable(made):
        made = await made
    if isinstance(made, AsyncIterable):
        return [copy.deepcopy(item) async for item in cast("AsyncIterable[Made]", made)]
    return _listed(made)


def _listed(made: object) -> list[Made]:
    """What a function gave: rows in an iterable, one row alone, or None for none."""
    if made is None:
        return []
    if isinstance(made, (Example, Child, Missing, Mapping)):
        return [copy.deepcopy(cast("Made", made))]
    if isinstance(made, (str, bytes)) or not isinstance(made, Iterable):
        raise TypeError(f"an augmenter gives rows, not {type(made).__name__}")
    return [copy.deepcopy(item) for item in cast("Iterable[Made]", made)]

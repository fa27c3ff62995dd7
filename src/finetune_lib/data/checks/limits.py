"""Limits of the platform and the model: examples, bytes, tokens, and the dates after which nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from finetune_lib import catalog
from finetune_lib.data.checks.profiles import Closing
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin, conversation, kind_of
from finetune_lib.rows.messages import tools_of, trained
from finetune_lib.tokens import Counter

LATER = "a later day"
ANY_MODEL = "any model"


def size(examples: int, source: str, rules: Rules, *, estimated: bool = True) -> Iterator[Diagnostic]:
    """Too few examples or too many, and a model whose tokens can only be estimated, unless its base counts them."""
    minimum = rules.profile.minimum
    if examples < minimum:
        given: dict[str, Any] = {"minimum": minimum, "missing": minimum - examples, "target": rules.name}
        yield diagnose("K701", Origin(source), examples=examples, **given)
    if 0 < rules.maximum < examples:
        yield diagnose("K705", Origin(source), examples=examples, maximum=rules.maximum, target=rules.name)
    if estimated and rules.model and rules.facts is None:
        yield diagnose("K708", Origin(source), model=rules.model)


def file_size(size: int, source: str, rules: Rules) -> Iterator[Diagnostic]:
    """A file that the target does not take, or takes in parts alone; `size` is that of the lines uploaded."""
    whole, at_once = rules.profile.file_bytes, rules.profile.upload_bytes
    if 0 < whole < size:
        yield diagnose("K704", Origin(source), size=_told(size), limit=_told(whole), target=rules.name)
    elif 0 < at_once < size:
        yield diagnose("K706", Origin(source), size=_told(size), limit=_told(at_once), target=rules.name)


def _told(size: int) -> str:
    """A size for people."""
    for unit, name in ((2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size} B"


def platform(rules: Rules, today: date) -> Iterator[Diagnostic]:
    """A method that the target does not offer, and the announced end of training there."""
    if rules.method not in rules.profile.formats:
        yield diagnose("P611", Origin(rules.name), target=rules.name, method=rules.method)
    for end in _closings(rules):
        closed = end.firm and today >= end.day
        model = rules.model or ANY_MODEL
        stop = end.stop.isoformat() if end.stop else LATER
        given: dict[str, Any] = {"model": model, "day": end.day.isoformat(), "stop": stop}
        severity = "error" if closed else "warning"
        yield diagnose("K709", Origin(model), severity=severity, target=rules.name, **given)


def _closings(rules: Rules) -> Iterator[Closing]:
    """The end that concerns the model: of the model itself, else of the target as a whole."""
    facts = rules.facts
    if rules.target == "openai" and facts and facts.last_new_job:
        yield Closing((), facts.last_new_job, firm=True, stop=facts.shutdown)
        return
    name = catalog.DATED.sub("", catalog.base_of(rules.model or ""))
    yield from (end for end in rules.profile.closing if not end.models or name in end.models)


def tokens(example: Example, counter: Counter) -> int:
    """Tokens of a sound example as it is trained on, its tools included."""
    data = example.data
    if "messages" in data:
        return counter.example(data["messages"], _tools(data))
    if kind_of(data) == "unknown":
        return counter.count(str(data.get("text") or ""))
    return counter.example(conversation(data), _tools(data))


def _tools(data: Mapping[str, Any]) -> str:
    tools = tools_of(data)
    return json.dumps(tools, ensure_ascii=False, default=repr) if tools else ""


def too_long(counted: Iterable[tuple[Example, int]], rules: Rules, counter: Counter) -> Iterator[Diagnostic]:
    """Examples with more tokens than the model learns of one, and those whose answer is cut off as a whole."""
    limit = rules.training_limit
    for example, count in counted:
        if count > limit:
            given: dict[str, Any] = {"tokens": count, "limit": limit, "model": rules.model}
            code = "K710" if _before_answer(example, counter) >= limit else "K702"
            yield diagnose(code, example.origin, "/messages", **given)


def _before_answer(example: Example, counter: Counter) -> int:
    """Tokens before the first words that are learned; 0 where there is no answer to cut."""
    turns = trained(example.data)
    place = next((place for place, (_, learned) in enumerate(turns) if learned), None)
    return 0 if place is None else counter.example([turn for turn, _ in turns[:place]], _tools(example.data))

"""What a base at hand makes of the rows: whether its template can say them, and their tokens as it reads them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune_lib.data.bases import Base, at_hand
from finetune_lib.data.checks.form import rows
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.records import Example, Origin
from finetune_lib.rendering.examples import is_learned, sequences_of, within
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import Renderer, encoded

OWN_TRAINING = frozenset({None, "local", "trl"})  # targets that train the base as this library renders it


@dataclass(slots=True)
class Rendered:
    """What a base says of rows.

    Attributes:
        base: The name of the base.
        findings: About rows that it cannot say, or reads in part.
        lengths: Tokens of each example; 0 where it cannot be said.
    """

    base: str
    findings: list[Diagnostic] = field(default_factory=list[Diagnostic])
    lengths: array[int] = field(default_factory=lambda: array("q"))


def rendered(examples: Sequence[Example], rules: Rules) -> Rendered | None:
    """All rows as the base reads them; None where the base is not at hand, or another service trains it.

    Raises:
        DataError: The base is there, and its tokenizer does not load.
    """
    base = at_hand(rules.model) if rules.target in OWN_TRAINING else None
    if base is None:
        return None
    found = Rendered(base.name)
    try:
        renderer = base.renderer(example.data for example in examples if _is_sound(example, rules))
    except RenderingError as error:
        found.findings.append(diagnose("K720", Origin(base.name), model=base.name, reason=str(error)))
        return found
    for example in examples:
        found.lengths.append(0)
        if _is_sound(example, rules):
            found.findings += _looked_at(example, renderer, base, rules, found.lengths)
    return found


def _is_sound(example: Example, rules: Rules) -> bool:
    return is_plain(example.data) or not any(map(is_error, rows.check(example, rules)))


def _looked_at(
    example: Example, renderer: Renderer, base: Base, rules: Rules, lengths: array[int]
) -> Iterator[Diagnostic]:
    try:
        told = sequences_of(renderer, example.data, rules.method)
    except RenderingError as error:
        given = {"model": base.name, "reason": str(error)}
        yield diagnose("K721", example.origin, error.path, **given)
        return
    sequences = [encoded(pieces, limit=None) for _, pieces in told]
    sizes = [len(sequence["input_ids"]) for sequence in sequences]
    lengths[-1] = sum(sizes)
    if max(sizes, default=0) > base.limit:
        taught = [is_learned(within(sequence, base.limit)) for sequence in sequences]
        teaches = any(taught) if rules.method == "supervised" else all(taught)
        given: dict[str, Any] = {"tokens": max(sizes), "limit": base.limit, "model": base.name}
        yield diagnose("K702" if teaches else "K710", example.origin, "/messages", **given)

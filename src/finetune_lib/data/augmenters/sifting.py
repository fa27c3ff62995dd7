"""From what augmenters gave to children: what is no row fails, what says nothing new or something else is dropped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from finetune_lib.data.augmenters.augmenter import Child, Made, Missing
from finetune_lib.data.augmenters.counting import Tally
from finetune_lib.data.augmenters.gate import Gate
from finetune_lib.data.augmenters.lineage import Lineage, family_of
from finetune_lib.records import NOWHERE, Example
from finetune_lib.rows.identity import content_hash
from finetune_lib.rows.messages import items_of

Check: TypeAlias = Callable[[Example], str | None]
"""From a child to the reason why it must not train, as the code of an error, or None."""


Key: TypeAlias = tuple[bool, str]


class Offspring(NamedTuple):
    """A child and where it comes from."""

    example: Example
    lineage: Lineage


class Sieve:
    """Sifts the children of one example after the other, in the order of the examples: no timing matters."""

    def __init__(
        self, examples: Sequence[Example], *, gates: Iterable[Gate], seed: int, check: Check | None = None
    ) -> None:
        self._seed, self._check = seed, check
        self._forms = tuple({gate.folds: gate for gate in gates}.values())
        self._families: dict[str, set[Key]] = {}
        for example in examples:  # children of an earlier run are siblings, too
            if example.family:
                self._add(example.family, self._keys(example))

    def _keys(self, example: Example) -> dict[bool, Key]:
        """By each form of comparison that is in use, what equals only the identical rows of a family."""
        return {gate.folds: (gate.folds, gate.key(example.data)) for gate in self._forms}

    def _add(self, family: str, keys: Mapping[bool, Key]) -> None:
        self._families.setdefault(family, set()).update(keys.values())

    def sift(
        self, parent: Example, made: Iterable[Made], *, name: str, gate: Gate, tally: Tally
    ) -> Iterator[Offspring]:
        """The children that are kept; all are counted."""
        family, ancestor = family_of(parent), content_hash(parent.data)
        self._add(family, self._keys(parent))
        for item in made:
            row = row_of(item, parent)
            if isinstance(row, Missing):
                tally.fail(row.reason, row.count)
            elif self._passes(row[0], parent, family, gate, tally):
                operation = ":".join(filter(None, [name, row[1]]))
                child = replace(row[0], family=family, operation=operation)
                yield Offspring(child, Lineage(ancestor, operation, self._seed, family))

    def _passes(self, child: Example, parent: Example, family: str, gate: Gate, tally: Tally) -> bool:
        keys = self._keys(child)
        if keys[gate.folds] in self._families[family]:
            tally.identical += 1
        elif reason := gate.drifted(parent.data, child.data):
            tally.drift(reason)
        elif self._check and (reason := self._check(child)):
            tally.fail(reason)
        else:
            self._add(family, keys)
            tally.kept += 1
            return True
        return False


def row_of(item: Made | object, parent: Example) -> tuple[Example, str] | Missing:
    """A child as an example with the word on it; it takes over what it does not say from its parent."""
    if isinstance(item, Missing):
        return item
    detail = item.detail if isinstance(item, Child) else ""
    data = item.data if isinstance(item, (Child, Example)) else item
    if not isinstance(data, Mapping):
        return Missing(f"an augmenter gives rows, not {type(data).__name__}")
    child = item if isinstance(item, Example) else Example(data)  # pyright: ignore[reportUnknownArgumentType]
    origin = child.origin
    if origin == NOWHERE:  # the parent's place; its cells only where the messages are still the same ones
        same = len(items_of(child.data.get("messages"))) == len(items_of(parent.data.get("messages")))
        origin = parent.origin if same else replace(parent.origin, cells={})
    child = replace(child, origin=origin, category=child.category or parent.category)
    return Missing(fault) if (fault := _fault(child, parent)) else (child, detail)


def _fault(child: Example, parent: Example) -> str | None:
    if child.kind == "unknown" != parent.kind:
        return "the row is no example: it has neither messages nor prompt and completion"
    try:
        json.dumps(child.data, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"the row holds a value that JSON has no form for: {error}"
    return None

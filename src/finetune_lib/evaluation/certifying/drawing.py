"""Which cases a promise rests on: independent ones, and none that a signal was fitted on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from finetune_lib.evaluation.golden.overlaps import grouped, repeated
from finetune_lib.evaluation.running.units import digest
from finetune_lib.records import Case


def one_of_each(cases: Sequence[Case], seed: int) -> tuple[Case, ...]:
    """One case of each group that asks the same or has one cluster, drawn at random: never the best or the worst."""
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case, of in zip(cases, grouped(cases, repeated(cases)), strict=True):
        groups[of.cluster or f"case {case.id}"].append(case)
    drawn = random.Random(seed)  # noqa: S311 - no secret
    return tuple(drawn.choice(sorted(group, key=lambda case: case.id)) for group in groups.values())


def question(case: Case) -> str:
    """A mark of what is asked, whatever else the case says."""
    return digest([[message.role, message.text] for message in case.messages])[:16]


def require_unseen(cases: Iterable[Case], *fitted: object) -> None:
    """Refuse cases that something was fitted on, as its `fitted_on` tells.

    Raises:
        ValueError: There are such cases; they are named.
    """
    known = {mark for one in fitted for mark in getattr(one, "fitted_on", ())}
    if spoiled := [case.id for case in cases if known and question(case) in known]:
        more = f" and {len(spoiled) - 3} more" if len(spoiled) > 3 else ""
        raise ValueError(
            f"a signal was fitted on golden cases ({', '.join(spoiled[:3])}{more}), which spoils the promise: "
            "fit it on other rows"
        )

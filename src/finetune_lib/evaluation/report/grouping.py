"""Cases that belong together: those of one cluster, and those that ask the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from finetune_lib.evaluation.golden.overlaps import Repeated, repeated
from finetune_lib.records import Case


def alike(cases: Sequence[Case]) -> tuple[Repeated, ...]:
    """Groups of cases that ask the same; a case that shows no question is like no other."""
    return tuple(repeated([case for case in cases if case.messages]))


def grouped(cases: Sequence[Case], groups: Iterable[Repeated]) -> tuple[Case, ...]:
    """The same cases, with one cluster for all that are joined by a cluster of their own or by asking the same."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for case in cases:
        if case.cluster:
            parents[root(f"case {case.id}")] = root(f"cluster {case.cluster}")
    for group in groups:
        for id in group.cases[1:]:
            parents[root(f"case {id}")] = root(f"case {group.cases[0]}")
    names = [root(f"case {case.id}") if f"case {case.id}" in parents else None for case in cases]
    return tuple(replace(case, cluster=name) for case, name in zip(cases, names, strict=True))

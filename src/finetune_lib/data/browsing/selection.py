"""Which examples a page holds: of too many those with a finding, then the first ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from finetune_lib.data.browsing.state import Shown
from finetune_lib.data.diagnostics.locations import Place, place_of
from finetune_lib.pages.conversation import conversation_of

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Diagnostic
    from finetune_lib.records import Example

Found = Mapping[Place, list["Diagnostic"]]


def by_place(findings: Iterable[Diagnostic]) -> Found:
    """The findings of each place."""
    found: defaultdict[Place, list[Diagnostic]] = defaultdict(list)
    for finding in findings:
        found[place_of(finding.origin)].append(finding)
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """What a page holds.

    Attributes:
        shown: The examples, in their order.
        borne: The places of findings that some example bears, shown or not.
    """

    shown: Sequence[Shown]
    borne: Set[Place]


def choose(examples: Sequence[Example], found: Found, *, limit: int) -> Choice:
    """At most `limit` examples."""
    if len(examples) <= limit or not found:
        numbered = enumerate(islice(examples, limit), start=1)
        shown = [_shown(number, example, found) for number, example in numbered]
        return Choice(shown, {place_of(one.example.origin) for one in shown})
    wanted = set(found) | {place_of(o) for group in found.values() for f in group for o in f.related}
    first: list[Shown] = []
    noted: list[Shown] = []
    borne: set[Place] = set()
    for number, example in enumerate(examples, start=1):
        place = place_of(example.origin)
        kept = noted if place in wanted else first
        borne |= {place} & found.keys()
        if len(kept) < limit:
            kept.append(_shown(number, example, found))
    return Choice(sorted([*noted, *first[: limit - len(noted)]], key=lambda shown: shown.number), borne)


def _shown(number: int, example: Example, found: Found) -> Shown:
    return Shown(number, example, conversation_of(example.data), found.get(place_of(example.origin), ()))


def unread(found: Found, choice: Choice) -> list[list[Diagnostic]]:
    """Findings at lines that gave no example, by line; notes and what is about the whole file aside."""
    lines = {(source, line) for source, line, _ in choice.borne}
    groups: defaultdict[tuple[str, int], list[Diagnostic]] = defaultdict(list)
    for place, findings in found.items():
        source, line, _ = place
        if line and (source, line) not in lines:
            groups[source, line] += findings
    return [groups[place] for place in sorted(groups) if any(f.severity != "info" for f in groups[place])]

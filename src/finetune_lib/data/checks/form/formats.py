"""Rows of several formats in one data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from finetune_lib.data.checks.profiles import Form
from finetune_lib.data.checks.rules import Rules, form_of
from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example

KEPT_PLACES = 100


class MixedFormats:
    """Counts the forms of the rows that the method learns from; what it cannot learn is reported row by row."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.numbers: Counter[Form] = Counter()
        self.places: dict[Form, list[int]] = {}

    def look(self, example: Example, place: int) -> None:
        """Take up one example."""
        form = form_of(example.data, self.rules)
        self.numbers[form] += 1
        kept = self.places.setdefault(form, [])
        if len(kept) < KEPT_PLACES:
            kept.append(place)

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Take up plain chats."""
        self.numbers["chat"] += number
        self.places["chat"] = sorted([*self.places.get("chat", ()), *places])[:KEPT_PLACES]

    def merge(self, later: MixedFormats, offset: int) -> None:
        """Take up the survey of the part behind this one."""
        self.numbers.update(later.numbers)
        for form, places in later.places.items():
            kept = self.places.setdefault(form, [])
            kept.extend(place + offset for place in places[: KEPT_PLACES - len(kept)])

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:
        """The rows that are not of the form that most have, with the first row of that form."""
        learned: list[Form] = [form for form, _ in self.numbers.most_common() if form in rules.kinds]
        for form in learned[1:]:
            usual = learned[0]
            first = examples[self.places[usual][0]].origin
            for place in self.places[form]:
                found = diagnose("S301", examples[place].origin, related=(first,), form=form, usual=usual)
                if weighed := rules.weigh(found):
                    yield weighed

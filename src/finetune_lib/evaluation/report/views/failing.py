"""What failed, grouped by reason: one timeout with a hundred cases is one thing to mend."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.evaluation.judges.judgments import grouped
from finetune_lib.evaluation.report.records import Failure
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.markup import Content, Markup, table, tag
from finetune_lib.pages.unseen import visible_markup

_CHANGING = re.compile(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)
SHOWN_CASES = 8
LONGEST = 400


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one kind.

    Attributes:
        reason: The first one's reason.
        failures: All of them.
    """

    reason: str
    failures: Sequence[Failure]

    @property
    def candidates(self) -> Counter[str]:
        """How often it struck each candidate."""
        return Counter(failure.candidate for failure in self.failures)

    @property
    def cases(self) -> list[str]:
        """The cases that it struck."""
        return list(dict.fromkeys(failure.case for failure in self.failures))


def groups(failures: Sequence[Failure]) -> list[Group]:
    """The most frequent first; reasons that differ in numbers and ids alone are one."""
    found = sorted(grouped(failures, lambda one: _CHANGING.sub("0", one.reason)).values(), key=len, reverse=True)
    reasons = [several[0].reason for several in found]
    cut = [reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…" for reason in reasons]
    return list(map(Group, cut, found))


def failures(view: View) -> Iterator[Markup]:
    """The table of reasons, or that there are none."""
    words, found = view.words, groups(view.report.failures)
    if not found:
        yield tag("p", words["nothing_failed"])
        return
    header = [words["reason"], words["times"], words["candidate"], words["where"]]
    numbers = {case.id: number for number, case in enumerate(view.report.cases, start=1)}
    yield table(header, (_row(group, numbers, view) for group in found))


def _row(group: Group, numbers: Mapping[str, int], view: View) -> list[Content]:
    struck = view.words["comma"].join(f"{name} {count:,}" for name, count in group.candidates.most_common())
    cases = [_case(case, numbers, view) for case in group.cases[:SHOWN_CASES]]
    left = len(group.cases) - len(cases)
    rest = [tag("span", view.words["and_more"].format(number=left))] if left > 0 else []
    where = Markup(view.words["comma"].join([*cases, *rest]))
    return [visible_markup(group.reason), f"{len(group.failures):,}", visible_markup(struck), where]


def _case(case: str, numbers: Mapping[str, int], view: View) -> Markup:
    """A link to the case, which only a page with a script has."""
    text = visible_markup(case)
    return text if view.fragment or case not in numbers else tag("a", text, href=f"#case-{numbers[case]}")

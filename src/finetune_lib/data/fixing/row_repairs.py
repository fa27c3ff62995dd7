"""Repairs of rows that are JSON but not of the right form, each with a proof.

A repair works where a finding points. It is accepted only if there are fewer such findings afterwards, no error
that was not there before, and every text that the repair does not name is unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from finetune_lib.data.checks.form.rows import check
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.diagnostics import Diagnostic, is_error
from finetune_lib.data.fixing.row_mends import MENDS, Kind, Mend, Row
from finetune_lib.data.fixing.row_proof import proven
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.records import Example
from finetune_lib.texts.radicals import misnamed

# A key must have its name before what stands under it can be looked at: row, message, and what is in it.
PASSES = 3


@dataclass(frozen=True, slots=True)
class RowRepair:
    """A row that was mended.

    Attributes:
        data: The row as it becomes.
        codes: The codes of what was mended, in the order in which it was.
        kind: `unsafe` where one of the repairs takes a person's word.
    """

    data: Mapping[str, Any]
    codes: tuple[str, ...]
    kind: Kind


def repair_row(data: Mapping[str, Any], rules: Rules, *, safe_only: bool = True) -> RowRepair | None:
    """Mend a row as far as its repairs are known; None where there is nothing to mend.

    Args:
        data: The row; it is never changed.
        rules: Whose rules tell what is wrong.
        safe_only: Only repairs that lose nothing.
    """
    if safe_only and rules.learns_plain_chats and is_plain(data) and not _has_misnamed(data):
        return None
    found = _findings(data, rules)
    if not found:
        return None
    mends = tuple(mend for mend in MENDS if mend.kind == "safe" or not safe_only)
    before = _errors(found)
    together = _mended(data, mends, rules)
    if _errors(_findings(together[0], rules)) - before:  # one repair laid bare what was hidden: go step by step
        together = _mended(data, mends, rules, strictly=True)
    row, done = together
    if not done:
        return None
    kind: Kind = "unsafe" if any(mend.kind == "unsafe" for mend in done) else "safe"
    return RowRepair(row, tuple(mend.code for mend in done), kind)


def _mended(
    data: Mapping[str, Any], mends: tuple[Mend, ...], rules: Rules, *, strictly: bool = False
) -> tuple[Mapping[str, Any], list[Mend]]:
    """The row after all repairs that hold, and these; `strictly` where none may lay bare another error."""
    row, done, found = data, list[Mend](), _findings(data, rules)
    for mend in mends * PASSES:
        places = [finding for finding in found if finding.code == mend.code]
        candidate = _changed(row, mend, places, rules) if places else None
        if candidate is None or _same(candidate, row):
            continue
        left = _findings(candidate, rules)
        worse = strictly and _errors(left) - _errors(found)
        if _fewer(left, places) and not worse and proven(row, candidate, mend.loss, mend.named):
            row, found = candidate, left
            done += [mend] if mend not in done else []
    return row, done


def _changed(row: Mapping[str, Any], mend: Mend, places: Sequence[Diagnostic], rules: Rules) -> Row:
    """A copy of the row with the repair at each place, from the last to the first: lists may become shorter."""
    candidate = cast("Row", _copied(row))
    for finding in reversed(places):
        mend.apply(candidate, finding, rules)
    return candidate


def _has_misnamed(chat: Mapping[str, Any]) -> bool:
    return any(misnamed(turn["content"]) for turn in chat["messages"] if not turn["content"].isascii())


def _same(one: object, other: object) -> bool:
    """Whether values are equal in writing too: 1.0 and True equal 1."""
    return one == other and repr(one) == repr(other)


def _fewer(left: Sequence[Diagnostic], places: Sequence[Diagnostic]) -> bool:
    """Whether a finding is gone from its place."""
    still = {(finding.code, finding.path) for finding in left}
    return any((place.code, place.path) not in still for place in places)


def _findings(data: Mapping[str, Any], rules: Rules) -> list[Diagnostic]:
    return list(check(Example(data), rules))


def _errors(found: Sequence[Diagnostic]) -> Counter[str]:
    return Counter(finding.code for finding in found if is_error(finding))


def _copied(value: object) -> object:
    """A copy whose objects and lists are its own."""
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
    return [_copied(inner) for inner in cast("list[Any]", value)] if isinstance(value, list) else value

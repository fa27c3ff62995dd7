"""What of a text calls for a closer look: one look at each text, however often it comes again.

Most texts have no sign of anything, and half of all texts of real data stand there before, as system prompts do. What
has a sign is looked at by the checks themselves, so a sign too many costs time, and one too few a finding.
"""

from __future__ import annotations

from functools import lru_cache

from finetune_lib.data.checks import privacy, quality
from finetune_lib.data.checks.form.texts import is_harmless
from finetune_lib.data.checks.rules import Rules
from finetune_lib.rows.facts import Facts

REMEMBERED = 8192  # texts
DAMAGED, PRIVATE, MIXED_WIDTHS, TRADITIONAL, SIMPLIFIED = (1 << number for number in range(5))


@lru_cache(REMEMBERED)
def signs(text: str) -> int:
    """What a text may have, as the sum of the signs above."""
    found = (0 if is_harmless(text) else DAMAGED) + (PRIVATE if privacy.may_hold(text) else 0)
    if text.isascii():
        return found
    varieties = quality.varieties(text)
    found += (TRADITIONAL if "zh-Hant" in varieties else 0) + (SIMPLIFIED if "zh-Hans" in varieties else 0)
    return found + (MIXED_WIDTHS if quality.mixed_widths(text) else 0)


def signs_of(facts: Facts) -> int:
    """What the texts of a plain chat may have together."""
    found = 0
    for text in facts.texts or ():
        found |= signs(text)
    return found


def teaches_well(facts: Facts, found: int, rules: Rules) -> bool:
    """Whether `quality.check` would find nothing in a plain chat with these signs. True is a promise."""
    both = TRADITIONAL + SIMPLIFIED
    if quality.reads_all(rules) or found & MIXED_WIDTHS or found & both == both:
        return False
    turns = facts.turns
    one_language = turns is None or turns.question.isascii() == turns.answer.isascii()
    return one_language and all(map(quality.answers_well, facts.answers))

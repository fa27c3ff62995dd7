"""The similarity gate: which children are no gain, because they say nothing new or something else; pure.

A child goes through the gate of its augmenter:

- `REWORDED` is for paraphrases. A good one may share hardly a character with its parent (多久會到？/何時送達？),
  so no overlap is asked for. What the answer hangs on must stay: numbers, names and addresses, whether it
  affirms or denies, the script and its variety, a length in proportion; and the answer must not have got into the
  question.
- `PERTURBED` is for small changes, and for functions that bring no gate of their own: enough shingles must stay.
- `SLIPPED` is for typing noise: as `PERTURBED`, but a change of width or punctuation counts as a change.
- `CHANGED` is for exact operations, such as another script: anything but the same row passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from finetune_lib.rows.identity import content_hash
from finetune_lib.rows.turns import rewritten, turns
from finetune_lib.shown import Shown
from finetune_lib.texts import fold, jaccard, shingles
from finetune_lib.texts.grounding import names_beyond
from finetune_lib.texts.polarity import opposed
from finetune_lib.texts.quantities import same_quantities
from finetune_lib.texts.scripts import variety, writing

# Below it a child shares too little with its parent to be a small change of it (facts: data.md B1).
LEAST_OVERLAP = 0.25
# Under this length the shingles of a text are too few to compare.
SHORT = 12
SHORTEST, LONGEST, SLACK = 0.2, 4.0, 20
# A shorter answer, as a label, may stand in a question by chance.
TELLING = 6

Drift = Callable[[str, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Gate(Shown):
    """What the children of an augmenter must pass.

    Attributes:
        folds: Whether rows that differ in script, width, case or punctuation alone count as identical.
        drift: From the user's text of the parent, that of the child, and the answer, to the reason why the
            child has drifted, or None.
    """

    folds: bool
    drift: Drift

    def key(self, data: Mapping[str, Any]) -> str:
        """Equal for rows that are identical to this gate."""
        return folded_hash(data) if self.folds else content_hash(data)

    def drifted(self, parent: Mapping[str, Any], child: Mapping[str, Any]) -> str | None:
        """Why the child may no longer fit the answer, in a few words; None where it fits."""
        return self.drift(_said(parent, "user"), _said(child, "user"), _said(parent, "assistant"))


def folded_hash(data: Mapping[str, Any]) -> str:
    """As `content_hash`, but of the texts only what is left by folding counts."""
    return content_hash(rewritten(data, {turn.path: fold(turn.text) for turn in turns(data)}))


def _said(data: Mapping[str, Any], role: str) -> str:
    return "\n".join(turn.text for turn in turns(data) if turn.role == role)


def too_little_overlap(parent: str, child: str, _answer: str) -> str | None:
    """Whether too few shingles of the parent are left; of a short text, too few characters."""
    before, after = fold(parent), fold(child)
    pieces = set[str] if min(len(before), len(after)) < SHORT else shingles
    return "overlap" if jaccard(pieces(before), pieces(after)) < LEAST_OVERLAP else None


def lost_meaning(parent: str, child: str, answer: str) -> str | None:
    """The first sign that a paraphrase asks for something else."""
    signs: dict[str, Callable[[], bool]] = {
        "length": lambda: not _in_proportion(fold(parent), fold(child)),
        "language": lambda: other_language(parent, child),
        "numbers": lambda: not same_quantities(parent, child),
        "opposite": lambda: opposed(parent, child),
        "names": lambda: bool(names_beyond(parent, child)),
        "answer in the question": lambda: _tells(fold(child), fold(answer)) and not _tells(fold(parent), fold(answer)),
    }
    return next((name for name, shows in signs.items() if shows()), None)


def _in_proportion(parent: str, child: str) -> bool:
    return bool(child) and SHORTEST * len(parent) <= len(child) <= LONGEST * len(parent) + SLACK


def other_language(parent: str, child: str) -> bool:
    """Whether two texts are in different scripts, or in the two kinds of Chinese."""
    if writing(parent) != writing(child):
        return True
    before, after = variety(parent), variety(child)
    return writing(parent) == "Han" and before != after and None not in (before, after)


def _tells(question: str, answer: str) -> bool:
    return len(answer) >= TELLING and answer in question


def anything(_parent: str, _child: str, _answer: str) -> None:
    """No drift: what the augmenter does is exact."""


REWORDED = Gate(folds=True, drift=lost_meaning)
PERTURBED = Gate(folds=True, drift=too_little_overlap)
SLIPPED = Gate(folds=False, drift=too_little_overlap)
CHANGED = Gate(folds=False, drift=anything)

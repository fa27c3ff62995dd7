"""A scorer for classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache

from finetune_lib.evaluation.scorers.labels import Labels
from finetune_lib.evaluation.scorers.normalising import ScriptPolicy, known
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score


@dataclass(frozen=True, slots=True)
class Choice(Instant):
    """1 where the answer means the expected label, else 0; the score has both labels for the report of each class.

    The label is found where the answer is nothing else, quotes and full stops aside; in a field of a JSON answer;
    behind "answer:" or 「答案是」; in bold or in quotes; at the start as in "(B) …"; or within a sentence, where labels
    of one digit or small letter are not looked for. A label that is denied does not count, as in "not at all
    positive", "hardly positive" or 「不太滿意」. An answer with two labels or none has no label, and is wrong.

    Attributes:
        labels: All labels. Without them an answer has a label only where it says nothing else.
        field: The field of a JSON answer that has the label; None takes whichever has one.
        letters: Whether A, B, C … in the answer mean the first, second, third … of the labels.
        script: "same" takes simplified and traditional characters for the same.
        name: What reports call it.

    Raises:
        ValueError: Two labels do not differ, or one is empty; when called: the expected text is no label.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Choice
        >>> score = Choice(["滿意", "不滿意"])("客戶的態度是「不滿意」。", Case("1", (), expected="滿意"))
        >>> score.value, score.label, score.target
        (0.0, '不滿意', '滿意')
    """

    labels: Sequence[str] | None = None
    _: KW_ONLY
    field: str | None = None
    letters: bool = False
    script: ScriptPolicy | None = None
    name: str = "choice"

    def __post_init__(self) -> None:
        known(self.script)
        if isinstance(self.labels, str):
            raise ValueError(f"labels are several texts, not {self.labels!r}")
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(self.labels))
            self._reading(self.labels)

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        if self.labels is None:
            target = case.expected.strip()
            if not target:
                raise ValueError(f"case {case.id} has no expected label")
            label, reason = self._reading((target,)).sole(answer)
        else:
            reading = self._reading(self.labels)
            target = reading.exact(case.expected) or reading.meant(case.expected).label
            if target is None:
                raise ValueError(f"case {case.id} expects none of the labels: {case.expected[:60]!r}")
            label, reason = reading.meant(answer)
        return Score(float(label == target), reason=reason, label=label, target=target)

    def _reading(self, labels: Sequence[str]) -> Labels:
        return _labels(tuple(labels), field=self.field, letters=self.letters, script=self.script)


_labels = lru_cache(maxsize=256)(Labels)

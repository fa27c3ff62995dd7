"""A scorer for classification."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import ClassVar

from finetune_lib.evaluation.scorers.labels import Labels
from finetune_lib.evaluation.scorers.normalising import ScriptPolicy, known
from finetune_lib.evaluation.scorers.scorer import Instant, is_cut, text_of
from finetune_lib.records import Answer, Case, Score
from finetune_lib.shown import Shown


@dataclass(frozen=True, slots=True)
class Choice(Shown, Instant):
    """1 where the answer means the expected label, else 0; the score has both labels for the report of each class.

    The label is found where the answer is nothing else, quotes and full stops aside; in a field of a JSON answer;
    behind "answer:" or 「答案是」; in bold or in quotes; at the start as in "(B) …"; or within a sentence, where labels
    of one digit or small letter are not looked for. A label that is denied does not count, as in "not at all
    positive", "hardly positive" or 「不太滿意」. An answer with two labels or none has no label, and is wrong.

    With `multilabel` a case expects several labels, as "refund, invoice" or a JSON list, and an answer is right where
    it gives exactly these.

    Attributes:
        labels: All labels, or each label with its other names, as `{"positive": ["pos", "正面"]}`. Without them an
            answer has a label only where it says nothing else.
        field: The field of a JSON answer that has the label; None takes whichever has one.
        letters: Whether A, B, C … in the answer mean the first, second, third … of the labels.
        script: "same" takes simplified and traditional characters for the same.
        multilabel: Whether answers may have several labels.
        name: What reports call it.

    Raises:
        ValueError: Two labels or names do not differ, one is empty, or `multilabel` lacks labels; when called: the
            expected text is no label.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Choice
        >>> score = Choice(["滿意", "不滿意"])("客戶的態度是「不滿意」。", Case("1", (), expected="滿意"))
        >>> score.value, score.label, score.target
        (0.0, '不滿意', '滿意')
    """

    whole_answer: ClassVar[bool] = True

    labels: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    _: KW_ONLY
    field: str | None = None
    letters: bool = False
    script: ScriptPolicy | None = None
    multilabel: bool = False
    name: str = "choice"

    def __post_init__(self) -> None:
        known(self.script)
        if isinstance(self.labels, str):
            raise ValueError(f"labels are several texts, not {self.labels!r}")
        if self.labels is None:
            if self.multilabel:
                raise ValueError("multilabel needs all labels: Choice([…], multilabel=True)")
            return
        if not isinstance(self.labels, Mapping):
            object.__setattr__(self, "labels", tuple(self.labels))
        self._reading(self.labels)

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        text = text_of(answer)
        if self.labels is None:
            target = case.expected.strip()
            if not target:
                raise ValueError(f"case {case.id} has no expected label")
            label, reason = self._reading((target,)).sole(text)
            return Score(float(label == target), reason=reason, label=label, target=target)
        reading = self._reading(self.labels)
        if self.multilabel:
            return self._several(text, case, reading)
        target = reading.exact(case.expected) or reading.meant(case.expected).label
        if target is None:
            raise ValueError(f"case {case.id} expects none of the labels: {case.expected[:60]!r}")
        label, reason = reading.meant(text)
        if label is not None and is_cut(answer) and reading.within_cut(label, text):
            label, reason = None, "cut off within a label"
        return Score(float(label == target), reason=reason, label=label, target=target)

    def _several(self, text: str, case: Case, reading: Labels) -> Score:
        target, _ = reading.all_meant(case.expected)
        if not target:
            raise ValueError(f"case {case.id} expects none of the labels: {case.expected[:60]!r}")
        given, reason = reading.all_meant(text)
        parts = {"lacks": target - given, "has": given - target} if given else {}
        told = [f"it {what} {self._joined(labels)}" for what, labels in parts.items() if labels]
        label = self._joined(given) or None
        return Score(float(given == target), reason=reason or "; ".join(told), label=label, target=self._joined(target))

    def _joined(self, labels: Container[str]) -> str:
        return ", ".join(label for label in self.labels or () if label in labels)

    def _reading(self, labels: Sequence[str] | Mapping[str, Sequence[str]]) -> Labels:
        names: tuple[tuple[str, ...], ...] | None = None
        if isinstance(labels, Mapping):
            names = tuple((others,) if isinstance(others, str) else tuple(others) for others in labels.values())
        return _labels(tuple(labels), aliases=names, field=self.field, letters=self.letters, script=self.script)


_labels = lru_cache(maxsize=256)(Labels)

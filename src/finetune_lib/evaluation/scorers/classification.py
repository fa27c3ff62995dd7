"""Precision, recall and F1 of each class, the confusion matrix, and their means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from finetune_lib.pages.terminal import table
from finetune_lib.shown import Shown

OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class ClassScores(Shown):
    """One class of a classification.

    Attributes:
        precision: Share of the answers of this class that are right; 0 where no answer is of this class.
        recall: Share of its cases that were answered so; 0 where no case is of this class.
        f1: Their harmonic mean, 2·precision·recall/(precision + recall); 0 where both are 0.
        support: Cases of this class.
        answered: Answers of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int
    answered: int


@dataclass(frozen=True, slots=True)
class ClassificationReport(Shown):
    """How well each class is told apart, as scikit-learn's `classification_report` and `confusion_matrix` count it.

    `print` shows the tables. An answer without a known label stands in the last column, `(other)`: it is a miss of
    its class and an answer of none.

    Attributes:
        labels: The classes, in the order of the rows and columns.
        matrix: A row for each class that was right, in it a count for each class that was answered, `(other)` last.

    Example:
        >>> from finetune_lib.evaluation.scorers import classification_report
        >>> pairs = [("退貨", "退貨"), ("退貨", "換貨"), ("換貨", "換貨"), ("換貨", None)]
        >>> report = classification_report(pairs)
        >>> report.accuracy, round(report.macro_f1, 3)
        (0.5, 0.583)
    """

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """The number of answers."""
        return sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float:
        """Share of the answers that are right."""
        return sum(self.matrix[place][place] for place in range(len(self.labels))) / self.total

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes: a rare one counts as much as a common one."""
        return sum(scores.f1 for scores in self.classes.values()) / len(self.labels)

    @property
    def weighted_f1(self) -> float:
        """The mean F1 of the classes, weighted by their cases."""
        return sum(scores.f1 * scores.support for scores in self.classes.values()) / self.total

    @property
    def classes(self) -> Mapping[str, ClassScores]:
        """The scores of each class."""
        return MappingProxyType({label: self._scores(place) for place, label in enumerate(self.labels)})

    def f_beta(self, positive: str, *, beta: float) -> float:
        """The F-score of one class with recall weighing `beta` times as much as precision; 0 where both are 0.

        Args:
            positive: The class.
            beta: 0.5 where wrong alarms cost more, 2 where misses do.

        Raises:
            ValueError: There is no such class, or `beta` is not above 0.
        """
        if positive not in self.labels or not beta > 0:
            raise ValueError(f"f_beta takes one of {', '.join(self.labels)} and a beta above 0")
        scores = self.classes[positive]
        below = beta**2 * scores.precision + scores.recall
        return (1 + beta**2) * scores.precision * scores.recall / below if below else 0.0

    def _scores(self, place: int) -> ClassScores:
        right = self.matrix[place][place]
        support, answered = sum(self.matrix[place]), sum(row[place] for row in self.matrix)
        both = support + answered
        return ClassScores(_ratio(right, answered), _ratio(right, support), _ratio(2 * right, both), support, answered)

    def __str__(self) -> str:
        classes = self.classes.items()
        rows = [[name, _shown(s.precision), _shown(s.recall), _shown(s.f1), str(s.support)] for name, s in classes]
        scores = table(["class", "precision", "recall", "F1", "cases"], rows)
        means = f"accuracy {_shown(self.accuracy)}, macro F1 {_shown(self.macro_f1)}, "
        never = [name for name, s in classes if not s.answered]
        note = f"\nnever answered, so without a precision: {', '.join(never)}" if never else ""
        return f"{scores}\n\n{means}weighted F1 {_shown(self.weighted_f1)}{note}\n\n{self._confusion()}"

    def _confusion(self) -> str:
        shown = len(self.labels) + any(row[-1] for row in self.matrix)
        columns = [*self.labels, OTHER][:shown]
        rows = [[label, *map(str, row[:shown])] for label, row in zip(self.labels, self.matrix, strict=True)]
        return table(["right \\ answered", *columns], rows)


def classification_report(
    pairs: Iterable[tuple[str, str | None]], *, labels: Sequence[str] | None = None
) -> ClassificationReport:
    """Count a classification.

    Args:
        pairs: For each case the right label and the answered one; None where the answer had none.
        labels: The classes in the order that you want; answers of another label count as `(other)`. None takes all
            that occur, sorted.

    Raises:
        ValueError: There is no pair, or a right label is none of `labels`.
    """
    counts = Counter(pairs)
    if not counts:
        raise ValueError("there are no labels to count")
    found = {label for pair in counts for label in pair if label is not None}
    known = tuple(dict.fromkeys(labels)) if labels is not None else tuple(sorted(found))
    if strange := sorted({target for target, _ in counts} - set(known)):
        raise ValueError(f"right labels that are none of the given ones: {', '.join(strange)}")
    other = {target: sum(n for (t, a), n in counts.items() if t == target and a not in known) for target in known}
    return ClassificationReport(
        known, tuple((*(counts[target, answer] for answer in known), other[target]) for target in known)
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _shown(value: float) -> str:
    return f"{value:.3f}"

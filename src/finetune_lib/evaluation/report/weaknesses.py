"""Where a candidate is weak: categories, and what failing cases have in common; and a worksheet of what to collect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any, Literal, overload

from finetune_lib.extras import require
from finetune_lib.files import write_atomically
from finetune_lib.pages.terminal import table
from finetune_lib.records import Case
from finetune_lib.texts import fold
from finetune_lib.texts.shingles import RUNS

UNCATEGORISED = "(none)"
# Fewer failures than this have nothing in common but chance.
FEWEST = 2
MOST_WORDINGS = 10
LONGEST_PHRASE = 6  # characters
# A wording counts where it fails at least so much more often than the rest does.
MUCH_MORE = 1.5
# Further examples to write for each failing case, and at least; what a rule of thumb is, not a law.
FOR_EACH_FAILURE, AT_LEAST = 5, 10
# Cells are text whatever they begin with: an answer may look like a formula or an address.
AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
LONGEST_CELL = 32_767  # Excel's own limit
WIDTHS = {"category": 16, "name": 24, "kind": 12, "score": 8, "failing": 8, "cases": 8, "mean": 8, "collect": 8}
USUAL_WIDTH = 48
NOTE = (
    "Write new questions of these kinds with the answers that you want. Do not copy the questions of the golden set: "
    "what is trained on measures nothing any more. Load them with Dataset.load(path, sheet='collect')."
)


@dataclass(frozen=True, slots=True)
class Weakness:
    """A group of cases in which a candidate fails often.

    Attributes:
        kind: `category`, or `wording` where the questions share a phrase.
        name: The category, or the phrase.
        failing: The ids of the cases that failed.
        cases: How many cases the group has.
        mean: Their mean score, or share of wins.
    """

    kind: Literal["category", "wording"]
    name: str
    failing: tuple[str, ...]
    cases: int
    mean: float

    @property
    def wanted(self) -> int:
        """Further training examples to collect, by rule of thumb: five for each failure, and ten at least."""
        return max(AT_LEAST, FOR_EACH_FAILURE * len(self.failing))

    def __str__(self) -> str:
        what = "category" if self.kind == "category" else "questions with"
        return f"{what} {self.name}: {len(self.failing)} of {self.cases} fail, mean {self.mean:.2f}"


@dataclass(frozen=True, slots=True)
class FailingCase:
    """A case that the candidate failed, with what it said."""

    case: Case
    answer: str
    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Weaknesses(Sequence[Weakness]):
    """The groups in which a candidate fails most, the weightiest first; printing it gives a table.

    Attributes:
        candidate: The candidate.
        scorer: The measure.
        groups: Categories and wordings.
        failing: The failing cases, the worst first.
        cases: How many cases have a score.
        unscored: How many have none, by category: they failed, and are no strength.
    """

    candidate: str
    scorer: str
    groups: tuple[Weakness, ...]
    failing: tuple[FailingCase, ...]
    cases: int
    unscored: Mapping[str, int] = field(default_factory=dict[str, int])

    @overload
    def __getitem__(self, index: int) -> Weakness: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Weakness, ...]: ...
    def __getitem__(self, index: int | slice) -> Weakness | tuple[Weakness, ...]:
        return self.groups[index]

    def __len__(self) -> int:
        return len(self.groups)

    def __str__(self) -> str:
        head = f"{self.candidate} fails {len(self.failing)} of {self.cases} cases by {self.scorer}"
        if self.unscored:
            where = ", ".join(f"{name} {count}" for name, count in self.unscored.items())
            head += f"; {sum(self.unscored.values())} more have no score ({where}): see report.failures"
        if not self.groups:
            return head
        rows = [
            [group.kind, group.name, f"{len(group.failing)}/{group.cases}", f"{group.mean:.2f}", str(group.wanted)]
            for group in self.groups
        ]
        return f"{head}\n\n{table(['what', 'name', 'failing', 'mean', 'collect'], rows)}"

    def to_excel(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a worksheet of what to collect: the groups, the failing cases, and a sheet to fill in.

        The last sheet loads as training data: `Dataset.load(path, sheet="collect")`. Golden questions are not
        copied into it, because a question that is trained on measures nothing any more.

        Raises:
            FileExistsError: The file is there and `overwrite` is False.
            MissingExtraError: Without `pip install "finetune_lib[excel]"`.
        """
        xlsxwriter = require("xlsxwriter", extra="excel", feature="Writing Excel files")
        buffer = BytesIO()
        workbook = xlsxwriter.Workbook(buffer, AS_TEXT)
        for name, header, rows in _sheets(self):
            _fill(workbook, name, header, rows)
        workbook.close()
        return write_atomically(Path(path), [buffer.getvalue()], overwrite=overwrite)


def weaknesses(
    candidate: str,
    scorer: str,
    scores: Sequence[tuple[Case, float | None]],
    *,
    answers: Mapping[str, str],
    reasons: Mapping[str, str],
    failed_below: float,
) -> Weaknesses:
    """Find the groups.

    Args:
        candidate: Its name.
        scorer: The measure.
        scores: Each case with its score; None where it has none.
        answers: What the candidate said, by case id.
        reasons: What the scorer said of it, by case id.
        failed_below: A case fails with a score below this.
    """
    scored = [(case, score) for case, score in scores if score is not None]
    unscored = Counter(case.category or UNCATEGORISED for case, score in scores if score is None)
    failing = sorted((pair for pair in scored if pair[1] < failed_below), key=lambda pair: pair[1])
    ids = {case.id for case, _ in failing}
    groups = [*_categories(scored, ids), *_wordings(scored, ids)]
    groups.sort(key=lambda group: (-len(group.failing), group.mean))
    return Weaknesses(
        candidate,
        scorer,
        tuple(groups),
        tuple(FailingCase(case, answers[case.id], score, reasons.get(case.id, "")) for case, score in failing),
        len(scored),
        dict(unscored),
    )


def _categories(scored: Sequence[tuple[Case, float]], failing: set[str]) -> Iterator[Weakness]:
    for name in dict.fromkeys(case.category for case, _ in scored):
        members = [(case, score) for case, score in scored if case.category == name]
        if name is not None and any(case.id in failing for case, _ in members):
            yield _group("category", name, members, failing)


def _wordings(scored: Sequence[tuple[Case, float]], failing: set[str]) -> Iterator[Weakness]:
    """Phrases that failing questions share and others have less often, one after another until none is left over."""
    phrases = {case.id: _phrases(case.prompt) for case, _ in scored}
    rate, left = len(failing) / max(1, len(scored)), set(failing)
    everywhere = Counter(phrase for found in phrases.values() for phrase in found)
    for _ in range(MOST_WORDINGS):
        counts = Counter(phrase for id in left for phrase in phrases[id])
        lifted = [p for p, n in counts.items() if n >= FEWEST and n / everywhere[p] >= min(1.0, MUCH_MORE * rate)]
        if not lifted:
            return
        phrase = max(lifted, key=lambda p: (counts[p] - rate * everywhere[p], len(p), p))
        left -= {id for id in left if phrase in phrases[id]}
        members = [(case, score) for case, score in scored if phrase in phrases[case.id]]
        yield _group("wording", _as_written(phrase, members[0][0].prompt), members, failing)


def _phrases(text: str) -> set[str]:
    """Words and pairs of words; of Chinese, pieces of two to six characters."""
    found: set[str] = set()
    for run in RUNS.finditer(fold(text)):
        pieces, longest, glue = (run[0], LONGEST_PHRASE, "") if run[1] else (run[0].split(), 2, " ")
        shortest = 2 if run[1] else 1
        for size in range(shortest, longest + 1):
            found.update(glue.join(pieces[i : i + size]) for i in range(len(pieces) - size + 1))
    return found


def _as_written(phrase: str, text: str) -> str:
    """The phrase as the text has it, before it was folded."""
    windows = (text[i : i + size] for size in (len(phrase), len(phrase) + 1) for i in range(len(text)))
    return next((window.strip() for window in windows if fold(window) == phrase), phrase)


def _group(
    kind: Literal["category", "wording"], name: str, members: Sequence[tuple[Case, float]], failing: set[str]
) -> Weakness:
    mean = sum(score for _, score in members) / len(members)
    return Weakness(kind, name, tuple(case.id for case, _ in members if case.id in failing), len(members), mean)


def _sheets(found: Weaknesses) -> Iterator[tuple[str, Sequence[str], list[list[Any]]]]:
    groups = [[g.kind, g.name, len(g.failing), g.cases, g.mean, g.wanted, ", ".join(g.failing)] for g in found]
    yield "weak", ["kind", "name", "failing", "cases", "mean", "collect", "failing cases"], [*groups, [NOTE]]
    yield (
        "failing",
        ["case", "category", "question", "expected", "answer", "score", "reason"],
        [
            [f.case.id, f.case.category or "", f.case.prompt, f.case.expected, f.answer, f.score, f.reason]
            for f in found.failing
        ],
    )
    yield "collect", ["question", "answer", "category"], []


def _fill(workbook: Any, name: str, header: Sequence[str], rows: list[list[Any]]) -> None:
    sheet, bold = workbook.add_worksheet(name), workbook.add_format({"bold": True, "bottom": 1})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(header):
        sheet.set_column(column, column, WIDTHS.get(title, USUAL_WIDTH))
        sheet.write_string(0, column, title, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value[:LONGEST_CELL], wrapped)
            else:
                sheet.write_number(number, column, value, wrapped)

"""Report: what an evaluation measured, and the forms in which it leaves: text, pages, files, other tools."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Unpack
from urllib.parse import quote

from finetune_lib.errors import FinetuneError
from finetune_lib.evaluation.report.labelling import Labelling, labelling
from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.extras import require
from finetune_lib.files import write_atomically
from finetune_lib.pages.curve import Plot
from finetune_lib.texts.languages import Language

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

    from finetune_lib.evaluation.review import Beside, PageOptions, Votes


class Metrics(Protocol):
    """What a report asks of the metrics of a job: whether there are any, and their curve."""

    def __len__(self) -> int: ...

    def plot(self) -> Plot:
        """The loss curves."""
        ...


@dataclass(frozen=True)
class Report(Measured):
    """The result of an evaluation; printing it shows the tables, a notebook shows the page.

    Attributes:
        cases: The golden set.
        candidates: Their names in the order given; the first is the baseline of the printed comparisons.
        scorers: Their names; the first decides, and where there is none, the judge.
        results: For each candidate its results, one a case in the order of `cases`.
        judgments: What the judges said of pairs of answers, both orders of each.
        votes: What experts said on the review page, once they are collected.
        contaminated: Ids of cases whose like is in the training data: they are left out of comparisons.
        signatures: How exactly scorers measure, where they say so.
        run: How the evaluation was run.
        design: What was decided before it.
        regression_suite: What came of the regression suite, as a report of its own; None where none was asked.

    Example:
        >>> import finetune_lib as ft
        >>> cases = [ft.Case(str(i), (), expected="1") for i in range(20)]
        >>> def never(case): return "0"
        >>> def always(case): return "1"
        >>> report = ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[never, always])
        >>> report.verdict("always", baseline="never").outcome
        'better'
    """

    def review_page(
        self,
        path: str | PathLike[str],
        *,
        candidates: tuple[str, str] | None = None,
        cases: Collection[str] | None = None,
        reviewers: Sequence[str] = (),
        **options: Unpack[PageOptions],
    ) -> Path:
        """Write one offline HTML file on which experts compare two candidates blind; `ft.collect_votes` reads theirs.

        Args:
            path: The file.
            candidates: The two to compare; by default the last one and the first.
            cases: The ids of those to ask about, as `label_next(…).cases`; by default all.
            reviewers: Names to choose from; anybody may type another one.
            options: As `finetune_lib.evaluation.review.write_review` takes them: language, guidelines, reasons …

        Raises:
            ValueError: There are not two candidates with answers to a common case, or a case is unknown.
        """
        from finetune_lib.evaluation.review import write_review

        pair = candidates or (self.candidates[-1], self.candidates[0])
        if unknown := sorted(set(cases or ()) - {case.id for case in self.cases}):
            raise ValueError(f"no case has the id {', '.join(unknown[:5])}")
        asked = [one for one in self._beside(pair) if cases is None or one.case_id in cases]
        return write_review(path, asked, reviewers=reviewers, **options)

    def label_next(self, candidate: str, *, baseline: str | None = None, count: int = 50, seed: int = 0) -> Labelling:
        """Draw the cases that experts should label next: those where judge and experts are likely to disagree.

        They are drawn with known chances, half of them evenly, so that `estimate` stays unbiased; it says how many
        labels would bring which width. Votes that are there tell where the judge errs. Cases with two equal answers
        are ties, and asked of nobody.

        Args:
            candidate: Its name.
            baseline: The other one's; by default the first candidate.
            count: How many cases to draw.
            seed: Of the draw.

        Raises:
            ValueError: A name is unknown, the count is below 1, or no case has judgments and no label.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        first = baseline or self.candidates[0]
        columns = zip(self.cases, self._results(candidate), self._results(first), strict=True)
        same = [
            case.id for case, one, other in columns if one.answer.text == other.answer.text and not one.answer.error
        ]
        pair, said = {candidate, first}, dict[str, set[float | None]]()
        for judgment in self.judgments:
            if {judgment.candidate, judgment.baseline} == pair:
                said.setdefault(judgment.case, set()).add(judgment.preference)
        clear = {case for case, each in said.items() if len(each) == 1}
        return labelling(self, candidate, first, same=same, clear=clear, count=count, seed=seed)

    def _beside(self, pair: tuple[str, str]) -> list[Beside]:
        """Both answers to each case that both have answered."""
        from finetune_lib.evaluation.review import Beside

        if pair[0] == pair[1]:
            raise ValueError("experts compare two candidates: this report has one")
        columns = [self._results(name) for name in pair]
        answers = [dict(zip(pair, (r.answer for r in row), strict=True)) for row in zip(*columns, strict=True)]
        return [
            Beside(
                case.id,
                case.messages,
                {name: answer.text for name, answer in given.items()},
                expected=case.expected,
                category=case.category,
                sources={name: "\n\n".join(answer.sources) for name, answer in given.items() if answer.sources},
            )
            for case, given in zip(self.cases, answers, strict=True)
            if not any(answer.error for answer in given.values())
        ]

    def save_json(self, path: str | PathLike[str]) -> Path:
        """Write all of the report but the votes as one JSON file; `Report.load` opens it again."""
        from finetune_lib.evaluation.report.saving import write_report

        return write_report(self, Path(path))

    def to_dict(self) -> dict[str, Any]:
        """What `save_json` writes, as one dict of plain values."""
        from finetune_lib.evaluation.report.saving import as_dict

        return as_dict(self)

    def to_pandas(self) -> pd.DataFrame:
        """A frame with one row an answer: the case, the candidate, the answer, its price, and a column for each scorer.

        Raises:
            MissingExtraError: Without `pip install "finetune_lib[frames]"`.
        """
        from finetune_lib.evaluation.report.saving import rows

        return require("pandas", extra="frames", feature="to_pandas").DataFrame(rows(self))

    def save_promptfoo(self, path: str | PathLike[str]) -> Path:
        """Write the report in the form that `promptfoo import` reads."""
        from finetune_lib.evaluation.report.promptfoo import write_promptfoo

        return write_promptfoo(self, Path(path))

    def log_mlflow(self, *, run_name: str | None = None) -> str:
        """Log the report as a run in MLflow's active experiment; gives the run's id.

        Raises:
            MissingExtraError: MLflow is not installed.
        """
        from finetune_lib.evaluation.report.mlflow import log_mlflow

        return log_mlflow(self, run_name=run_name)

    @staticmethod
    def load(path: str | PathLike[str]) -> Report:
        """Open what `save_json` wrote.

        Raises:
            ReadError: The file is no report, or one of a later version.
        """
        from finetune_lib.evaluation.report.saving import read_report

        return Report(**read_report(Path(path)))

    def with_votes(self, votes: Votes) -> Report:
        """The same report with what experts said on its review page."""
        return replace(self, votes=votes)

    def text(self, *, lang: Language | None = None, margin: float | None = None) -> str:
        """The report for a terminal, in the language of the locale or `lang`; as `print(report)` shows it."""
        from finetune_lib.evaluation.report.views import report_text

        return report_text(self, lang, margin=margin)

    def __str__(self) -> str:
        return self.text()

    def to_markdown(
        self, *, lang: Language | None = None, margin: float | None = None, title: str | None = None
    ) -> str:
        """The report for a pull request: verdicts first, details folded."""
        from finetune_lib.evaluation.report.views import report_markdown

        return report_markdown(self, lang, margin=margin, title=title)

    def to_html(
        self,
        *,
        metrics: Metrics | None = None,
        lang: Language | None = None,
        margin: float | None = None,
        title: str | None = None,
        summary: str | None = None,
    ) -> str:
        """The report as one page that opens without a network; the arguments are those of `save_html`."""
        from finetune_lib.evaluation.report.views import report_page

        curve = metrics.plot().svg if metrics is not None and len(metrics) else None
        return report_page(self, curve=curve, lang=lang, margin=margin, title=title, summary=summary)

    def save_html(
        self,
        path: str | PathLike[str],
        *,
        metrics: Metrics | None = None,
        lang: Language | None = None,
        margin: float | None = None,
        title: str | None = None,
        summary: str | None = None,
    ) -> Path:
        """Write the report as one HTML file that opens without a network; an older one is replaced.

        Args:
            path: The file.
            metrics: `job.metrics()`, to show the loss curve of the run.
            lang: `en`, `zh-Hant` or `zh-Hans`; by default the language of the locale.
            margin: A difference too small to matter: within it candidates are equivalent.
            title: What the page is called.
            summary: Where the page for a manager is, as `summary.html`, for a link.
        """
        page = self.to_html(metrics=metrics, lang=lang, margin=margin, title=title, summary=summary)
        return write_atomically(Path(path), [page.encode()])

    def save_summary_html(
        self,
        path: str | PathLike[str],
        *,
        candidate: str | None = None,
        lang: Language | None = None,
        margin: float | None = None,
        title: str | None = None,
        full: str | PathLike[str] | None = None,
    ) -> Path:
        """Write one page for whoever decides: the verdict, money before and after, what it is worse at, what to do.

        Args:
            path: The file.
            candidate: Whose page it is, against the first candidate; by default the one that does best.
            lang: `en`, `zh-Hant` or `zh-Hans`; by default the language of the locale.
            margin: A difference too small to matter: within it candidates are equivalent.
            title: What the page is called.
            full: Where to write the whole report beside it, in the same words; each page links to the other.

        Raises:
            ValueError: There are no two candidates with scores to common cases.
        """
        from finetune_lib.evaluation.report.views import summary_page

        file, whole = Path(path), None if full is None else Path(full)
        link = None if whole is None else relative_link(whole, file)
        page = summary_page(self, candidate=candidate, lang=lang, margin=margin, title=title, full=link)
        written = write_atomically(file, [page.encode()])
        if whole is not None:
            self.save_html(whole, lang=lang, margin=margin, title=title, summary=relative_link(file, whole))
        return written

    def _repr_html_(self) -> str:
        from finetune_lib.evaluation.report.views import report_page

        return report_page(self, fragment=True)


def relative_link(to: Path, page: Path) -> str:
    """The address of a file from a page on the same disk."""
    return quote(os.path.relpath(to.resolve(), page.resolve().parent).replace(os.sep, "/"))


class EvaluationError(FinetuneError, RuntimeError):
    """An evaluation gave nothing to compare.

    Attributes:
        report: What was gathered, with the reason of each failure.
    """

    def __init__(self, message: str, *, report: Report) -> None:
        super().__init__(message)
        self.report = report

"""A report as its reader sees it: the report, the language, and the comparisons that are shown of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from finetune_lib.errors import MissingExtraError
from finetune_lib.evaluation.judges import JudgeQuality
from finetune_lib.evaluation.report.comparing import Comparison
from finetune_lib.evaluation.report.measured import Measured
from finetune_lib.files import packaged_text
from finetune_lib.pages.wording import Words, chosen, number_of
from finetune_lib.statistics import Estimate
from finetune_lib.texts.languages import Language

PREFERENCES = ("judge", "experts")


@cache
def report_words(lang: Language) -> Words:
    """The words in one language; each language has all of them."""
    return tomllib.loads(packaged_text("finetune_lib.evaluation.report.views", "words.toml"))[lang]


@dataclass(frozen=True)
class View:
    """What all sections share.

    Attributes:
        report: The report.
        lang: The language of the page.
        fragment: Whether it is part of a notebook: shorter, and without a script.
        margin: A difference too small to matter, by the first measure.
        own_title: What the page is called, where its maker says so.
    """

    report: Measured
    lang: Language
    fragment: bool = False
    margin: float | None = None
    own_title: str | None = None

    @staticmethod
    def of(
        report: Measured,
        lang: Language | None,
        *,
        fragment: bool = False,
        margin: float | None = None,
        title: str | None = None,
    ) -> View:
        """In the language that was asked for, else that of the locale."""
        return View(report, chosen(lang), fragment, margin, title)

    @property
    def words(self) -> Words:
        """The words of the language."""
        return report_words(self.lang)

    @property
    def title(self) -> str:
        """What the page is called."""
        return self.own_title or self.words["title"]

    @property
    def counted(self) -> str:
        """How many cases there are."""
        return number_of(self.words, "cases_counted", len(self.report.cases))

    @property
    def baseline(self) -> str:
        """The first candidate, with which the others are compared."""
        return self.report.candidates[0]

    @property
    def others(self) -> tuple[str, ...]:
        """The candidates that are compared with it."""
        return self.report.candidates[1:]

    @cached_property
    def comparisons(self) -> Mapping[tuple[str, str], Comparison]:
        """By candidate and measure, where both sides have something to compare."""
        pairs = ((name, measure) for measure in self.report.measures for name in self.others)
        found = {pair: self._compared(*pair) for pair in pairs}
        return {pair: comparison for pair, comparison in found.items() if comparison}

    def _compared(self, candidate: str, measure: str) -> Comparison | None:
        margin = self.margin if measure == self.report.measures[0] else None
        try:
            return self.report.verdict(candidate, baseline=self.baseline, scorer=measure, margin=margin)
        except ValueError:  # no case has both sides: the failures say why
            return None

    def quality(self, candidate: str) -> JudgeQuality:
        """How far the judge can be trusted with this candidate."""
        return self.report.judge_quality(candidate, baseline=self.baseline)

    def interval(self, candidate: str, scorer: str) -> Estimate | None:
        """The mean score of a candidate with its interval; None where it has no score, or no statistics are there."""
        try:
            return self.report.interval(candidate, scorer=scorer)
        except MissingExtraError:  # one candidate can be scored without them
            return None

    def of_measure(self, measure: str) -> list[Comparison]:
        """The comparisons by one measure, in the order of the candidates."""
        return [c for (_, name), c in self.comparisons.items() if name == measure]

    def of_candidate(self, candidate: str) -> list[Comparison]:
        """The comparisons of one candidate, the deciding measure first."""
        return [c for (name, _), c in self.comparisons.items() if name == candidate]

    @property
    def decided(self) -> list[Comparison]:
        """The comparison of each candidate by its first measure: the one that decides."""
        return [found[0] for name in self.others if (found := self.of_candidate(name))]

    def decides(self, comparison: Comparison) -> bool:
        """Whether it is by the measure named first; the others are measured too, and carry no verdict."""
        return comparison.scorer == self.report.measures[0]

    def named(self, measure: str) -> str:
        """A measure as it is called: scorers have names of their own."""
        own = measure in self.report.scorers
        return measure if own or measure not in PREFERENCES else self.words[measure]

    def category(self, name: str) -> str:
        """A category as it is called; cases without one are in one together."""
        return self.words["none"] if name == "(none)" else name

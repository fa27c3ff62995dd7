"""Whether a judge can be trusted with a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

from finetune_lib.evaluation.judges.judgments import Cases, Judgment, id_of, of_the_pair
from finetune_lib.evaluation.judges.measures import agreement_of, apart_of, corrected_of, known, length_of, win_rate_of
from finetune_lib.evaluation.judges.order import ALPHA, Places, places_of
from finetune_lib.evaluation.judges.saying import sentences

if TYPE_CHECKING:
    from finetune_lib.statistics import Estimate, LengthEffect

# People's votes that a judge is held against before a headline may rest on it.
LEAST_TO_TRUST = 50
NO_PLACES = Places()


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """Whether a judge can be trusted with a comparison; printing it says so in sentences.

    What could not be computed is None: there is too little of it, or nothing to compare.

    Attributes:
        judge: The judge, or the members of the panel.
        asked: Calls that were made.
        missing: Calls that gave no verdict.
        places: What it makes of the order of the answers.
        win_rate: The candidate's, a tie as a half.
        length: What the preferences owe to the length of the answers, and the win rate at equal lengths.
        panel: Agreement of the members of a panel: Krippendorff's alpha of loss, tie and win.
        people: Agreement with people's votes, the same alpha.
        corrected: The win rate, corrected by people's votes (prediction-powered inference); that of their votes alone,
            where they voted on every case.

    Example:
        >>> from finetune_lib.evaluation.judges import JudgeQuality, Judgment
        >>> seen = [(str(case), first) for case in range(40) for first in (True, False)]
        >>> always_first = [Judgment(id, "tuned", "base", "j", first, level="first_much_better") for id, first in seen]
        >>> quality = JudgeQuality.of(always_first, [id for id, _ in seen[::2]], "tuned", "base")
        >>> quality.places.favoured, quality.places.consistency.value, quality.win_rate.value
        ('first', 0.0, 0.5)
    """

    judge: str
    _: KW_ONLY
    asked: int = 0
    missing: int = 0
    places: Places = NO_PLACES
    win_rate: Estimate | None = None
    length: LengthEffect | None = None
    panel: Estimate | None = None
    people: Estimate | None = None
    corrected: Estimate | None = None

    @staticmethod
    def of(
        judgments: Iterable[Judgment],
        cases: Cases,
        candidate: str,
        baseline: str,
        *,
        judge: str | None = None,
        lengths: Mapping[tuple[str, str], float] | None = None,
        votes: Mapping[str, float] | None = None,
    ) -> JudgeQuality:
        """Look at what was judged of one pair.

        Args:
            judgments: All there are; those of other pairs and cases are passed over.
            cases: The golden set, or its ids.
            candidate: Whose answers are compared.
            baseline: With whose.
            judge: One judge alone; None takes a panel as one judge.
            lengths: Characters of each answer, by candidate and case id.
            votes: People's preference for the candidate, from -1 to 1, by case id. They must be of a random part of the
                cases.

        Raises:
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        ids = set(map(id_of, cases))
        chosen = [j for j in of_the_pair(judgments, candidate, baseline, judge) if j.case in ids]
        asked = [judgment for judgment in chosen if judgment.asked]
        names = sorted({judgment.judge for judgment in chosen} | {judge or ""} - {""})
        preferred = known(chosen, cases, candidate, baseline)
        return JudgeQuality(
            " + ".join(names) or "no judge",
            asked=len(asked),
            missing=sum(judgment.level is None for judgment in asked),
            places=places_of(asked),
            win_rate=win_rate_of(preferred, cases),
            length=length_of(preferred, cases, apart_of(lengths or {}, candidate, baseline)),
            panel=agreement_of({name: known(asked, cases, candidate, baseline, name) for name in names}),
            people=agreement_of({"judge": known(asked, cases, candidate, baseline), "people": votes or {}}),
            corrected=corrected_of(preferred, votes or {}),
        )

    @property
    def favoured_length(self) -> Literal["longer", "shorter"] | None:
        """The length that wins more often than length should; None where no effect is shown."""
        effect = self.length.coefficient if self.length else None
        if effect is None or effect.p is None or effect.p >= ALPHA:
            return None
        return "longer" if effect.value > 0 else "shorter"

    @property
    def trusted(self) -> bool | None:
        """Whether a headline may rest on the judge: enough people agree with it; None where no people were asked.

        The lower end of the interval must reach 0.4, a convention, on 50 cases at least.
        """
        from finetune_lib.statistics import KAPPA_GATE

        return None if self.people is None else self.people.n >= LEAST_TO_TRUST and self.people.low >= KAPPA_GATE

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the headline has to know, in sentences; empty where nothing speaks against the judge."""
        return tuple(said for said, warns in sentences(self) if warns)

    def __str__(self) -> str:
        return "\n".join(said for said, _ in sentences(self))

"""Whether a judge can be trusted with a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

from finetune_lib.evaluation.judges.judgments import Cases, Judgment, id_of, of_the_pair
from finetune_lib.evaluation.judges.measures import agreement_of, apart_of, corrected_of, known, length_of, win_rate_of
from finetune_lib.evaluation.judges.order import ALPHA, Places, places_of
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    from finetune_lib.statistics import Estimate, LengthEffect

# People's votes that a judge is held against before a headline may rest on it.
LEAST_TO_TRUST = 50
# Missing verdicts from here on may be what decides.
MANY_MISSING = 0.05
NO_PLACES = Places()
Sentence = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class JudgeQuality(Shown):
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
        return tuple(said for said, warns in _sentences(self) if warns)

    def __str__(self) -> str:
        return "\n".join(said for said, _ in _sentences(self))


def _sentences(quality: JudgeQuality) -> Iterator[Sentence]:
    """What is known of a judge, each sentence with whether it is a warning."""
    yield _of_calls(quality)
    if quality.places.consistency:
        yield _of_consistency(quality.places.consistency)
    if quality.places.first:
        yield _of_place(quality.places, quality.places.first)
    if quality.length and quality.win_rate:
        yield _of_length(quality, quality.length.controlled, quality.win_rate)
    if quality.panel:
        yield f"The members of the panel agree with Krippendorff's alpha {_number(quality.panel)}.", False
    if quality.people:
        yield _of_people(quality.people, trusted=bool(quality.trusted))
    if quality.corrected:
        yield f"By people's votes the win rate is {_percent(quality.corrected)}.", False


def _of_calls(quality: JudgeQuality) -> Sentence:
    if not quality.asked:
        return f"{quality.judge}: nothing was judged.", False
    missing = f"{quality.missing} of {quality.asked} calls gave no verdict"
    many = quality.missing > MANY_MISSING * quality.asked
    text = f"{quality.judge}: {quality.places.pairs} pairs of answers judged in both orders; {missing}."
    return f"{text} What is missing may decide." if many else text, many


def _of_consistency(share: Estimate) -> Sentence:
    text = f"In {_percent(share)} of the pairs the verdict is the same in both orders"
    return f"{text}; the order decides more than the answers." if share.high < 0.5 else f"{text}.", share.high < 0.5


def _of_place(places: Places, share: Estimate) -> Sentence:
    chosen = f"the first answer was chosen in {_percent(share)} of {share.n} calls without a tie"
    twice = f"{places.first_both} pairs went to the first answer in both orders, {places.second_both} to the second"
    if places.favoured is None or places.leaning is None:
        return f"No favour for a place is shown: {chosen}; {twice}.", False
    averaged = "Both orders are averaged, which takes this out of the win rate but leaves less to see in it"
    return f"It favours the {places.favoured} answer{_p(places.leaning)}: {chosen}; {twice}. {averaged}.", True


def _of_length(quality: JudgeQuality, controlled: Estimate, rate: Estimate) -> Sentence:
    rates = f"at equal length the win rate is {_percent(controlled)}, over all {_percent(rate)}"
    if quality.favoured_length is None or quality.length is None:
        return f"No effect of the length is shown: {rates}.", False
    said = f"It favours {quality.favoured_length} answers{_p(quality.length.coefficient)}: {rates}"
    return f"{said}. They may be better, too; people can tell.", True


def _of_people(alpha: Estimate, *, trusted: bool) -> Sentence:
    agreed = f"With people it agrees with Krippendorff's alpha {_number(alpha)} on {alpha.n} cases"
    if trusted:
        return f"{agreed}: enough to rest a headline on the judge.", False
    needed = "the interval must begin at 0.4 or above, on 50 cases or more"
    return f"{agreed}: the headline must not rest on the judge; {needed}.", True


def _percent(share: Estimate) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _number(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _p(estimate: Estimate) -> str:
    p = 1.0 if estimate.p is None else estimate.p
    return " (p < 0.001)" if p < 0.001 else f" (p = {p:.3f})"

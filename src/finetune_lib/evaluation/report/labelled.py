"""Right and answered labels of a candidate, of answers that failed too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from finetune_lib.evaluation.report.results import Result
from finetune_lib.records import Case


def labelled(
    cases: Sequence[Case], results: Mapping[str, Sequence[Result]], candidate: str, scorer: str
) -> Iterator[tuple[str, str | None]]:
    """The right label and the answered one of every answer; None where it failed or had none.

    A failed answer has no score that tells the right label: it is that of any other answer to the case, else the
    expected text.
    """
    if not any(_targets(result, scorer) for several in results.values() for result in several):
        return
    for place, case in enumerate(cases):
        known = [label for several in results.values() for label in _targets(several[place], scorer)]
        right = known[0] if known else case.expected
        for attempt in results[candidate][place].attempts:
            score = attempt.scores.get(scorer)
            yield (score.target or right, score.label) if score else (right, None)


def _targets(result: Result, scorer: str) -> list[str]:
    scores = (attempt.scores.get(scorer) for attempt in result.attempts)
    return [score.target for score in scores if score is not None and score.target is not None]

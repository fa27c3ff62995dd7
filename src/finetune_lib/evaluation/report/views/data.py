"""Every case with all answers as one JSON text, from which the script of the page builds what is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from finetune_lib.evaluation.judges import Judgment
from finetune_lib.evaluation.judges.judgments import grouped
from finetune_lib.evaluation.report.results import Attempt
from finetune_lib.evaluation.report.views.compared import setting
from finetune_lib.evaluation.report.views.view import View
from finetune_lib.pages.conversation import conversation_of
from finetune_lib.pages.document import json_in_page
from finetune_lib.pages.markup import Markup
from finetune_lib.records import Answer, Case, ToolCall
from finetune_lib.texts.scripts import language_of

if TYPE_CHECKING:
    from finetune_lib.evaluation.judges import Judgment
    from finetune_lib.evaluation.report.results import Attempt
    from finetune_lib.evaluation.review.votes import Vote

# A file on this machine, or a path beside the report; `//host/…` is neither, and a colon may end a scheme.
FILE = re.compile(r"file:///|(?![/\\])[^:\\\x00-\x20]+(?:\Z|#)")
LARGEST, LEAST = 20_000, 1_000  # characters of one text on the page
ALL_TEXT = 40_000_000  # characters of all of them together
Json = dict[str, Any]


def data_script(view: View) -> Markup:
    """The JSON in its element; a browser reads it as text and never as code."""
    return Markup(f'<script type="application/json" id="data">{json_in_page(data(view))}</script>')


def data(view: View) -> Json:
    """What the script needs."""
    report = view.report
    cutter = Cutter(view)
    return {
        "lang": view.lang,
        "words": dict(view.words),
        "candidates": list(report.candidates),
        "scorers": list(report.scorers),
        "measures": [{"id": measure, "name": view.named(measure)} for measure in report.measures],
        "categories": list(report.categories),
        "cases": list(_cases(view, cutter)),
    }


class Cutter:
    """Cuts long texts, and says in which language a text is where it is not that of the page."""

    def __init__(self, view: View) -> None:
        attempts = sum(len(result.attempts) for results in view.report.results.values() for result in results)
        self._lang = view.lang
        self._most = max(LEAST, min(LARGEST, ALL_TEXT // max(1, attempts)))

    def text(self, text: str) -> Json:
        """A text, with the number of characters that are left out."""
        lang = language_of(text)
        cut = len(text) - self._most
        shown: Json = {"t": text[: self._most]}
        return shown | ({"cut": cut} if cut > 0 else {}) | ({"lang": lang} if lang and lang != self._lang else {})


def _cases(view: View, cut: Cutter) -> Iterator[Json]:
    report = view.report
    differences = _differences(view)
    known = set(report.candidates)
    judged = grouped((one for one in report.judgments if {one.candidate, one.baseline} <= known), attrgetter("case"))
    voted = grouped(report.votes.votes if report.votes else (), attrgetter("case_id"))
    for place, case in enumerate(report.cases):
        attempts = [[_attempt(one, cut) for one in report.results[name][place].attempts] for name in report.candidates]
        found = {measure: [column[place] for column in columns] for measure, columns in differences.items()}
        yield _case(case, cut) | _present(
            {
                "answers": attempts,
                "differences": found,
                "contaminated": case.id in report.contaminated,
                "judgments": [_judgment(one, view, cut) for one in judged.get(case.id, ())],
                "votes": [_vote(one) for one in voted.get(case.id, ())],
            }
        )


def _present(fields: Json) -> Json:
    """Without what says nothing."""
    return {name: value for name, value in fields.items() if value or type(value) in (int, float)}


def _case(case: Case, cut: Cutter) -> Json:
    messages = [message.model_dump(exclude_none=True) for message in case.messages]
    turns = conversation_of({"messages": messages}).turns
    asked = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
    said = [{"role": turn.role, **cut.text(turn.text)} for turn in turns]
    return {"id": case.id} | _present(
        {
            "category": case.category,
            "cluster": case.cluster,
            "turns": said,
            "asked": asked if said else None,
            "expected": cut.text(case.expected),
            "calls": _calls(case.expected_calls, cut),
            "metadata": [[name, cut.text(setting(value))] for name, value in case.metadata.items()],
        }
    )


def _calls(calls: Iterable[ToolCall], cut: Cutter) -> list[Json]:
    return [{"name": call.name, **cut.text(call.arguments)} for call in calls]


def _linked(answer: Answer) -> Iterator[tuple[str, Json]]:
    """Each source with its link, where it has one that leads to a file: an answer may come from anywhere."""
    for source, link in zip_longest(answer.sources, answer.links[: len(answer.sources)], fillvalue=""):
        yield source, {"link": link} if FILE.match(link) else {}


def _attempt(attempt: Attempt, cut: Cutter) -> Json:
    answer: Answer = attempt.answer
    shown = _present(
        {
            "error": answer.error,
            "calls": _calls(answer.tool_calls, cut),
            "sources": [cut.text(source) | link for source, link in _linked(answer)],
            "ended": answer.finish_reason if answer.finish_reason != "stop" else None,
            "seconds": round(answer.seconds, 2),
            "read": answer.usage.prompt_tokens,
            "written": answer.usage.completion_tokens,
            "usd": answer.cost,
            "scores": {name: _rounded(score.value) for name, score in attempt.scores.items()},
            "reasons": {name: cut.text(score.reason) for name, score in attempt.scores.items() if score.reason},
            "labels": {name: score.label for name, score in attempt.scores.items() if score.label is not None},
            "failures": dict(attempt.failures),
        }
    )
    return cut.text(answer.text) | shown


def _rounded(value: float) -> float | None:
    """JSON knows no nan."""
    return round(value, 6) if value == value and abs(value) != float("inf") else None


def _differences(view: View) -> Mapping[str, list[tuple[float | None, ...]]]:
    """For each measure and candidate how much better it is than the baseline, one a case; the baseline's are 0."""
    report, nothing = view.report, tuple([None] * len(view.report.cases))
    return {
        measure: [nothing, *(_difference(name, measure, view) or nothing for name in view.others)]
        for measure in report.measures
    }


def _difference(name: str, measure: str, view: View) -> tuple[float | None, ...] | None:
    if (name, measure) not in view.comparisons:
        return None
    return view.report.differences(name, baseline=view.baseline, scorer=measure)


def _judgment(one: Judgment, view: View, cut: Cutter) -> Json:
    """Seen from the candidate, whose answer came first or second."""
    names = view.report.candidates
    level = _level(one)
    told = {"judge": one.judge, "first": one.candidate_first, "level": level, "error": one.error}
    pair = {"candidate": names.index(one.candidate), "baseline": names.index(one.baseline)}
    return pair | _present(told | ({"reason": cut.text(one.reason)} if one.reason else {}))


def _level(one: Judgment) -> str | None:
    """The level with the candidate in the first place."""
    if one.candidate_first or one.level is None:
        return one.level
    if one.level.startswith("first"):
        return one.level.replace("first", "second", 1)
    return one.level.replace("second", "first", 1)


def _vote(vote: Vote) -> Json:
    """Seen from the answer that stood on the left."""
    choice = vote.choice.replace("left_much", "first_much_better").replace("right_much", "second_much_better")
    named = {"left": "first_slightly_better", "right": "second_slightly_better", "same": "tie"}.get(choice, choice)
    told = {"reasons": list(vote.reasons), "comment": vote.comment}
    return {"rater": vote.rater, "left": vote.left, "right": vote.right, "level": named} | _present(told)

"""The evaluation whose answers lie in 8bf0247/: its candidates, scorers and judges, as a user writes them.

Keys of answers hold the code of these functions: a changed line here is another function, which is asked anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import finetune_lib as ft
from finetune_lib import Answer

URL = "http://127.0.0.1:9/v1"  # nobody listens there: what is not kept fails
log = logging.getLogger(__name__)  # told by each call of a function
QUESTIONS = {"Where is gate A1?": "Upstairs.", "When does the bus leave?": "At nine."}
exact = ft.ExactMatch()


def plain(case: ft.Case) -> str:
    log.info("plain")
    return case.prompt.upper()


def naming(case: ft.Case) -> str:
    """It names the package, whose name stays."""
    log.info("naming")
    return ft.Answer(case.expected).text


def of_the_package(case: ft.Case) -> Answer:
    log.info("of_the_package")
    return Answer(case.expected)


@dataclass(frozen=True)
class Shouted:
    """A candidate that is an object of the user's own class."""

    ending: str = "!"
    name: str = "shouted"

    def __call__(self, case: ft.Case) -> str:
        log.info(self.name)
        return case.expected + self.ending


def careful(model: ft.ChatModel):
    """A candidate that holds one of the library in its closure."""

    async def careful(case: ft.Case) -> str:
        log.info("careful")
        return (await model(case)).text.strip()

    return careful


def brief(answer: str, _: ft.Case) -> float:
    log.info("brief")
    return float(len(answer) < 12)


def stripped(answer: str, case: ft.Case) -> float:
    """A scorer that names one of the library."""
    log.info("stripped")
    return exact(answer.strip("!"), case)


def longer(_: ft.Case, first: str, second: str) -> float:
    log.info("longer")
    return float((len(first) > len(second)) - (len(first) < len(second)))


def evaluate(store: Path) -> ft.Report:
    platform = ft.connect(URL, api_key="none")
    data = ft.Dataset.from_rows(
        [
            {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]}
            for q, a in QUESTIONS.items()
        ]
    )
    base = ft.ChatModel("small", name="base", platform=platform)
    judges = [ft.PairwiseJudge("large", platform=platform), longer]
    scorers = [ft.ExactMatch(), ft.Rubric("Polite", model="large", platform=platform), brief, stripped]
    candidates = [
        base,
        ft.FewShot("small", examples=data, k=2, platform=platform),
        ft.Rag("small", corpus=data, k=2, platform=platform),
        plain,
        naming,
        of_the_package,
        Shouted(),
        careful(base),
    ]
    return ft.Evaluator(scorers, judge=judges, store=store).run(data, candidates=candidates)

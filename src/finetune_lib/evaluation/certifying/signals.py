"""How sure an answer is: any number that orders answers will do; a bad one costs answers, never the promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Protocol

from finetune_lib.concurrency import call, together
from finetune_lib.evaluation.candidates import AsksModel, asked
from finetune_lib.evaluation.running.units import answer_of, score_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.evaluation.scorers.scorer import AsksGrader, given_to
from finetune_lib.platforms.asking import Request, Session
from finetune_lib.records import Answer, Case

Alike = Callable[[Answer, Answer, Case], Any]


class Signal(Protocol):
    """Tells how sure an answer is; `LogProbability` and `Agreement` do, and so does any scorer or function.

    A scorer is called with the answer and its case without the right answer, and a larger score is a surer answer.
    """

    @property
    def options(self) -> Mapping[str, Any]:
        """Further fields of the call whose answer it looks at."""
        ...

    async def confidence(self, answer: Answer, request: Request | None, case: Case, session: Session, /) -> Sure:
        """How sure the answer to a request is."""
        ...


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure an answer is, None where that is not known, and what it has cost to find out."""

    value: float | None
    usd: float | None = 0.0


@dataclass(frozen=True)
class LogProbability:
    """The mean log-probability of the tokens of the answer, where the platform tells them; thoughts do not count.

    It costs nothing. An answer without log-probabilities is never sure.

    Attributes:
        name: What certificates call it.
    """

    _: KW_ONLY
    name: str = "log-probability"

    @property
    def options(self) -> Mapping[str, Any]:
        """The call asks for log-probabilities."""
        return {"logprobs": True}

    async def confidence(self, answer: Answer, _: Request | None, _case: Case, _session: Session, /) -> Sure:
        """What the platform told of the answer."""
        return Sure(answer.logprob)


@dataclass(frozen=True)
class Agreement:
    """The share of further answers to the same question, at a higher temperature, that say the same.

    For models behind any platform; it costs `k` calls more for each question.

    Attributes:
        k: How many further answers.
        temperature: At which they are asked for.
        alike: `(one, other, case) -> bool`, or anything that counts as one; by default the scorer of the certificate
            tells it, with the answer in the place of the right one.
        name: What certificates call it.

    Raises:
        ValueError: k is below 1.
    """

    k: int = 5
    _: KW_ONLY
    temperature: float = 0.8
    alike: Alike | None = None
    name: str = "agreement"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is at least 1, not {self.k}")

    @property
    def options(self) -> Mapping[str, Any]:
        """The answer itself is asked for as usual."""
        return {}

    async def confidence(self, answer: Answer, request: Request | None, case: Case, session: Session, /) -> Sure:
        """Ask again and compare.

        Raises:
            TypeError: The candidate is no model, and cannot be asked at another temperature.
        """
        if request is None or self.alike is None:
            raise TypeError("Agreement asks a model again: the candidate is none; give another signal")
        again = replace(request, options={**request.options, "temperature": self.temperature})
        others: dict[int, Answer] = {}

        async def ask(number: int) -> None:
            others[number] = await asked(session, replace(again, salt=f"{request.salt}~{number}"))

        await together(ask(number) for number in range(self.k))
        same = [bool(await call(self.alike, answer, others[number], case)) for number in range(self.k)]
        costs = [other.cost for other in others.values()]
        return Sure(sum(same) / self.k, None if None in costs else sum(filter(None, costs)))


@dataclass(frozen=True)
class OwnConfidence:
    """What the candidate itself tells, as a cascade does."""

    name: str = "own"

    @property
    def options(self) -> Mapping[str, Any]:
        """Nothing more is asked for."""
        return {}

    async def confidence(self, answer: Answer, _: Request | None, _case: Case, _session: Session, /) -> Sure:
        """The confidence that the answer came with."""
        return Sure(answer.confidence)


@dataclass(frozen=True)
class Told:
    """A scorer or function as a signal: it never sees what the right answer is."""

    scorer: Scorer

    @property
    def options(self) -> Mapping[str, Any]:
        """Nothing more is asked for."""
        return {}

    async def confidence(self, answer: Answer, _: Request | None, case: Case, session: Session, /) -> Sure:
        """The score of the answer."""
        blind = replace(case, expected="", expected_calls=())
        given = given_to(self.scorer, answer)
        if isinstance(self.scorer, AsksGrader):
            return Sure((await session.read(self.scorer.request(given, blind), self.scorer.read)).value, None)
        told: Any = await call(self.scorer, given, blind)
        return Sure(None if told is None else score_of(told).value)


def usual_signal(candidate: object) -> Signal:
    """What tells how sure an answer is where nothing is given: a cascade tells it itself."""
    return OwnConfidence() if getattr(candidate, "rates_itself", False) else Agreement()


def require_rule(scorer: object) -> None:
    """Refuse a judge as what tells what is right.

    Raises:
        TypeError: It is one.
    """
    if isinstance(scorer, AsksGrader):
        way = "give a scorer by rule, and the judge as a signal"
        raise TypeError(f"a judge does not tell what is right, its own errors would be in the promise: {way}")


def signal_of(given: Signal | Scorer, scorer: Scorer, right: float) -> Signal:
    """A signal as certificates use it: `Agreement` compares as the scorer of the certificate does.

    Raises:
        TypeError: It is a class, or nothing that can be called.
    """
    if isinstance(given, type):
        raise TypeError(f"{given.__name__} is a class: write {given.__name__}(…)")
    if not callable(given) and not hasattr(given, "confidence"):  # pyright: ignore[reportUnnecessaryComparison]
        raise TypeError(f"a signal is LogProbability(), Agreement(), a scorer or a function, not {given!r}")
    if isinstance(given, Agreement) and given.alike is None:
        return replace(given, alike=_Same(scorer, right))
    return given if isinstance(given, (Agreement, LogProbability)) or hasattr(given, "confidence") else Told(given)  # pyright: ignore[reportReturnType, reportArgumentType]


@dataclass(frozen=True)
class _Same:
    """Two answers are the same where each would be right if the other one were."""

    scorer: Scorer
    right: float

    async def __call__(self, one: Answer, other: Answer, case: Case) -> bool:
        case = replace(case, expected=one.text, expected_calls=one.tool_calls)
        return score_of(await call(self.scorer, given_to(self.scorer, other), case)).value >= self.right


async def answered(
    candidate: Any, case: Case, session: Session, options: Mapping[str, Any]
) -> tuple[Answer, Request | None]:
    """The answer of a candidate, and the request behind it where it is a model's."""
    if not isinstance(candidate, AsksModel):
        return answer_of(await call(candidate, case)), None
    request = await candidate.request(case)
    request = replace(request, options={**request.options, **options})
    return await asked(session, request), request

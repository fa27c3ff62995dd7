"""Which questions are recorded in which order, what they cost, and what so many of them prove; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Literal

from finetune_lib.data.together.links import asking_alike
from finetune_lib.errors import DataError
from finetune_lib.evaluation.candidates import ChatModel
from finetune_lib.evaluation.golden.checking import MARGIN, margin_lines
from finetune_lib.platforms.asking import Price, Request, cost
from finetune_lib.records import Case, Usage
from finetune_lib.shown import Shown
from finetune_lib.tokens import counter_for

Kind = Literal["golden", "production", "refusal", "again", "training"]
SAID: Mapping[Kind, str] = {
    "golden": "golden questions",
    "production": "production questions",
    "refusal": "questions that it should decline",
    "again": "of them asked a second time: how far the model agrees with itself",
    "training": "training questions",
}
BATCH_SHARE = 0.5  # of the list price: OpenAI docs, Batch API
ROOM = 1.2  # an answer may be longer than those that are known


@dataclass(frozen=True, slots=True)
class Ask:
    """One question that is asked.

    Attributes:
        case: The question.
        kind: Why it is asked.
        request: What the model is asked.
    """

    case: Case
    kind: Kind
    request: Request


@dataclass(frozen=True)
class RecordingPlan(Shown):
    """What would be asked of the old model, in this order until the budget ends; `print` it.

    Attributes:
        model: The old model, with the settings that it has in production.
        asks: The questions in their order.
        margin: How much worse a replacement may be, as 0.05 for five points; it is fixed by the first answer.
        budget: US dollars at most.
        batch: Whether all but the first three questions go through the Batch API.
        price: US dollars for a million tokens read and written; None where it is not known.
        left_out: Production questions that ask what another one asks.
    """

    model: ChatModel
    asks: tuple[Ask, ...]
    margin: float
    budget: float | None
    batch: bool
    price: Price | None
    left_out: int = 0

    @property
    def usd(self) -> float | None:
        """What all of it costs, rather too much than too little; None where the price is not known."""
        return sum(self._costs()) if self.price else None

    @property
    def within_budget(self) -> int:
        """How many questions the budget pays for."""
        if self.budget is None or not self.price:
            return len(self.asks)
        spent, reached = 0.0, 0
        for one in self._costs():
            spent += one
            if spent > self.budget:
                break
            reached += 1
        return reached

    def _costs(self) -> Iterator[float]:
        share = BATCH_SHARE if self.batch else 1.0
        for ask in self.asks:
            yield cost(ask.request.expected(), self.price) * share if self.price else 0.0

    @property
    def cases(self) -> tuple[Case, ...]:
        """The questions, each once."""
        return tuple(ask.case for ask in self.asks if ask.kind != "again")

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Record {self.model.model}: {len(self.asks)} questions, in this order"
        counts = Counter[Kind](ask.kind for ask in self.asks)
        for number, (kind, count) in enumerate(counts.items(), start=1):
            yield f"  {number}. {count} {SAID[kind]}"
        if self.left_out:
            yield f"  left out: {self.left_out} production questions that ask what another one asks"
        yield f"  {self._priced()}"
        yield from margin_lines(sum(ask.kind in ("golden", "production") for ask in self.asks), self.margin)

    def _priced(self) -> str:
        way = ", by batch" if self.batch else ""
        if self.usd is None:
            return f"price: not known{way}; give the model its price=(read, written) for a million tokens"
        about = f"price: about ${self.usd:.2f} at most{way}"
        if self.budget is None:
            return about
        enough = self.within_budget == len(self.asks)
        reach = "pays for all" if enough else f"pays for the first {self.within_budget}"
        return f"{about}; the budget of ${self.budget:g} {reach}"


def planned(
    model: ChatModel,
    kinds: Mapping[Kind, Sequence[Case]],
    *,
    margin: float,
    budget: float | None,
    batch: bool,
    twice: int,
    price: Price | None,
    requests: Mapping[str, Request],
) -> RecordingPlan:
    """The plan for these questions, whose ids differ already.

    Args:
        model: The old model.
        kinds: The questions of each kind.
        margin: How much worse a replacement may be.
        budget: US dollars at most.
        batch: Whether the Batch API is used.
        twice: How many of the first questions are asked a second time.
        price: For a million tokens.
        requests: What the model is asked, by the id of the question.

    Raises:
        ValueError: A number is out of range, or there is no question.
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin is above 0 and below 1, as {MARGIN} for five points: got {margin}")
    if twice < 0:
        raise ValueError(f"twice is at least 0, not {twice}")
    if not any(kinds.values()):
        raise ValueError("give at least one question: golden=, production=, refusals= or training=")
    writes = _length(kinds, model.model)
    made = {id: replace(request, writes=writes) if writes else request for id, request in requests.items()}
    asks: dict[Kind, list[Ask]] = {kind: [Ask(c, kind, made[c.id]) for c in cases] for kind, cases in kinds.items()}
    first = [*asks.get("golden", []), *asks.get("production", []), *asks.get("refusal", [])]
    again = [Ask(a.case, "again", replace(a.request, salt=f"{a.request.salt}#1")) for a in first[:twice]]
    order = (*first, *again, *asks.get("training", []))
    return RecordingPlan(model, order, margin, budget, batch, price)


def _length(kinds: Mapping[Kind, Sequence[Case]], model: str) -> int | None:
    """Tokens of an answer, by the answers that are known already."""
    known = [said for case in chain(*kinds.values()) if (said := case.expected or case.metadata.get("said_before"))]
    if not known:
        return None
    count = counter_for(model).count
    return int(ROOM * sum(count(str(said)) for said in known) / len(known)) + 8


def named(kinds: Mapping[Kind, Sequence[Case]]) -> dict[Kind, tuple[Case, ...]]:
    """The questions with ids that differ: golden ones keep theirs, others are called by their kind.

    What a log says was answered is no right answer: it is kept beside the question.

    Raises:
        DataError: Two golden questions have one id.
    """
    return {kind: tuple(_named(case, kind, n) for n, case in enumerate(cases, 1)) for kind, cases in kinds.items()}


def _named(case: Case, kind: Kind, number: int) -> Case:
    if kind == "golden":
        return case
    category = case.category or kind
    if kind == "refusal":
        return replace(case, id=f"{kind}-{number}", category=category)
    beside = {**case.metadata, **({"said_before": case.expected} if case.expected else {}), "asked_as": case.id}
    return replace(case, id=f"{kind}-{number}", expected="", expected_calls=(), category=category, metadata=beside)


def in_turn(cases: Sequence[Case]) -> list[Case]:
    """Of each category one after the other, so that a budget that ends early leaves none out."""
    groups: defaultdict[str | None, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.category].append(case)
    return [case for row in zip_longest(*groups.values()) for case in row if case is not None]


def asked_once(cases: Sequence[Case]) -> list[Case]:
    """Those that ask the same, be it in other words, once: the first of each."""
    repeated = {place for group in asking_alike(cases) for place in group[1:]}
    return [case for place, case in enumerate(cases) if place not in repeated]


def require_own_ids(cases: Sequence[Case]) -> None:
    """That no two questions have one id.

    Raises:
        DataError: They have.
    """
    twice = [id for id, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise DataError(f"several questions have the id {', '.join(twice[:5])}: give each one of its own")


def usage_of(told: Sequence[int]) -> Usage:
    """Tokens as a line of a recording has them."""
    return Usage(*told)

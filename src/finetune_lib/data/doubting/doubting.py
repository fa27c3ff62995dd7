"""Ask a model about the answer of each row, and make findings of what it doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypedDict, Unpack

from finetune_lib.concurrency import in_own_loop, together
from finetune_lib.data.diagnostics import Diagnostic, ValidationReport, diagnose, quote
from finetune_lib.data.doubting.replies import Doubt, doubts_in, question_about
from finetune_lib.errors import PlatformError
from finetune_lib.pages.bar import drawing
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import NotAskedError, Price, Session, Spent, UnreadableAnswerError, within
from finetune_lib.platforms.asking.spending import require_limits
from finetune_lib.records import Example, Origin
from finetune_lib.rows.exchange import Turns, turns_of

UNREADABLE = "the reply was not in the form that was asked for"


class DoubtsOptions(TypedDict, total=False):
    """How the model is asked: where, within which limits, kept where."""

    platform: Platform | None
    concurrency: int
    budget: float | None
    max_calls: int | None
    price: Price | None
    cache: str | PathLike[str] | None
    on_progress: Callable[[int, int], object] | None
    progress: bool


@dataclass(frozen=True, slots=True)
class Doubts(ValidationReport):
    """What a model doubts, as findings: printing it shows them, and what asking has cost.

    Attributes:
        asked: How many answers there were to ask about.
        spent: What the calls to the model cost.
    """

    asked: int = 0
    spent: Spent = field(default_factory=Spent)

    def __str__(self) -> str:
        return f"{self.text()}\n{self.spent}"


@dataclass(frozen=True, slots=True)
class _Asker:
    model: str
    platform: Platform | None
    price: Price | None


def doubts(examples: Sequence[Example], *, source: str, ask: str, **options: Unpack[DoubtsOptions]) -> Doubts:
    """As `doubts_async`; works in scripts and inside a running event loop (a notebook)."""
    return in_own_loop(doubts_async(examples, source=source, ask=ask, **options))


async def doubts_async(
    examples: Sequence[Example],
    *,
    source: str,
    ask: str,
    platform: Platform | None = None,
    concurrency: int = 16,
    budget: float | None = None,
    max_calls: int | None = None,
    price: Price | None = None,
    cache: str | PathLike[str] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    progress: bool = False,
) -> Doubts:
    """Ask the model about each answer, equal rows once; `Dataset.doubts` tells the options."""
    require_limits(concurrency=concurrency, budget=budget, max_calls=max_calls)
    session = Session(platform=platform, store=cache, budget=budget, max_calls=max_calls, concurrency=concurrency)
    rows = ((place, turns) for place, example in enumerate(examples) if (turns := _to_ask(example)))
    run = _Run(rows, ask, price, len(examples))
    async with within(session):
        await session.prepare([_Asker(ask, platform, price)])
        with drawing(on_progress, progress=progress) as told:
            await together(run.work(session, told) for _ in range(concurrency))
    if session.hopeless and run.failed.total() == run.asked:
        raise session.hopeless
    found = [finding for place in sorted(run.found) for finding in run.told(place, examples[place])]
    missing = list(run.not_looked_at(source))
    return Doubts(source, len(examples), (*missing, *found), asked=run.asked, spent=session.purse.spent)


def _to_ask(example: Example) -> Turns | None:
    """The texts of a row whose answer is said to the user."""
    turns = turns_of(example)
    return turns if turns and not turns.calls and turns.answer.strip() else None


class _Run:
    """What the model said of each answer, and why it said nothing of some."""

    def __init__(self, rows: Iterator[tuple[int, Turns]], model: str, price: Price | None, examples: int) -> None:
        self._rows, self._model, self._price, self._examples = rows, model, price, examples
        self.found: dict[int, tuple[Turns, tuple[Doubt, ...]]] = {}
        self.failed: Counter[str] = Counter()
        self.asked = 0

    async def work(self, session: Session, on_progress: Callable[[int, int], object] | None) -> None:
        """Take one row after another, until there is none."""
        for place, turns in self._rows:
            self.asked += 1
            try:
                request = question_about(turns, model=self._model, price=self._price)
                told = await session.read(request, lambda reply, turns=turns: doubts_in(reply.text, turns.answer))
                if told:
                    self.found[place] = turns, told
            except UnreadableAnswerError:
                self.failed[UNREADABLE] += 1
            except (NotAskedError, PlatformError) as error:
                self.failed[str(error)] += 1
            if on_progress:
                on_progress(place + 1, self._examples)

    def told(self, place: int, example: Example) -> Iterator[Diagnostic]:
        """The findings about one answer."""
        turns, found = self.found[place]
        for doubt in found:
            start = turns.answer.find(doubt.text)
            mark = quote(turns.answer, start, len(doubt.text)) if start >= 0 else None
            given: dict[str, Any] = {"text": doubt.text, "reason": doubt.reason, "model": self._model}
            if doubt.kind == "quotation":
                given["author"] = doubt.author
            code = "Q935" if doubt.kind == "quotation" else "Q934"
            yield diagnose(code, example.origin, turns.path, quote=mark, **given)

    def not_looked_at(self, source: str) -> Iterator[Diagnostic]:
        """The answers of which the model said nothing, by reason: they are not taken for true."""
        for reason, count in self.failed.most_common():
            yield diagnose("Q936", Origin(source), count=count, asked=self.asked, reason=reason)

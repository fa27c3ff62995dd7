"""Run augmenters over examples; every call is bounded, every paid answer kept, every dropped child counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, TypeAlias

from finetune_lib.concurrency import in_own_loop, name_of, together
from finetune_lib.data.augmenters.augmenter import SEED, Augmenter, Made, Missing
from finetune_lib.data.augmenters.calling import children_of
from finetune_lib.data.augmenters.counting import Counts, Tally, total
from finetune_lib.data.augmenters.gate import PERTURBED, Gate
from finetune_lib.data.augmenters.lineage import Lineage
from finetune_lib.data.augmenters.rewriting import Rewriting
from finetune_lib.data.augmenters.sifting import Check, Offspring, Sieve
from finetune_lib.data.augmenters.template import Template
from finetune_lib.errors import DataError, MissingExtraError
from finetune_lib.pages.bar import drawing
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Session, Spent, within
from finetune_lib.platforms.asking.spending import require_limits
from finetune_lib.records import Example
from finetune_lib.rows.identity import content_hash

OnProgress: TypeAlias = Callable[[int, int], object]
Source: TypeAlias = Augmenter | Template
# These would meet every further example as well.
ENDS_THE_RUN = (DataError, MissingExtraError)


@dataclass(frozen=True)
class Augmented:
    """What a run gave.

    Attributes:
        parents: The examples as they were given; all of them stay.
        children: What was made of them and kept, in the order of the parents and then of the augmenters; the
            rows of templates come last.
        counts: What became of the children, by the name of their augmenter.
        spent: What the calls to models cost.
    """

    parents: Sequence[Example]
    children: tuple[Offspring, ...]
    counts: Mapping[str, Counts]
    spent: Spent

    @property
    def examples(self) -> list[Example]:
        """The parents, then their children; a parent that has children is told their family."""
        return [example for example, _ in self.pairs]

    @property
    def pairs(self) -> list[tuple[Example, Lineage | None]]:
        """The same, each with its lineage; a parent has none of this run."""
        families = {child.lineage.parent: child.lineage.family for child in self.children}
        return [*((_in_family(parent, families), None) for parent in self.parents), *self.children]

    @property
    def total(self) -> Counts:
        """The counts of all augmenters together."""
        return total(self.counts.values())

    def __str__(self) -> str:
        lines = [f"{name}: {counts}" for name, counts in self.counts.items()]
        asked = [str(self.spent)] if self.spent != Spent() else []
        return "\n".join([*lines, *asked])


def augmented(examples: Sequence[Example], augmenters: Sequence[Source], **options: Any) -> Augmented:
    """As `augmented_async`; works in scripts and inside a running event loop (a notebook)."""
    return in_own_loop(augmented_async(examples, augmenters, **options))


async def augmented_async(
    examples: Sequence[Example],
    augmenters: Sequence[Source],
    *,
    platform: Platform | None = None,
    concurrency: int = 16,
    budget: float | None = None,
    max_calls: int | None = None,
    seed: int = 0,
    cache: str | PathLike[str] | None = None,
    check: Check | None = None,
    on_progress: OnProgress | None = None,
    progress: bool = False,
) -> Augmented:
    """Run augmenters inside a running event loop.

    The result depends on the examples, the augmenters and the seed, and on what models answer: not on the
    concurrency, and for each example not on the others. Only where a limit is reached, it may depend on the
    order of the answers which examples are left out; a further run goes on from the cache.

    Args:
        examples: The parents.
        augmenters: What makes children of them.
        platform: Where models are asked by augmenters that name no platform; by default as `connect()` chooses.
        concurrency: Calls under way at once.
        budget: US dollars at most for this run; it needs the price of each model, and answers of the cache cost
            nothing. What a call will cost is set aside before it is made.
        max_calls: Calls at most in this run.
        seed: Another seed, other children, also of models.
        cache: The file that keeps paid answers; by default `answers.db` in `FINETUNE_LIB_HOME`, else in
            `~/.finetune_lib`; ":memory:" keeps none.
        check: A further test of each child.
        on_progress: Called with the number of units done and the number in all; one unit is one augmenter on
            one example.
        progress: Draw it, in a notebook or a terminal.

    Raises:
        ValueError: A number is out of range, or a budget is given and the price of a model is not known.
        PlatformError: The platform will take no call at all, as with a wrong key, and no child was made.
        DataError: The cache cannot be used.
        MissingExtraError: An augmenter needs a package that is not installed.
    """
    require_limits(concurrency=concurrency, budget=budget, max_calls=max_calls)
    if not augmenters:
        raise ValueError("give at least one augmenter")
    run = _Run(examples, augmenters)
    before = SEED.set(seed)
    try:
        session = Session(platform=platform, store=cache, budget=budget, max_calls=max_calls, concurrency=concurrency)
        async with within(session):
            await session.prepare([a for a in augmenters if isinstance(a, Rewriting)])
            with drawing(on_progress, progress=progress) as told:
                await run.finish(concurrency, told)
    finally:
        SEED.reset(before)
    sieve = Sieve(examples, gates=map(_gate, augmenters), seed=seed, check=check)
    found = run.sifted(sieve, seed, session.purse.spent)
    if session.hopeless and sum(found.total.failed.values()) == found.total.made:
        raise session.hopeless
    return found


class _Run:
    """The units of work of one run, one for each example and augmenter, and what they gave."""

    def __init__(self, examples: Sequence[Example], augmenters: Sequence[Source]) -> None:
        self.examples = examples
        self.named = dict(zip(_names(augmenters), augmenters, strict=True))
        self.made: dict[tuple[int, str], list[Made]] = {}

    @property
    def augmenters(self) -> Mapping[str, Augmenter]:
        """Those that go over the examples."""
        return {name: one for name, one in self.named.items() if not isinstance(one, Template)}

    async def finish(self, concurrency: int, on_progress: OnProgress | None) -> None:
        """A few workers share one iterator: no task for each unit, whatever their number."""
        units = ((place, name) for place in range(len(self.examples)) for name in self.augmenters)
        await together(self._work(units, on_progress) for _ in range(concurrency))

    async def _work(self, units: Iterator[tuple[int, str]], on_progress: OnProgress | None) -> None:
        augmenters = self.augmenters
        for place, name in units:
            self.made[place, name] = await _made(augmenters[name], self.examples[place])
            if on_progress:
                on_progress(len(self.made), len(self.examples) * len(augmenters))

    def sifted(self, sieve: Sieve, seed: int, spent: Spent) -> Augmented:
        """What is kept, counted in the order of the examples: whoever came first does not matter."""
        tallies = {name: Tally() for name in self.named}
        templates = ((name, one) for name, one in self.named.items() if isinstance(one, Template))
        rows = [row for name, one in templates for row in _template_rows(one, seed, tallies[name])]
        children = [*self._children(sieve, tallies), *rows]
        counts = {name: tally.counts() for name, tally in tallies.items()}
        return Augmented(self.examples, tuple(children), counts, spent)

    def _children(self, sieve: Sieve, tallies: Mapping[str, Tally]) -> Iterator[Offspring]:
        for place, parent in enumerate(self.examples if self.augmenters else ()):
            for name, augmenter in self.augmenters.items():
                made, gate = self.made.pop((place, name)), _gate(augmenter)
                yield from sieve.sift(parent, made, name=name_of(augmenter), gate=gate, tally=tallies[name])


def _gate(augmenter: Source) -> Gate:
    """The gate that an augmenter brings; a function without one makes small changes."""
    return getattr(augmenter, "gate", PERTURBED)


async def _made(augmenter: Augmenter, example: Example) -> list[Made]:
    """What one unit gives; whatever goes wrong in it is its own reason of failure."""
    await asyncio.sleep(0)  # an augmenter that never waits lets the others go on, too
    try:
        return await children_of(augmenter, example)
    except ENDS_THE_RUN:
        raise
    except Exception as error:
        return [Missing(f"{type(error).__name__}: {error}")]


def _template_rows(template: Template, seed: int, tally: Tally) -> Iterator[Offspring]:
    """The rows of a template have no parent; each is a family of its own, and equal ones count once."""
    seen: set[str] = set()
    for example in template.examples(seed=seed):
        own = content_hash(example.data)
        tally.identical += own in seen
        if own not in seen:
            seen.add(own)
            tally.kept += 1
            operation = f"template:{' '.join(example.origin.cells.values())}"
            yield Offspring(replace(example, operation=operation), Lineage(template.id, operation, seed, own))


def _in_family(parent: Example, families: Mapping[str, str]) -> Example:
    """The parent with the family that its children have, so that a split keeps them together."""
    family = families.get(content_hash(parent.data)) if families and not parent.family else None
    return replace(parent, family=family) if family else parent


def _names(augmenters: Sequence[Source]) -> list[str]:
    """A name for each; the second of one name is `noise 2`."""
    given = [name_of(augmenter) for augmenter in augmenters]
    earlier = [given[:place].count(name) for place, name in enumerate(given)]
    return [f"{name} {before + 1}" if before else name for name, before in zip(given, earlier, strict=True)]

"""Migration: leave a platform with everything that can be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TypedDict, Unpack

from finetune_lib.concurrency import in_own_loop
from finetune_lib.evaluation.candidates import ChatModel
from finetune_lib.evaluation.golden.checking import MARGIN
from finetune_lib.evaluation.running.progress import OnProgress
from finetune_lib.evaluation.running.units import cases_of
from finetune_lib.migration.inventory import Inventory
from finetune_lib.migration.reading import Reader
from finetune_lib.migration.recording import Recording, RecordingPlan, planned, record
from finetune_lib.migration.recording.plan import Kind, asked_once, in_turn, named, require_own_ids
from finetune_lib.migration.saving import Saved, Saving
from finetune_lib.platforms import Platform, connect
from finetune_lib.platforms.asking import price_of
from finetune_lib.platforms.wire import wired
from finetune_lib.records import Case, Example

Questions = Sequence[Case | Example]
LABELS = {"logprobs": True, "top_logprobs": 20}


class PlanOptions(TypedDict, total=False):
    """Which questions, and how they are asked; `Migration.plan_recording` tells each."""

    golden: Questions
    production: Questions
    refusals: Questions
    training: Questions
    budget: float | None
    margin: float
    twice: int
    labels: bool
    batch: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """Leaves a platform that closes: what lies there and until when, a copy of it, and what its models answer.

    Only recording spends anything, after its plan was shown. A key sees the models and jobs of its own project: ask
    with one key a project.

    Attributes:
        platform: Which; by default as `connect()` chooses.

    Example:
        ```python
        migration = ft.Migration(ft.connect("openai"))
        print(migration.inventory())
        print(migration.save("leaving-openai"))
        plan = migration.plan_recording("ft:gpt-4o-mini-2024-07-18:acme:faq:Ab12Cd34", golden=golden, budget=5.00)
        print(plan)
        recording = migration.record(plan, "recorded")
        ```
    """

    platform: Platform | None = None

    def inventory(self) -> Inventory:
        """Every fine-tuned model with its jobs, files and checkpoints, whether it still answers, and when it stops.

        The day is the one that the platform tells, else that of the dated catalogue. A list that is refused is told in
        `lost`, with the reason.

        Raises:
            PlatformError: There is no key.
        """
        return in_own_loop(self.inventory_async())

    async def inventory_async(self) -> Inventory:
        """As `inventory`, without blocking the event loop."""
        async with wired(self.platform or connect()) as wire:
            return await Reader(wire).inventory()

    def save(self, folder: str | PathLike[str]) -> Saved:
        """Training, validation and result files, events, settings, system messages and lists into one folder.

        Each file is written whole, with its checksum in the manifest. The same call again goes on: what lies there is
        not asked for again, and nothing is overwritten. What cannot be had is listed with the reason.

        Args:
            folder: A new or empty folder, or that of an earlier call.

        Raises:
            DataError: The folder holds something else, or a file in it is not what was saved.
            PlatformError: There is no key.
        """
        return in_own_loop(self.save_async(folder))

    async def save_async(self, folder: str | PathLike[str]) -> Saved:
        """As `save`, without blocking the event loop."""
        async with wired(self.platform or connect()) as wire:
            return await Saving(wire, await Reader(wire).inventory(), Path(folder)).save()

    def plan_recording(self, model: ChatModel | str, **options: Unpack[PlanOptions]) -> RecordingPlan:
        """Which questions the old model would be asked, in which order, what that costs, and what it proves.

        It asks nothing. The order is golden questions, production questions (of each category one after the other,
        those that ask the same once), questions that the model should decline, second answers to the first of these,
        and training questions: on them the old model is at its best, so they prove little, and are worth asking only
        where the training file is lost.

        Args:
            model: The old model. A name is asked with the platform's own settings; pass a `ChatModel` with the
                system message, temperature and `max_tokens` that you use in production.
            golden: A `GoldenSet`, cases, or a Dataset whose last assistant turns are the right answers.
            production: Questions from production; what a log says was answered is no right answer.
            refusals: Questions off the topic: what the model declines is behaviour, too.
            training: Questions of the training data.
            budget: US dollars at most.
            margin: How much worse a replacement may be, by default 0.05 for five points; the first answer fixes it.
            twice: How many of the first questions are asked a second time, by default 200: how far the model agrees
                with itself.
            labels: Whether the answers are labels: then the log-probabilities of 20 alternatives are kept.
            batch: Whether all but the first three questions go through the Batch API, for half the price.

        Raises:
            ValueError: There is no question, or a number is out of range.
            DataError: Two golden questions have one id, or an example has no question.
        """
        return in_own_loop(self.plan_recording_async(model, **options))

    async def plan_recording_async(
        self,
        model: ChatModel | str,
        *,
        golden: Questions = (),
        production: Questions = (),
        refusals: Questions = (),
        training: Questions = (),
        budget: float | None = None,
        margin: float = MARGIN,
        twice: int = 200,
        labels: bool = False,
        batch: bool = False,
    ) -> RecordingPlan:
        """As `plan_recording`, without blocking the event loop."""
        platform = self.platform or connect()
        asked = ChatModel(model, temperature=None) if isinstance(model, str) else model
        asked = replace(asked, options={**asked.options, **(LABELS if labels else {})})
        logged = _cases(production)
        once = in_turn(asked_once(logged))
        given: dict[Kind, Sequence[Case]] = {"golden": _cases(golden), "production": once}
        kinds = named({**given, "refusal": _cases(refusals), "training": _cases(training)})
        cases = [case for part in kinds.values() for case in part]
        require_own_ids(cases)
        requests = {case.id: await asked.request(case) for case in cases}
        price = price_of(asked.model, asked.price, asked.platform or platform)
        plan = planned(
            asked, kinds, margin=margin, budget=budget, batch=batch, twice=twice, price=price, requests=requests
        )
        return replace(plan, left_out=len(logged) - len(once))

    def record(
        self,
        plan: RecordingPlan,
        folder: str | PathLike[str],
        *,
        store: str | PathLike[str] | None = None,
        on_progress: OnProgress | None = None,
        progress: bool = False,
    ) -> Recording:
        """Ask the old model what the plan says, and keep each answer the moment it arrives.

        Killed at any moment and called again, it asks nothing twice: answers lie in the file that `Evaluator` keeps
        them in, and at the end in the folder, each with its whole question. A model that stops in between, or a budget
        that ends, leaves what is missing named with the reason.

        Args:
            plan: What `plan_recording` gave; print it first.
            folder: A new or empty folder, or that of an earlier call. Model, settings and margin are fixed in it
                before the first answer.
            store: The file of kept answers; by default as `Evaluator` has it.
            on_progress: Called after each answer.
            progress: Draw how far it is.

        Raises:
            DataError: The folder holds something else, or a recording of another model, margin or settings.
            ValueError: The platform does not take the model, or a budget is given and its price is not known.
        """
        return in_own_loop(self.record_async(plan, folder, store=store, on_progress=on_progress, progress=progress))

    async def record_async(
        self,
        plan: RecordingPlan,
        folder: str | PathLike[str],
        *,
        store: str | PathLike[str] | None = None,
        on_progress: OnProgress | None = None,
        progress: bool = False,
    ) -> Recording:
        """As `record`, without blocking the event loop."""
        platform = self.platform or connect()
        return await record(
            plan, Path(folder), platform=platform, store=store, on_progress=on_progress, progress=progress
        )


def _cases(questions: Questions) -> tuple[Case, ...]:
    return cases_of(questions) if questions else ()

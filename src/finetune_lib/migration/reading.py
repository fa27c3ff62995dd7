"""Read what a platform lists: each list on its own, so that one that is refused takes none of the others with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from finetune_lib import catalog
from finetune_lib.concurrency import together
from finetune_lib.errors import PlatformError
from finetune_lib.migration.inventory import FILES, JOBS, MODELS, WEIGHTS, Inventory, Lost, TunedModel, models_of
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import PAGE, Call, Object, Wire, objects_in

LISTING_SECONDS = 60.0  # that one list is asked for again while the platform is busy
AT_ONCE = 8
FILES_PAGE = 1_000


@dataclass
class Reader:
    """Reads the lists of one platform.

    Attributes:
        wire: The connection.
        lost: What was refused.
    """

    wire: Wire
    lost: list[Lost] = field(default_factory=list[Lost])

    async def inventory(self) -> Inventory:
        """All lists."""
        platform = self.wire.platform
        models = await self._models()
        jobs = await self._all(JOBS, Call("list the jobs", "GET", "/fine_tuning/jobs"), size=PAGE)
        files = await self._all(FILES, Call("list the files", "GET", "/files"), size=FILES_PAGE)
        ended = [job for job in jobs if job.get("fine_tuned_model")]
        checkpoints = dict[str, Sequence[Object]]()

        async def work(waiting: Iterator[Object]) -> None:
            for job in waiting:
                id = str(job["id"])
                call = Call(f"list the checkpoints of {id}", "GET", f"/fine_tuning/jobs/{id}/checkpoints")
                checkpoints[id] = await self._all(f"the checkpoints of {id}", call, size=PAGE)

        waiting = iter(ended)
        await together(work(waiting) for _ in range(min(AT_ONCE, len(ended))))
        unread = tuple(one.what for one in self.lost)
        found = models_of(jobs, None if MODELS in unread else models, checkpoints)
        gone = _gone(found, jobs, None if FILES in unread else files)
        return Inventory(
            platform.name,
            catalog.today(),
            models=found,
            jobs=tuple(jobs),
            files=tuple(files),
            checkpoints={id: checkpoints[id] for id in sorted(checkpoints)},
            lost=(*([] if platform.kind.free else [Lost("weights", WEIGHTS)]), *self.lost, *gone),
            unread=unread,
        )

    async def _models(self) -> list[Object]:
        call = Call("list the models", "GET", "/models")
        try:
            return objects_in(await Patience(LISTING_SECONDS).trying(lambda: self.wire.send(call)))
        except PlatformError as error:
            self.lost.append(Lost(MODELS, f"{error}"))
            return []

    async def _all(self, what: str, call: Call, *, size: int) -> list[Object]:
        """Every page of a list; none where it is refused."""

        async def read() -> list[Object]:
            return [one async for page in self.wire.pages(call, size=size) for one in page]

        try:
            return await Patience(LISTING_SECONDS).trying(read)
        except PlatformError as error:
            self.lost.append(Lost(what, f"{error}"))
            return []


def _gone(models: Sequence[TunedModel], jobs: Sequence[Object], files: Sequence[Object] | None) -> list[Lost]:
    """What jobs name and no list has; of a list that was refused nothing is said."""
    known = None if files is None else {one.get("id") for one in files}
    lost = [
        Lost(f"{what} of {job['id']}", f"{job[name]} is in no list of files: it was deleted, or is another project's")
        for job in jobs
        for name, what in (("training_file", "training file"), ("validation_file", "validation file"))
        if known is not None and job.get(name) and job[name] not in known and job.get("fine_tuned_model")
    ]
    lost += [
        Lost(one.id, "in no list of models: it has stopped, was deleted, or is another project's")
        for one in models
        if one.answers is False
    ]
    return lost

"""Migration: leave a platform with everything that can be had."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from finetune_lib.concurrency import in_own_loop
from finetune_lib.migration.inventory import Inventory
from finetune_lib.migration.reading import Reader
from finetune_lib.migration.saving import Saved, Saving
from finetune_lib.platforms import Platform, connect
from finetune_lib.platforms.wire import wired


@dataclass(frozen=True, slots=True)
class Migration:
    """Leaves a platform that closes: what lies there and until when, then a copy of it.

    Neither spends anything. A key sees the models and jobs of its own project: ask with one key a project.

    Attributes:
        platform: Which; by default as `connect()` chooses.

    Example:
        ```python
        migration = ft.Migration(ft.connect("openai"))
        print(migration.inventory())
        print(migration.save("leaving-openai"))
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

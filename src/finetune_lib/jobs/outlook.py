"""What a platform says of a job before it is sent: how long its model lives, and what training takes here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, cast

from finetune_lib.data.dataset import Dataset
from finetune_lib.data.measuring.stats import Stats
from finetune_lib.errors import FinetuneError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.admission import named
from finetune_lib.platforms.wire import Call, Object, Wire, wired

LOOK_SECONDS = 5.0
GB, BILLION, MINUTE = 1e9, 1e9, 60
SHUTDOWN, TRAINING = "stops answering", "is trained no more"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a training needs on this machine, by the rule of the local platform.

    Attributes:
        seconds: From its start to its end; None where that is not known, as on a GPU that has trained nothing yet.
        memory_bytes: At its peak.
        disk_bytes: At its peak.
        free_memory_bytes: What is free.
        free_disk_bytes: What is free.
        largest_parameters: About how many weights a base may have to fit into the memory.
        bases: The bases that lie on this machine, and whether each fits.
    """

    seconds: float | None
    memory_bytes: int
    disk_bytes: int
    free_memory_bytes: int
    free_disk_bytes: int
    largest_parameters: int
    bases: Mapping[str, bool] = field(default_factory=dict[str, bool])

    @property
    def lacking(self) -> Iterator[str]:
        """What is not there, in words."""
        for name in ("memory", "disk"):
            needed, free = (getattr(self, f"{prefix}{name}_bytes") for prefix in ("", "free_"))
            if needed > free:
                yield f"it needs about {_gb(needed)} of {name}, and {_gb(free)} are free"

    def __str__(self) -> str:
        time = "a time that is not known yet" if self.seconds is None else f"about {_span(self.seconds)}"
        needs = f"{_gb(self.memory_bytes)} of memory ({_gb(self.free_memory_bytes)} free)"
        disk = f"{_gb(self.disk_bytes)} of disk ({_gb(self.free_disk_bytes)} free)"
        fitting = ", ".join(name for name, fits in self.bases.items() if fits) or "none"
        most = f"about {self.largest_parameters / BILLION:.1f} billion weights"
        return f"it takes {time}, {needs} and {disk}\nbases here that fit: {fitting}; others of up to {most}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the platform says.

    Attributes:
        ends: What ends for the model, in words, and the day.
        needs: What training takes on this machine; None elsewhere, and where it is not known.
    """

    ends: Mapping[str, date] = field(default_factory=dict[str, date])
    needs: Needs | None = None


async def outlook(
    platform: Platform, model: str, *, train: Dataset, validation: Dataset | None, hyperparameters: Mapping[str, Any]
) -> Outlook:
    """Ask the platform; what it does not tell, or not at once, is left out. No data are sent."""
    try:
        name = named(platform, model)
        async with wired(platform) as wire:
            if not platform.kind.estimates:
                return Outlook(ends=await _ends(wire, name))
            data = {"train": train.stats(model=model)}
            if validation is not None:
                data["validation"] = validation.stats(model=model)
            return Outlook(needs=await _needs(wire, name, data, hyperparameters))
    except (FinetuneError, ValueError):
        return Outlook()  # `submit` says what is wrong


async def _ends(wire: Wire, model: str) -> dict[str, date]:
    """OpenAI's Models endpoint tells a date, Azure's two moments in `deprecation`."""
    told = await wire.send(Call("look at the model", "GET", f"/models/{model}"), seconds=LOOK_SECONDS)
    deprecation = told.get("deprecation")
    moments = cast("Object", deprecation) if isinstance(deprecation, dict) else {}
    days = {
        SHUTDOWN: _day(told.get("shutdown_date")) or _day(moments.get("inference")),
        TRAINING: _day(moments.get("fine_tune")),
    }
    return {what: day for what, day in days.items() if day is not None}


def _day(told: object) -> date | None:
    """A day, from a date in text or a moment in seconds since 1970."""
    try:
        if isinstance(told, str):
            return date.fromisoformat(told[:10])
        if isinstance(told, (int, float)) and not isinstance(told, bool) and told > 0:
            return datetime.fromtimestamp(told, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None


async def _needs(wire: Wire, model: str, data: Mapping[str, Stats], hyperparameters: Mapping[str, Any]) -> Needs | None:
    train, validation = data["train"], data.get("validation")
    known = {name: value for name, value in hyperparameters.items() if value is not None}
    body = {
        "model": model,
        "hyperparameters": known,
        "examples": train.examples,
        "tokens": train.tokens.total,
        "longest": train.tokens.most,
        "validation_tokens": validation.tokens.total if validation else 0,
    }
    told = await wire.send(Call("ask what it needs", "POST", "/fine_tuning/estimates", body=body), seconds=LOOK_SECONDS)
    values: dict[str, Any] = {name: told.get(name) for name in Needs.__dataclass_fields__}
    return Needs(**values) if isinstance(told.get("memory_bytes"), int) else None


def _gb(size: float) -> str:
    return f"{size / GB:,.1f} GB" if size >= GB / 10 else f"{size / GB * 1000:,.0f} MB"


def _span(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    minutes = seconds / MINUTE
    return f"{minutes:.0f} min" if minutes < 2 * MINUTE else f"{minutes / MINUTE:.1f} h"

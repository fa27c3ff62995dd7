"""What lies on a platform: fine-tuned models, jobs and files, when each model stops, what cannot be had; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib import catalog
from finetune_lib.files import write_atomically
from finetune_lib.pages.markup import table as page_table
from finetune_lib.pages.markup import tag
from finetune_lib.pages.terminal import table
from finetune_lib.platforms.kinds import status_of

Object = Mapping[str, Any]
MODELS, JOBS, FILES = "the list of models", "the list of jobs", "the list of files"
WEIGHTS = "cannot be had of hosted models, at any price; what they answer can be recorded while they answer"


@dataclass(frozen=True, slots=True)
class TunedModel:
    """A fine-tuned model, or a checkpoint of one.

    Attributes:
        id: Its name.
        base: What it was trained from.
        job: The job that made it; None where no job in the list names it.
        answers: Whether the platform still lists it; None where it refused to list its models.
        stops: The day on which it stops answering; None where nobody tells one.
        told_by: Who tells that day: `the model`, `its base`, or `the catalogue of <day>`.
    """

    id: str
    _: KW_ONLY
    base: str
    job: str | None
    answers: bool | None
    stops: date | None
    told_by: str = ""

    def days_left(self, today: date) -> int | None:
        """Days until it stops; 0 or less where that day has come."""
        return None if self.stops is None else (self.stops - today).days


@dataclass(frozen=True, slots=True)
class Lost:
    """What cannot be had, and why."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What lies on a platform; `print` it, the last line of a notebook's cell shows it as a table.

    Attributes:
        platform: Whose.
        day: When it was taken.
        models: Fine-tuned models and checkpoints, those that stop first before.
        jobs: As the platform tells them.
        files: As the platform tells them.
        checkpoints: Those of each job, by its id.
        lost: What cannot be had, the weights first.
        unread: The lists that were refused: of what they hold nothing is known.
    """

    platform: str
    day: date
    _: KW_ONLY
    models: tuple[TunedModel, ...]
    jobs: tuple[Object, ...] = ()
    files: tuple[Object, ...] = ()
    checkpoints: Mapping[str, Sequence[Object]]
    lost: tuple[Lost, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def answering(self) -> tuple[TunedModel, ...]:
        """The models that still answer."""
        return tuple(model for model in self.models if model.answers)

    @property
    def orphans(self) -> tuple[Object, ...]:
        """Training files that no job names: often the newer data."""
        named = {name for job in self.jobs for name in files_of(job)}
        return tuple(one for one in self.files if one.get("purpose") == "fine-tune" and one.get("id") not in named)

    def __str__(self) -> str:
        return "\n\n".join(self._paragraphs())

    def _paragraphs(self) -> Iterator[str]:
        yield "\n".join(map(str, self.lost[:1]))
        answering = "?" if MODELS in self.unread else len(self.answering)
        yield (
            f"{self.platform} on {self.day}: {answering} of {len(self.models)} fine-tuned models and "
            f"checkpoints answer; jobs: {len(self.jobs)}, files: {len(self.files)}, training files that no job names: "
            f"{len(self.orphans)}"
        )
        if self.models:
            yield table(HEADER, self._rows())
        if self.lost[1:]:
            yield "\n".join(["Not to be had:", *(f"- {one}" for one in self.lost[1:])])

    def _rows(self) -> Iterator[list[str]]:
        for model in self.models:
            left = model.days_left(self.day)
            stops = "not told" if model.stops is None else model.stops.isoformat()
            yield [model.id, ANSWERS[model.answers], stops, "" if left is None else str(left), model.told_by]

    def _repr_html_(self) -> str:
        lost = tag("ul", *(tag("li", str(one)) for one in self.lost))
        return tag("div", page_table(HEADER, self._rows()), lost)

    def to_dict(self) -> dict[str, Any]:
        """It as plain values."""
        return {
            "platform": self.platform,
            "day": self.day.isoformat(),
            "models": [{**asdict(one), "stops": one.stops and one.stops.isoformat()} for one in self.models],
            "jobs": [dict(job) for job in self.jobs],
            "files": [dict(file) for file in self.files],
            "checkpoints": {job: [dict(one) for one in found] for job, found in self.checkpoints.items()},
            "orphans": [file.get("id") for file in self.orphans],
            "lost": [asdict(one) for one in self.lost],
            "unread": list(self.unread),
        }

    def save_json(self, path: str | PathLike[str]) -> Path:
        """Write it as JSON, whole or not at all."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
        return write_atomically(Path(path), [text.encode(), b"\n"])


ANSWERS = {True: "yes", False: "no", None: "not told"}
HEADER = ("fine-tuned model", "answers", "stops on", "days left", "told by")


def files_of(job: Object) -> list[str]:
    """The ids of the files that a job names: training, validation, results."""
    results = job.get("result_files")
    listed = cast("list[Any]", results) if isinstance(results, list) else []
    return [str(name) for name in (job.get("training_file"), job.get("validation_file"), *listed) if name]


def models_of(
    jobs: Sequence[Object], listed: Sequence[Object] | None, checkpoints: Mapping[str, Sequence[Object]]
) -> tuple[TunedModel, ...]:
    """The fine-tuned models that jobs and the list of models name, those that stop first before.

    Args:
        jobs: All jobs.
        listed: What the models route tells; None where it was refused.
        checkpoints: Of each job.
    """
    told = None if listed is None else {str(one.get("id")): one for one in listed}
    made = dict(_made(jobs, checkpoints))
    tuned = [id for id, one in (told or {}).items() if id.startswith("ft:") or one.get("fine_tune")]
    found = [_model(id, told, made.get(id)) for id in dict.fromkeys([*tuned, *made])]
    return tuple(sorted(found, key=lambda one: (one.answers is False, one.stops or date.max, one.id)))


def _made(jobs: Iterable[Object], checkpoints: Mapping[str, Sequence[Object]]) -> Iterator[tuple[str, Object]]:
    for job in jobs:
        if job.get("fine_tuned_model") and status_of(str(job.get("status"))) == "succeeded":
            yield str(job["fine_tuned_model"]), job
        for one in checkpoints.get(str(job.get("id")), ()):
            if one.get("fine_tuned_model_checkpoint"):
                yield str(one["fine_tuned_model_checkpoint"]), job


def _model(id: str, told: Mapping[str, Object] | None, job: Object | None) -> TunedModel:
    listed = told or {}
    own = listed.get(id)
    base = str((job or {}).get("model") or (own or {}).get("model") or catalog.base_of(id))
    stops, by = _stops(own, listed.get(base), id)
    answers = None if told is None else own is not None
    return TunedModel(id, base=base, job=str(job["id"]) if job else None, answers=answers, stops=stops, told_by=by)


def _stops(own: Object | None, base: Object | None, id: str) -> tuple[date | None, str]:
    for one, by in ((own, "the model"), (base, "its base")):
        if one and (day := day_told(one)):
            return day, by
    facts = catalog.find(id)
    if facts and facts.shutdown:
        return facts.shutdown, f"the catalogue of {facts.checked}"
    return None, ""


def day_told(model: Object) -> date | None:
    """The day on which a model stops: OpenAI's `shutdown_date`, or Azure's `deprecation`, in seconds since 1970."""
    deprecation = model.get("deprecation")
    moment = cast("Object", deprecation).get("inference") if isinstance(deprecation, Mapping) else None
    try:
        if isinstance(told := model.get("shutdown_date"), str):
            return date.fromisoformat(told[:10])
        if isinstance(moment, (int, float)) and not isinstance(moment, bool) and moment > 0:
            return datetime.fromtimestamp(moment, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None

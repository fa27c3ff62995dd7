"""The proof of an export: loaded in a fresh process, it gives the answers that the platform gives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError, PlatformError
from finetune_lib.files import home
from finetune_lib.local.connection import require_platform
from finetune_lib.local.exporting.export import ADAPTER, RECORD, source_of
from finetune_lib.records import Case

MODULE = "finetune_lib.local.exporting.ask"
TOLERANCE = 0.05
LOG_CHARACTERS = 600
BROKEN = "\ufffd"
PART = 3  # llama.cpp tells nothing of tokens that end within a character, of four bytes at most


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that the export answers otherwise.

    Attributes:
        id: Of the case.
        question: What was asked last.
        here: The platform's answer.
        there: The export's.
        gap: The largest difference of the log-probabilities of a token, in nats; None where the answers differ.
    """

    id: str
    question: str
    here: str
    there: str
    gap: float | None


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """Whether an export answers as the model that it was made of; true in a condition where it does.

    Attributes:
        path: What was asked: the folder, or the GGUF file.
        asked: Questions.
        differences: Those that were answered otherwise, or less surely than the tolerance allows.
        gap: The largest difference of log-probabilities over equal answers, in nats.
        tolerance: What it may be.
    """

    path: Path
    asked: int
    differences: tuple[Difference, ...]
    gap: float
    tolerance: float

    def __bool__(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        same = self.asked - len(self.differences)
        head = (
            f"{self.path.name}: {same} of {self.asked} questions answered as by the platform; the largest difference "
            f"of log-probabilities is {self.gap:.4f} nats (tolerance {self.tolerance:g})"
        )
        return "\n".join([head, *(f"  {one.id}: {one.here!r} here, {one.there!r} there" for one in self.differences)])


def verify_export(
    path: str | PathLike[str],
    golden: Iterable[Case],
    *,
    tolerance: float = TOLERANCE,
    max_tokens: int = 64,
    root: str | PathLike[str] | None = None,
) -> ExportCheck:
    """Ask an export the questions of a golden set, and hold its answers against those of the platform's model.

    Each of the two is loaded in a process of its own and answers greedily: the folder with transformers, a GGUF file
    with llama.cpp and the template in the file. Equal are the texts, and the log-probabilities of their tokens within
    the tolerance.

    Args:
        path: The folder that `export` wrote, or a GGUF file in it.
        golden: The cases; their right answers play no part.
        tolerance: The largest difference of the log-probability of a token, in nats. An export of the same precision
            needs next to none; `f16` some hundredths, `q8_0` some tenths.
        max_tokens: Of each answer at most.
        root: The folder of the platform that has the model.

    Raises:
        DataError: It is no export, an adapter alone, or the platform has its model no more.
        PlatformError: One of the two does not load.
        ValueError: There is nothing to ask, or a number is not above 0.
    """
    require_platform()
    cases, target = list(golden), Path(path).absolute()
    if not cases or not tolerance > 0 or max_tokens < 1:
        raise ValueError("verify_export needs cases, a tolerance above 0 and at least one token")
    folder = target if target.is_dir() else target.parent
    if (folder / ADAPTER).is_file():
        raise DataError(f"{folder} holds an adapter alone: verify the folder of merge=True, which is asked without it")
    model = _model_of(folder)
    source = source_of(model, Path(root or home()).absolute())
    questions = [_question(case) for case in cases]
    here = _answers(source.folder, questions, max_tokens)
    prompted = [question | {"prompt": told["prompt"]} for question, told in zip(questions, here, strict=True)]
    there = _answers(str(target), prompted, max_tokens)
    found = [_difference(*told) for told in zip(cases, here, there, strict=True)]
    gaps = [one.gap for one in found if one.gap is not None]
    differences = tuple(one for one in found if one.gap is None or not one.gap <= tolerance)
    return ExportCheck(target, len(cases), differences, max(gaps, default=0.0), tolerance)


def _model_of(folder: Path) -> str:
    try:
        return json.loads((folder / RECORD).read_bytes())["model"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{folder} is no export: {RECORD} is missing, which names the model it was made of") from error


def _question(case: Case) -> dict[str, Any]:
    told = [message.model_dump(exclude_none=True, exclude={"weight"}) for message in case.messages]
    return {"messages": told, "tools": list(case.tools)}


def _answers(path: str, questions: Sequence[Mapping[str, Any]], max_tokens: int) -> list[Any]:
    asked = json.dumps({"path": path, "questions": questions, "max_tokens": max_tokens}, ensure_ascii=False)
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", MODULE], input=asked.encode(), capture_output=True, check=False
    )
    if done.returncode or not done.stdout:
        raise PlatformError(f"{path} does not answer: {done.stderr.decode(errors='replace')[-LOG_CHARACTERS:]}")
    return json.loads(done.stdout)


def _difference(case: Case, here: Mapping[str, Any], there: Mapping[str, Any]) -> Difference:
    broken = BROKEN in here["text"]  # each shows halves of characters its own way
    part = len(here["tokens"]) if broken else PART
    same = broken or here["text"] == there["text"]
    places = _places(here["tokens"], there["tokens"], part) if same else None
    gap = None if places is None else _gap(places, here["logprobs"], there["logprobs"])
    return Difference(case.id, case.prompt, here["text"], there["text"], gap)


def _places(ours: Sequence[int], theirs: Sequence[int], part: int) -> list[int] | None:
    """Where each of their tokens stands in ours; None where the answers are not the same."""
    places, at = list[int](), 0
    for token in theirs:
        if token not in ours[at : at + part + 1]:
            return None
        places.append(ours.index(token, at))
        at = places[-1] + 1
    return places if len(ours) - at <= part else None


def _gap(places: Sequence[int], ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest difference; not of the token that ends a turn, which llama.cpp tells, too."""
    told = [(ours[place], other) for place, other in zip(places, theirs, strict=False) if place < len(ours)]
    return max((abs(one - other) for one, other in told), default=0.0)

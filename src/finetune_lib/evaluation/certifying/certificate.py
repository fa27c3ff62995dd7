"""A certificate: the promise, what it rests on, and what it depends on; one JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, cast, get_args

from finetune_lib.errors import FinetuneError
from finetune_lib.files import write_atomically
from finetune_lib.statistics.certificates import Promised, Threshold, cases_to_certify, least_to_certify

FORM = 1
GOLDEN = "golden set"


class NoCertificateError(FinetuneError, ValueError):
    """These cases cannot show the promise.

    Attributes:
        report: What was asked and scored; None where nothing was asked.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a candidate promises, what was seen, and the digests of all that it depends on; `print` it.

    Attributes:
        candidate: Whose it is.
        error: The promise: at most this share is wrong.
        confidence: How often a promise given in this way is kept, at least.
        of: `answers`: the share of what it answers itself; `questions`: of all questions.
        threshold: The least confidence with which it answers.
        answered: Cases that reached it.
        wrong: Wrong answers among them; a missing verdict counts as one.
        cases: Independent cases that it rests on.
        level: The level that each threshold was held to.
        signal: What tells how sure an answer is.
        scorer: What tells whether an answer is right.
        right: The least score of a right answer.
        day: When it was made.
        stages: Of a cascade, how many answers each stage gave, and how many of them are wrong.
        depends: The digest of each thing whose change voids it.
    """

    candidate: str
    _: KW_ONLY
    error: float
    confidence: float
    of: Promised
    threshold: float
    answered: int
    wrong: int
    cases: int
    level: float
    signal: str
    scorer: str
    right: float
    day: str
    stages: Mapping[str, Sequence[int]] = field(default_factory=dict[str, "Sequence[int]"])
    depends: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def share(self) -> float:
        """The share of the questions that it answers itself."""
        return self.answered / self.cases

    def __str__(self) -> str:
        low, high = Threshold(self.threshold, self.answered, self.wrong, self.cases, self.level).interval
        what = "of what it answers is wrong" if self.of == "answers" else "of all questions get a wrong answer"
        return (
            f"{self.candidate} answers {self.share:.0%} itself ({self.answered:,} of {self.cases:,}, {self.wrong:,} "
            f"wrong; of questions like these {low:.0%} to {high:.0%}); with {self.confidence:.0%} confidence at most "
            f"{self.error:.0%} {what}, for questions like these, as long as model, prompt and questions stay. "
            f"Not certified for single topics.{self._of_stages}"
        )

    @property
    def _of_stages(self) -> str:
        if not self.stages:
            return ""
        told = "; ".join(f"{name} answered {count:,}, {wrong:,} wrong" for name, (count, wrong) in self.stages.items())
        return f" The promise is for all stages together: {told}."

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it as one JSON file, whole or not at all.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
        """
        text = json.dumps({"certificate": FORM, **asdict(self)}, ensure_ascii=False, indent=1)
        return write_atomically(Path(path), [text.encode(), b"\n"], overwrite=overwrite)

    @staticmethod
    def load(path: str | PathLike[str]) -> Certificate:
        """Read one.

        Raises:
            ValueError: The file is no certificate, or one of a later version.
        """
        try:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no certificate: {error}") from None
        given = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
        version = given.pop("certificate", None)
        if version != FORM:
            later = isinstance(version, int) and version > FORM
            raise ValueError(f"{path} is " + ("of a later version of finetune_lib" if later else "no certificate"))
        if set(given) | {"stages"} != {one.name for one in fields(Certificate)} - {"_"}:
            raise ValueError(f"{path} is no whole certificate: make it again")
        found = Certificate(**given)
        if not _can_be(found):
            raise ValueError(f"{path} has numbers that cannot be: make it again")
        return found

    def changed(self, depends: Mapping[str, str]) -> list[str]:
        """What is not as it was when the certificate was made."""
        return [name for name in {**self.depends, **depends} if self.depends.get(name) != depends.get(name)]


def _can_be(made: Certificate) -> bool:
    """Whether its values are such as `certify` writes."""
    numbers = (made.error, made.confidence, made.threshold, made.level, made.right)
    counts = (made.wrong, made.answered, made.cases)
    texts = (made.candidate, made.signal, made.scorer, made.day)
    return (
        all(isinstance(one, (int, float)) and math.isfinite(one) for one in numbers)  # pyright: ignore[reportUnnecessaryIsInstance]
        and all(type(one) is int for one in counts)
        and 0 <= made.wrong <= made.answered <= made.cases
        and made.answered > 0
        and 0 < made.error < 1
        and 0 < made.confidence < 1
        and made.of in get_args(Promised)
        and all(isinstance(one, str) for one in texts)  # pyright: ignore[reportUnnecessaryIsInstance]
        and isinstance(made.depends, dict)
        and isinstance(made.stages, dict)
        and all(_are_counts(one) for one in cast("dict[str, Any]", made.stages).values())
    )


def _are_counts(told: Any) -> bool:
    return isinstance(told, (list, tuple)) and [type(one) for one in cast("list[Any]", told)] == [int, int]


def too_few(cases: int, error: float, confidence: float, of: Promised) -> str | None:
    """Why so few cases can show nothing, whatever comes; None where they can."""
    least = least_to_certify(error, confidence)
    if cases >= least:
        return None
    return f"No certificate: {cases} cases cannot show {error:.0%}; {advice(error, confidence, of)}"


def advice(error: float, confidence: float, of: Promised) -> str:
    """How many cases it takes."""
    least = least_to_certify(error, confidence)
    if of == "questions":
        return f"{least} without a wrong answer are the least"
    many = cases_to_certify(error, confidence, answered=0.6, wrong=error / 5)
    usual = f", about {many:,} if 60 % are answered and {error / 5:.0%} of those are wrong" if many else ""
    return f"{least} without an error are the least{usual}"

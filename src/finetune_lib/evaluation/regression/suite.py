"""Which cases a regression suite has: those that come with the library, or a file of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

from finetune_lib.errors import DataError
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.evaluation.regression.checks import checks_of
from finetune_lib.evaluation.running.units import cases_of
from finetune_lib.files import packaged_text
from finetune_lib.records import Case, Example

SuiteName = Literal["general"]
GENERAL: SuiteName = "general"


def suite_of(given: bool | str | PathLike[str] | Sequence[Case | Example] | None) -> GoldenSet | None:
    """The cases of a suite; None where none is wanted.

    Raises:
        TypeError: It is nothing of the kind.
        ValueError: It is neither the name of a suite nor a file, or it is empty.
        ReadError: The file cannot be read.
        DataError: A case cannot be checked; all such are named.
    """
    if given is None or given is False:
        return None
    if given is True or given == GENERAL:
        return _general()
    if isinstance(given, (str, PathLike)) and not Path(given).exists():
        raise ValueError(f'regression_suite is "{GENERAL}" or a file of your own; {str(given)!r} is neither')
    if not isinstance(given, (str, PathLike, Sequence)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f'regression_suite is "{GENERAL}", a file or cases, not {given!r}')
    if not given:
        raise ValueError("the regression suite is empty")
    suite = GoldenSet.load(given) if isinstance(given, (str, PathLike)) else _of(given)
    if problems := [told for case in suite if (told := _problem(case))]:
        raise DataError(f"{suite.name}: {'; '.join(problems)}")
    return suite


def _of(given: Sequence[Case | Example]) -> GoldenSet:
    return given if isinstance(given, GoldenSet) else GoldenSet.of(cases_of(given), name="own suite")


@cache
def _general() -> GoldenSet:
    """The suite of the library, under the library's own licence (Apache-2.0)."""
    rows = map(json.loads, packaged_text("finetune_lib.evaluation.regression", "general.jsonl").splitlines())
    return GoldenSet.from_rows(list(rows), name=GENERAL)


def _problem(case: Case) -> str | None:
    try:
        checks_of(case)
    except ValueError as error:
        return str(error)
    return None


def without_system(candidates: Mapping[str, Any]) -> dict[str, Any]:
    """The candidates without a system message of their own, which would take the place of that of a case."""
    return {name: _bare(one) for name, one in candidates.items()}


def _bare(candidate: Any) -> Any:
    if not is_dataclass(candidate) or isinstance(candidate, type) or getattr(candidate, "system", None) is None:
        return candidate
    return replace(cast("Any", candidate), system=None)

"""What the page saves: the votes of one person, as a file, as pasted text, or in the database of a served page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from finetune_lib.files import packaged_text, require_known

VERSION = 1  # of votes, and of the database of a served page
SQLITE = b"SQLite format 3\0"
SHOWN_PROBLEMS = 5  # of one file; a wrong file has as many as it has votes

Source = str | PathLike[str] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """The votes of one person, and where they came from.

    Attributes:
        name: The file, or what else says where it was.
        data: The JSON object that the page wrote.
    """

    name: str
    data: Mapping[str, Any]


def read_states(sources: Source | Iterable[Source]) -> tuple[list[State], list[str]]:
    """What could be read, and what is wrong with the rest."""
    single = isinstance(sources, (str, PathLike, Mapping))
    given = cast("list[Source]", [sources] if single else list(sources))
    states: list[State] = []
    problems: list[str] = []
    for number, source in enumerate(given, start=1):
        name = f"text {number}" if isinstance(source, Mapping) or _is_text(source) else Path(source).name
        try:
            found = [State(name, data) for data in _read(source)]
        except (OSError, ValueError, sqlite3.Error) as error:
            problems.append(f"{name} cannot be read: {error}")
            continue
        problems += [f"{state.name}: {problem}" for state in found for problem in state_problems(state.data)]
        states += [state for state in found if isinstance(state.data, dict)]
    return states, problems


def _is_text(source: str | PathLike[str]) -> bool:
    """Votes that were pasted into an e-mail, not the name of a file."""
    return isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("{")


def _read(source: Source) -> Iterable[Any]:
    if isinstance(source, Mapping):
        return [source]
    if _is_text(source):
        return [json.loads(fspath(source).lstrip("\ufeff"))]
    content = Path(source).read_bytes()
    if content.startswith(SQLITE):
        address = f"{Path(source).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            require_known(version, known=VERSION, path=Path(source))
            return [json.loads(text) for (text,) in database.execute("SELECT state FROM reviews ORDER BY rater")]
    return [json.loads(content.decode("utf-8-sig"))]


def state_problems(data: Any) -> Iterator[str]:
    """What keeps votes from being what the page writes."""
    told = cast("dict[str, Any]", data).get("schema") if isinstance(data, dict) else None
    if isinstance(told, int) and told > VERSION:
        yield f"schema: {told} is that of a later version of finetune_lib: update finetune_lib"
        return
    errors = sorted(_validator().iter_errors(data), key=lambda error: list(map(str, error.absolute_path)))
    for error in errors[:SHOWN_PROBLEMS]:
        place = error.json_path.removeprefix("$").removeprefix(".")
        yield f"{place}: {error.message}" if place else error.message
    if len(errors) > SHOWN_PROBLEMS:
        yield f"and {len(errors) - SHOWN_PROBLEMS} more of the kind"


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    text = packaged_text("finetune_lib.evaluation.review", "votes.schema.json")
    return Draft202012Validator(json.loads(text))

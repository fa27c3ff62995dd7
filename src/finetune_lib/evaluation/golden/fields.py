"""Which field of a case a column or a key is, by its name, in English and Chinese, or as told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from finetune_lib.data.reading.tables.headers import MARKS, folded, recognise
from finetune_lib.files import packaged_text

FIELDS = ("input", "expected", "category", "cluster", "id", "system", "messages")
SYNONYMS = {"prompt": "input", "question": "input", "completion": "expected", "answer": "expected", "ideal": "expected"}
ALIASES = {**SYNONYMS, **{field: field for field in FIELDS}}
OF_TRAINING = {"prompt": "input", "completion": "expected"}  # what the readers of training data call otherwise
OF_CHATS = ("messages", "conversations", "category", "system", "tools")
ASKING = ("input", "messages", "conversations")
Among = Callable[[Sequence[str], Mapping[str, str] | None], Mapping[str, str]]


def told(columns: Mapping[str, str] | None) -> dict[str, str]:
    """What the user says of columns, by our names of the fields.

    Raises:
        ValueError: A field is unknown.
    """
    given = dict(columns or {})
    if unknown := sorted(given.keys() - ALIASES.keys()):
        raise ValueError(f"columns= maps {', '.join(FIELDS)} to columns of the file, not {', '.join(unknown)}")
    return {ALIASES[field]: name for field, name in given.items()}


def fields_among(names: Sequence[str], columns: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """From each field of a case that is there to its name among these; rivals for one field are nobody's.

    Args:
        names: The columns of a table, or the keys of an object.
        columns: What `told` gives.

    Returns:
        The fields; none where nothing is asked.
    """
    return _of_case(tuple(names), tuple(sorted((columns or {}).items())))


def answers_among(names: Sequence[str], columns: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The same for recorded answers: `expected` is the answer that somebody gave, not the right one.

    Returns:
        The fields; none where there is no answer, or nothing that tells to which case it belongs.
    """
    return _of_answer(tuple(names), tuple(sorted((columns or {}).items())))


@lru_cache(maxsize=512)
def _of_case(names: tuple[str, ...], columns: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    given = _given(names, columns)
    found = _found(names, given, ("id", "expected", "cluster"))
    if not set(ASKING) & found.keys():
        found = _found(names, given, ("id", "expected"))
    return found if set(ASKING) & found.keys() else {}


@lru_cache(maxsize=512)
def _of_answer(names: tuple[str, ...], columns: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    right = frozenset(_called("expected", names))
    given = _given(names, columns)
    found = _found([name for name in names if name not in right or name in given.values()], given, ("id",))
    return found if "expected" in found and {"id", "input"} & found.keys() else {}


def _given(names: Sequence[str], columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    known = {folded(name): name for name in reversed(names)}
    return {field: known[folded(name)] for field, name in columns if folded(name) in known}


def _found(names: Sequence[str], given: Mapping[str, str], own: Sequence[str]) -> dict[str, str]:
    """The fields told, then those by our own names, then those by which training data is known."""
    found = dict(given)
    for field in own:
        _take(found, field, _called(field, names))
    free = ["" if name in found.values() else name for name in names]
    chat = recognise(free, fields=OF_CHATS)
    header = chat if chat.complete else recognise(free)
    for field, place in header.places.items():
        _take(found, OF_TRAINING.get(field, field), [names[place]])
    _take(found, "expected", _called("late", names))
    return found


def _take(found: dict[str, str], field: str, named: Sequence[str]) -> None:
    free = [name for name in named if name not in found.values()]
    if field not in found and free:
        found[field] = free[0]


def _called(field: str, names: Sequence[str]) -> list[str]:
    """The columns that our own list calls so, the first of the list before the others."""
    words = _words()[field]
    ranked = [(words[word], name) for name in names if (word := MARKS.sub("", folded(name))) in words]
    return [name for _, name in sorted(ranked, key=lambda pair: pair[0])]


@cache
def _words() -> Mapping[str, Mapping[str, int]]:
    table = tomllib.loads(packaged_text("finetune_lib.evaluation.golden", "words.toml"))
    return {field: {MARKS.sub("", folded(word)): at for at, word in enumerate(words)} for field, words in table.items()}

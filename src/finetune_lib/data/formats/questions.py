"""One question and one answer under other names: `query`/`response` (ms-swift), `question`/`answer`, 問題/答案.

Only a row with exactly one such question and one such answer counts, and nothing beside them that may belong
to the question (a passage, choices): to leave that out would teach something else than the row says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.messages import history_of
from finetune_lib.data.formats.rows import Translated, chat, label_in, without
from finetune_lib.files import packaged_text


@cache
def names(of: str) -> frozenset[str]:
    """The names of fields of one kind: `question`, `answer` or `part_of_question`, from `names.toml`."""
    return frozenset(tomllib.loads(packaged_text("finetune_lib.data.formats", "names.toml"))[of])


def pair_of(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The row's one question field and one answer field; None where it has not exactly these."""
    found = _fields_among(tuple(data))
    if found is None or any(data[key] for key in found[2]):
        return None
    asked, answered, _ = found
    sound = isinstance(data[asked], str) and not isinstance(data[answered], (list, dict))
    return (asked, answered) if sound else None


@lru_cache(maxsize=256)
def _fields_among(keys: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]] | None:
    """The question, the answer, and what may belong to the question, among a row's fields; rows share their fields."""
    folded = {key: str(key).strip().casefold() for key in keys}
    asked = [key for key, name in folded.items() if name in names("question")]
    answered = [key for key, name in folded.items() if name in names("answer")]
    if len(asked) != 1 or len(answered) != 1 or {folded[asked[0]], folded[answered[0]]} == {"prompt", "completion"}:
        return None
    return asked[0], answered[0], tuple(key for key, name in folded.items() if name in names("part_of_question"))


def read(data: Mapping[str, Any]) -> Translated | None:
    """A question and its answer as a chat."""
    pair, history = pair_of(data), history_of(data.get("history"))
    if pair is None or history is None:
        return None
    rest = without(data, [*pair, "history"])
    category = label_in(rest)
    turns = [{"role": "user", "content": data[pair[0]]}, {"role": "assistant", "content": data[pair[1]]}]
    row = chat([*history, *turns], rest)
    last = len(row["messages"]) - 1
    moves = {f"/messages/{last - 1}/content": f"/{pair[0]}", f"/messages/{last}/content": f"/{pair[1]}"}
    return Translated(row, {**({"/messages/0/content": "/system"} if data.get("system") else {}), **moves}, category)


QUESTIONS: Final = Format(
    "question-answer",
    shapes=(
        Shape(
            "query-response",
            read=read,
            alone=Sign(("query",), lambda data: pair_of(data) == ("query", "response")),
            judged=True,
        ),
        Shape("question-answer", read=read, alone=Sign((), lambda data: pair_of(data) is not None), judged=True),
    ),
)

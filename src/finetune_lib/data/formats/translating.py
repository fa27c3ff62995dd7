"""The row shapes of other projects, read as OpenAI's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from finetune_lib.data.formats import (
    alpaca,
    anthropic,
    evals,
    gemini,
    llamafactory,
    questions,
    sharegpt,
    stored,
    swift,
    trl,
)
from finetune_lib.data.formats.recognising import dialect_of
from finetune_lib.data.formats.rows import Translated, UnclearError, chat, without
from finetune_lib.records import Example

__all__ = ["PREFERENCE_DIALECTS", "UNSAYABLE_DIALECTS", "dialect_of", "translated"]

PREFERENCE_DIALECTS: Final = frozenset(
    {
        "alpaca-preference",
        "dpo-strings",
        "hh-rlhf",
        "kto",
        "llamafactory-preference",
        "openai-old-preference",
        "sharegpt-preference",
        "swift-preference",
        "trl-preference",
    }
)
"""The dialects that hold a judgement instead of a chat."""

UNSAYABLE_DIALECTS: Final = frozenset({"kto", "text"})
"""Known dialects that no format of OpenAI's can say: a single answer with a verdict, and plain text."""


def translated(example: Example) -> Example:
    """The example in OpenAI's shape.

    Unchanged where it has that shape already. Where no format of OpenAI's can say it, or it is not sound by its
    own dialect's rules, it only gets its dialect's name, so that checks report it as it stands. Fields that a
    dialect does not know stay beside the messages; a cell that a text was read from moves with it.
    """
    dialect = dialect_of(example.data)
    if dialect is None:
        return example
    try:
        found = TRANSLATORS[dialect](example.data) if dialect in TRANSLATORS else None
    except UnclearError:
        found = None
    if found is None:
        return replace(example, dialect=dialect)
    cells = {new: example.origin.cells[old] for new, old in found.moves.items() if old in example.origin.cells}
    origin = replace(example.origin, cells={**example.origin.cells, **cells}) if cells else example.origin
    category = found.category or example.category
    return replace(example, data=found.data, origin=origin, category=category, dialect=dialect)


def _with_placeholders(data: Mapping[str, Any]) -> Translated | None:
    """A chat with its pictures in the text; None where pictures and placeholders do not match."""
    row = chat(data["messages"], without(data, ["messages"]))
    return None if row.keys() & {"images", "image"} else Translated(row)


def _old_preference(data: Mapping[str, Any]) -> Translated:
    """OpenAI's own preference, by the names that its API description had before its guide."""
    names = {"preferred_completion": "preferred_output", "non_preferred_completion": "non_preferred_output"}
    return Translated({names.get(key, key): value for key, value in data.items()})


TRANSLATORS: Final[Mapping[str, Callable[[Mapping[str, Any]], Translated | None]]] = {
    "alpaca": alpaca.translate,
    "alpaca-preference": alpaca.translate_preference,
    "anthropic": anthropic.translate,
    "bedrock": anthropic.of_bedrock,
    "cohere": sharegpt.translate,
    "dpo-strings": trl.translate_preference,
    "gemini": gemini.translate,
    "hh-rlhf": trl.translate_hh,
    "image-placeholders": _with_placeholders,
    "llamafactory-messages": llamafactory.translate,
    "llamafactory-preference": llamafactory.translate_preference,
    "openai-evals": evals.translate,
    "openai-old-preference": _old_preference,
    "openai-stored": stored.translate,
    "query-response": questions.translate,
    "question-answer": questions.translate,
    "sharegpt": sharegpt.translate,
    "sharegpt-preference": sharegpt.translate_preference,
    "swift-preference": swift.translate,
    "trl-preference": trl.translate_preference,
    "trl-prompt-completion": trl.translate_completion,
}

"""A case as plain JSON values: for the file it is saved in, and for the hash of what it asks."""

from __future__ import annotations

from typing import Any

from finetune_lib.records import Case, Message


def asked(case: Case) -> dict[str, Any]:
    """What a case asks and expects."""
    calls = [{"name": call.name, "arguments": call.arguments} for call in case.expected_calls]
    return {"input": _input(case.messages), "expected": case.expected, "expected_calls": calls}


def as_row(case: Case) -> dict[str, Any]:
    """The case as an object that loads back as it is."""
    labels = {"category": case.category, "cluster": case.cluster}
    beside = {"tools": list(case.tools), "metadata": dict(case.metadata)}
    row = {"id": case.id, **asked(case), **labels, **beside}
    return {name: value for name, value in row.items() if name == "expected" or value not in (None, "", [], {})}


def _input(messages: tuple[Message, ...]) -> str | list[dict[str, Any]]:
    """One plain question as its text, anything else as messages."""
    plain = [message.model_dump(exclude_unset=True) for message in messages]
    alone = len(plain) == 1 and plain[0].keys() == {"role", "content"} and plain[0]["role"] == "user"
    return plain[0]["content"] if alone and isinstance(plain[0]["content"], str) else plain

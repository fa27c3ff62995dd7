"""Services that take OpenAI's shape with rules of their own: Together and Mistral.

Together refuses fields that it does not know and takes pictures only inside the file, as data URLs
(docs.together.ai/docs/fine-tuning/data-preparation). Mistral wants ids of nine letters or digits
(mistral_common), so that other ids get new ones, the same for a call and its result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from finetune_lib.data.formats.features import joined, pictures, refuse
from finetune_lib.data.formats.format import Format
from finetune_lib.records import Kind, conversation
from finetune_lib.rows.messages import items_of, message_lists

CALLS: Final = frozenset({"tools", "tool calls", "parallel calls", "text beside calls", "placeholder in text"})
MISTRAL_ID: Final = re.compile(r"[A-Za-z0-9]{9}")


def write_together(data: Mapping[str, Any], _: Kind) -> dict[str, Any]:
    """The row as Together takes it."""
    linked = [url for _, messages in message_lists(data) for url in pictures(messages) if not url.startswith("data:")]
    refuse("together", [f"picture by address ({url[:60]})" for url in linked])
    return dict(data)


def write_mistral(data: Mapping[str, Any], _: Kind) -> dict[str, Any]:
    """The row as Mistral takes it."""
    messages = [_named(dict(message)) for message in conversation(data)]
    return {"messages": messages, **({"tools": data["tools"]} if data.get("tools") else {})}


def _named(message: dict[str, Any]) -> dict[str, Any]:
    calls = [{**call, "id": _id(call.get("id"))} for call in items_of(message.get("tool_calls"))]
    answer = {"tool_call_id": _id(message["tool_call_id"])} if "tool_call_id" in message else {}
    content = {} if pictures([message]) or "content" not in message else {"content": joined(message["content"])}
    return {**message, **content, **answer, **({"tool_calls": calls} if calls else {})}


def _id(given: object) -> str:
    text = str(given)
    return text if MISTRAL_ID.fullmatch(text) else sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:9]


TOGETHER: Final = Format(
    "together",
    write=write_together,
    carries=CALLS | {"weight", "image", "image detail", "arguments that are no JSON object"},
)
MISTRAL: Final = Format(
    "mistral", write=write_mistral, kinds=frozenset({"chat", "completion"}), carries=CALLS | {"weight", "image"}
)

"""Google's Gemini: `contents` with `parts`, role `model`, `systemInstruction`, calls without ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.images import image_part, text_part
from finetune_lib.data.formats.json_text import text_of
from finetune_lib.data.formats.messages import role_field
from finetune_lib.data.formats.rows import Message, Translated, chat, without
from finetune_lib.data.formats.tools import call
from finetune_lib.rows.messages import NOTHING, fields_of, items_of

SYSTEM: Final = ("systemInstruction", "system_instruction")
CALL: Final = ("functionCall", "function_call")
RESPONSE: Final = ("functionResponse", "function_response")
PARTS: Final = frozenset({"text", "fileData", "inlineData", "thoughtSignature", *CALL, *RESPONSE})


def is_gemini(data: Mapping[str, Any]) -> bool:
    """Whether a row has contents made of parts."""
    turns = items_of(data.get("contents"))
    return bool(turns) and all(isinstance(fields_of(turn).get("parts"), list) for turn in turns)


def read(data: Mapping[str, Any]) -> Translated | None:
    """A row of Gemini's as a chat; None where it has parts that OpenAI's format cannot say."""
    if not all(PARTS.issuperset(fields_of(part)) for turn in data["contents"] for part in turn["parts"]):
        return None
    system = next((fields_of(data[key]) for key in SYSTEM if key in data), NOTHING)
    told = "".join(str(fields_of(part).get("text", "")) for part in items_of(system.get("parts")))
    messages = [message for turn in data["contents"] for message in _messages(cast("dict[str, Any]", turn))]
    rest = without(data, ["contents", "tools", *SYSTEM])
    declared = [tool for group in items_of(data.get("tools")) for tool in _declared(fields_of(group))]
    extra = {**({"system": told} if told else {}), **({"tools": declared} if declared else {})}
    return Translated(chat(messages, {**rest, **extra}))


def _messages(turn: Mapping[str, Any]) -> list[Message]:
    parts = [fields_of(part) for part in turn["parts"]]
    results = [_result(found) for part in parts if (found := _either(part, *RESPONSE))]
    calls = [call(found.get("name"), found.get("args", {})) for part in parts if (found := _either(part, *CALL))]
    said = [_part(part) for part in parts if "text" in part or _either(part, "fileData", "inlineData")]
    rest = {key: value for key, value in turn.items() if key not in ("role", "parts")}
    base = {**role_field([turn.get("role", "user")]), "content": _text(said)}
    message: Message = {**base, **rest, **({"tool_calls": calls} if calls else {})}
    return [*results, *([message] if said or calls or not results else [])]


def _either(part: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((fields_of(part[name]) for name in names if name in part), NOTHING)


def _result(found: Mapping[str, Any]) -> Message:
    return {"role": "tool", "content": text_of(found.get("response", {}))}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if "text" in part:
        return text_part(part["text"])
    if (inline := fields_of(part.get("inlineData"))) and "data" in inline:
        return image_part(f"data:{inline.get('mimeType')};base64,{inline['data']}")
    return image_part(fields_of(part.get("fileData")).get("fileUri"))


def _text(parts: list[dict[str, Any]]) -> Any:
    if all(part["type"] == "text" and isinstance(part["text"], str) for part in parts):
        return "".join(part["text"] for part in parts) if parts else None
    return parts


def _declared(group: Mapping[str, Any]) -> list[Any]:
    found = group.get("functionDeclarations") or group.get("function_declarations")
    return items_of(found) if found else [dict(group)]


GEMINI: Final = Format("gemini", shapes=(Shape("gemini", read=read, alone=Sign(("contents",), is_gemini)),))

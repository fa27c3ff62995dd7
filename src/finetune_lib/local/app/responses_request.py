"""What a request to /v1/responses asks for, in the words of a chat request, which has one reader; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from finetune_lib.local.app.errors import WireError, invalid, missing, part
from finetune_lib.local.app.fields import refuse_unknown
from finetune_lib.local.objects import Object, new_id

# What would change the answer and is not done here is refused, not passed over.
UNSUPPORTED = frozenset(
    {"background", "context_management", "conversation", "max_tool_calls", "moderation", "prompt", "reasoning"}
)
TAKEN = frozenset(
    {
        *("model", "input", "instructions", "previous_response_id", "tools", "tool_choice", "text", "stream", "store"),
        *("temperature", "top_p", "max_output_tokens", "include", "top_logprobs", "truncation", "metadata"),
    }
)
# These change no answer.
BESIDE = frozenset(
    {
        *("parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier"),
        *("stream_options", "user", "prompt_cache_options"),
    }
)
LOGPROBS = "message.output_text.logprobs"
SAME = ("model", "temperature", "top_p", "tool_choice", "metadata", "parallel_tool_calls")
TEXTS = frozenset({"input_text", "output_text", "text"})
# Names that the reader of chat requests uses, and ours.
NAMES = {"messages": "input", "max_completion_tokens": "max_output_tokens", "response_format": "text.format"}


def refuse_foreign(body: Mapping[str, Any]) -> None:
    """Refuse the fields that are not known, or that would change the answer and are not done here.

    Raises:
        WireError: There is one.
    """
    refuse_unknown(body, TAKEN | BESIDE | UNSUPPORTED)
    for name in sorted(UNSUPPORTED):
        if body.get(name):
            raise WireError(
                400, f"'{name}' is not supported by this platform.", param=name, code="unsupported_parameter"
            )
    if body.get("truncation") not in (None, "disabled"):
        raise invalid("truncation", "'disabled'", body["truncation"])
    if others := [name for name in cast("list[Any]", body.get("include") or []) if name != LOGPROBS]:
        raise invalid("include", f"a list of {LOGPROBS!r}", others[0])


def items_of(body: Mapping[str, Any]) -> list[Object]:
    """The input as items with ids, as they are kept and listed.

    Raises:
        WireError: There is none, or an item that these models cannot read.
    """
    given: object = body.get("input")
    if isinstance(given, str) and given:
        return [_message("user", [{"type": "input_text", "text": given}])]
    if not isinstance(given, list) or not given:
        raise missing("input")
    return [_item(item, f"input[{place}]") for place, item in enumerate(cast("list[Any]", given))]


def _item(item: Any, param: str) -> Object:
    fields = cast("Object", item) if isinstance(item, dict) else {}
    kind = fields.get("type", "message")
    if kind == "message" and isinstance(fields.get("role"), str):
        return {**_message(fields["role"], _parts(fields, param)), **({"id": fields["id"]} if "id" in fields else {})}
    if kind == "function_call" and all(isinstance(fields.get(name), str) for name in ("call_id", "name", "arguments")):
        return {"id": new_id("fc_"), "status": "completed", **fields}
    if kind == "function_call_output" and all(isinstance(fields.get(name), str) for name in ("call_id", "output")):
        return {"id": new_id("fco_"), "status": "completed", **fields}
    if kind == "reasoning":
        return {"id": new_id("rs_"), **fields}
    message = f"{param} must be a message of text, a function_call or a function_call_output."
    raise WireError(400, message, param=param, code="unsupported_value")


def _message(role: str, parts: Sequence[Object]) -> Object:
    return {"id": new_id("msg_"), "type": "message", "status": "completed", "role": role, "content": list(parts)}


def _parts(fields: Mapping[str, Any], param: str) -> list[Object]:
    """The parts of a message; text alone has its kind by who speaks."""
    content: Any = fields.get("content")
    if isinstance(content, str):
        own = fields["role"] == "assistant"
        beside: Object = {"annotations": [], "logprobs": []} if own else {}
        return [{"type": "output_text" if own else "input_text", "text": content, **beside}]
    parts = fields_of_all(content)
    if not parts or not all(one.get("type") in TEXTS and isinstance(one.get("text"), str) for one in parts):
        raise WireError(400, f"{param}.content must be text.", param=f"{param}.content", code="unsupported_value")
    return parts


def fields_of_all(value: object) -> list[Object]:
    """The objects of a list; an empty one for what is none, and no list for what is no list."""
    listed = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Object", one) if isinstance(one, dict) else {} for one in listed]


def chat_of(body: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Object:
    """The chat request that asks the same.

    Args:
        body: The request.
        items: All that was said, earlier responses included.

    Raises:
        WireError: A tool or a format is none that is known here.
    """
    rules = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
    asked: Object = {name: body[name] for name in SAME if body.get(name) is not None}
    asked["messages"] = [*rules, *_messages(items)]
    if body.get("max_output_tokens") is not None:
        asked["max_completion_tokens"] = body["max_output_tokens"]
    if tools := _tools(body.get("tools")):
        asked["tools"] = tools
    if wanted := part(part(body, "text"), "format"):
        asked["response_format"] = _format(wanted)
    if LOGPROBS in (body.get("include") or []) or body.get("top_logprobs"):
        asked |= {"logprobs": True, "top_logprobs": body.get("top_logprobs") or 0}
    return asked


def _messages(items: Sequence[Mapping[str, Any]]) -> list[Object]:
    """Items as turns: calls that follow each other are one turn; thoughts are not said again."""
    found: list[Object] = []
    for item in items:
        match item.get("type"):
            case "message":
                text = "".join(one["text"] for one in item["content"])
                found.append({"role": item["role"], "content": text})
            case "function_call":
                function = {"name": item["name"], "arguments": item["arguments"]}
                call = {"id": item["call_id"], "type": "function", "function": function}
                if found and found[-1].get("tool_calls"):
                    found[-1]["tool_calls"].append(call)
                else:
                    found.append({"role": "assistant", "content": None, "tool_calls": [call]})
            case "function_call_output":
                found.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
            case _:
                continue
    return found


def _tools(given: object) -> list[Object]:
    if given is not None and not isinstance(given, list):
        raise invalid("tools", "a list", given)
    tools = fields_of_all(cast("object", given))
    for place, tool in enumerate(tools):
        if tool.get("type") != "function" or not isinstance(tool.get("name"), str):
            message = f"tools[{place}] must be a function with a name: this platform runs no tools of its own."
            raise WireError(400, message, param=f"tools[{place}]", code="unsupported_value")
    names = ("name", "description", "parameters", "strict")
    return [{"type": "function", "function": {name: tool[name] for name in names if name in tool}} for tool in tools]


def _format(wanted: Mapping[str, Any]) -> Object:
    if wanted.get("type") != "json_schema":
        return dict(wanted)
    return {"type": "json_schema", "json_schema": {name: value for name, value in wanted.items() if name != "type"}}

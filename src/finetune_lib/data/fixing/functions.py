"""Functions and function calls, as OpenAI had them first, written as tools and tool calls."""

from __future__ import annotations

from typing import Any, cast

Row = dict[str, Any]


def modernize(holder: Row) -> None:
    """Write `functions` as `tools`, and the calls of `messages` and their results with ids.

    Nothing is changed where a result answers no call: there the ids would be guessed.
    """
    messages = holder.get("messages")
    turns: list[Any] = cast("list[Any]", messages) if isinstance(messages, list) else []
    written = _written(turns)
    if written is None:
        return
    functions = holder.get("functions")
    if isinstance(functions, list) and "tools" not in holder:
        tools = [{"type": "function", "function": function} for function in cast("list[Any]", functions)]
        _set(holder, "functions", "tools", tools)
    turns[:] = written


def _written(turns: list[Any]) -> list[Any] | None:
    """The turns with tool calls instead; None where a result has no call before it."""
    written, waiting, number = list[Any](), "", 0
    for turn in turns:
        new: Any = dict(cast("Row", turn)) if isinstance(turn, dict) else turn
        if isinstance(turn, dict) and isinstance(new.get("function_call"), dict):
            number += 1
            waiting = f"call_{number}"
            call = {"id": waiting, "type": "function", "function": new["function_call"]}
            _set(new, "function_call", "tool_calls", [call])
        elif isinstance(turn, dict) and new.get("role") == "function":
            if not waiting:
                return None
            new = {**new, "role": "tool", "tool_call_id": waiting}
            waiting = ""
        written.append(new)
    return written


def _set(holder: Row, old: str, new: str, value: object) -> None:
    """Another key and value in the place of one."""
    changed = {new if key == old else key: value if key == old else kept for key, kept in holder.items()}
    holder.clear()
    holder.update(changed)

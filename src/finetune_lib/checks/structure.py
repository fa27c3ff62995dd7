"""The shape of chat rows and prompt/completion pairs: keys, roles, contents, and something to learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from finetune_lib.checks.rules import MESSAGE_KEYS, ROLES, ROW_KEYS, Rules
from finetune_lib.checks.texts import text_findings
from finetune_lib.checks.tools import check_calls
from finetune_lib.diagnostics import Diagnostic, Severity, diagnose, name_of
from finetune_lib.records import Example, Origin

ALIASES = {"human": "user", "gpt": "assistant", "bot": "assistant", "ai": "assistant", "model": "assistant"}


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one chat row or pair."""
    if example.kind == "completion":
        yield from _pair(example)
        return
    if not rules.extra_keys:
        yield from _row_keys(example)
    messages = example.data["messages"]
    found = list(check_messages(messages, "/messages", example.origin))
    yield from found
    if isinstance(messages, list) and not any(f.severity == "error" for f in found):
        yield from _ending(cast("list[Mapping[str, Any]]", messages), example.origin, rules)


def check_messages(messages: object, path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Every finding about a list of messages, each on its own."""
    if not isinstance(messages, list):
        yield diagnose("S304", origin, path, field=path[1:], what=name_of(messages))
        return
    if not messages:
        yield diagnose("S305", origin, path, field=path[1:])
    for index, message in enumerate(cast("list[object]", messages)):
        yield from _message(message, f"{path}/{index}", origin)


def _pair(example: Example) -> Iterator[Diagnostic]:
    severities: dict[str, Severity] = {"prompt": "warning", "completion": "error"}
    for name, severity in severities.items():
        text = example.data.get(name)
        if isinstance(text, str):
            yield from text_findings(text, f"/{name}", example.origin, role=name, empty=severity)
        else:
            yield diagnose("S316", example.origin, f"/{name}", field=name)


def _row_keys(example: Example) -> Iterator[Diagnostic]:
    for key in example.data:
        if key not in ROW_KEYS:
            yield _unknown_key(key, ROW_KEYS, f"/{key}", example.origin, code="S306")


def _unknown_key(key: str, known: frozenset[str], path: str, origin: Origin, *, code: str) -> Diagnostic:
    meant = get_close_matches(key.casefold(), known, n=1, cutoff=0.8)
    if meant:
        return diagnose("S302", origin, path, key=key, meant=meant[0])
    return diagnose(code, origin, path, key=key)


def _message(message: object, path: str, origin: Origin) -> Iterator[Diagnostic]:
    if not isinstance(message, dict):
        yield diagnose("S310", origin, path, what=name_of(message))
        return
    fields = cast("dict[str, Any]", message)
    for key in (key for key in fields if key not in MESSAGE_KEYS):
        yield _unknown_key(key, MESSAGE_KEYS, f"{path}/{key}", origin, code="S307")
    yield from _role(fields, path, origin)
    yield from _content(fields, f"{path}/content", origin)
    yield from _weight(fields, f"{path}/weight", origin)
    yield from check_calls(fields, f"{path}/tool_calls", origin)


def _role(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    if "role" not in message:
        yield diagnose("S308", origin, path)
    elif message["role"] not in ROLES:
        yield diagnose("S309", origin, f"{path}/role", role=message["role"], meant=_meant(message["role"]))


def _meant(role: object) -> str:
    folded = str(role).strip().casefold()
    close = get_close_matches(folded, ROLES, n=1)
    meant = ALIASES.get(folded) or (close[0] if close else None)
    return f'; did you mean "{meant}"?' if meant else ""


def _content(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    content, role = message.get("content"), str(message.get("role"))
    if content is None:
        if not _speaks_otherwise(message):
            yield diagnose("S312", origin, path, role=role)
    elif isinstance(content, str):
        yield from text_findings(content, path, origin, role=role, empty=_empty_severity(message))
    elif isinstance(content, list):
        if not content:
            yield from text_findings("", path, origin, role=role, empty=_empty_severity(message))
        yield from _parts(cast("list[object]", content), path, origin)
    else:
        yield diagnose("S311", origin, path, what=name_of(content))


def _speaks_otherwise(message: Mapping[str, Any]) -> bool:
    """An assistant turn may be a call or a refusal instead of content."""
    return message.get("role") == "assistant" and any(
        message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio")
    )


def _empty_severity(message: Mapping[str, Any]) -> Severity | None:
    """An empty answer teaches silence; an empty question is odd; an empty tool result is ordinary."""
    if message.get("role") == "assistant":
        return None if _speaks_otherwise(message) else "error"
    return None if message.get("role") in ("tool", "function") else "warning"


def _parts(parts: Sequence[object], path: str, origin: Origin) -> Iterator[Diagnostic]:
    for index, part in enumerate(parts):
        place = f"{path}/{index}"
        fields = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
        if not isinstance(fields.get("type"), str):
            yield diagnose("S314", origin, place, what=name_of(cast("object", part)))
        elif fields["type"] == "text" and not isinstance(fields.get("text"), str):
            yield diagnose("S316", origin, f"{place}/text", field="text")
        elif isinstance(fields.get("text"), str):
            yield from text_findings(fields["text"], f"{place}/text", origin, role="part", empty=None)


def _weight(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    if "weight" not in message:
        return
    weight = message["weight"]
    whole = isinstance(weight, int) and not isinstance(weight, bool) and weight in (0, 1)
    if not whole:
        yield diagnose("S313", origin, path, value=repr(weight))
    elif message.get("role") != "assistant":
        yield diagnose("S318", origin, path, role=message.get("role"))


def _ending(messages: Sequence[Mapping[str, Any]], origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """How the conversation as a whole suits the method; its messages are sound."""
    answers = [message for message in messages if message["role"] == "assistant"]
    last, place = messages[-1]["role"], f"/messages/{len(messages) - 1}/role"
    if rules.method == "reinforcement":
        if last != "user":
            yield diagnose("P606", origin, place, role=last)
        return
    if not answers:
        yield diagnose("C401", origin, "/messages")
    elif all(message.get("weight") == 0 for message in answers):
        yield diagnose("C407", origin, "/messages")
    elif last != "assistant":
        yield diagnose("C402", origin, place, role=last)
    if not any(message["role"] == "user" for message in messages):
        yield diagnose("C408", origin, "/messages")

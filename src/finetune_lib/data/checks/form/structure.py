"""The shape of a row's messages: keys, roles, names, weights and contents, each message by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, cast

from finetune_lib.data.checks.form.contents import check_content
from finetune_lib.data.checks.form.tools import check_calls
from finetune_lib.data.checks.rules import MESSAGE_KEYS, Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.data.formats.messages import MASKS
from finetune_lib.records import Origin
from finetune_lib.rows.exchange import as_json

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
# What other formats and people call the roles.
ALIASES = {
    **dict.fromkeys(["human", "customer", "client", "prompter", "用戶", "用户", "使用者", "客戶", "客户"], "user"),
    **dict.fromkeys(
        ["gpt", "bot", "ai", "model", "chatgpt", "chatbot", "agent", "llm", "助手", "助理", "客服"], "assistant"
    ),
    **dict.fromkeys(("observation", "工具"), "tool"),
    **dict.fromkeys(("系統", "系统"), "system"),
}
# What other formats call the keys of a message.
KEY_ALIASES = {
    **dict.fromkeys(["from", "speaker", "sender", "author", "角色"], "role"),
    **dict.fromkeys(["value", "text", "message", "內容", "内容"], "content"),
}
ASSISTANT_KEYS = ("tool_calls", "function_call", "refusal", "audio")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# What the newer API refuses in a name; other letters than ASCII pass there.
REFUSED_IN_NAMES = re.compile(r"[\s<|\\/>]")
CUTOFF = 0.8
PLAIN_KEYS = frozenset({"role", "content"})

WEIGHTS = frozenset({"0", "1", "0.0", "1.0", "true", "false"})


def check_messages(messages: object, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about a list of messages, each on its own."""
    if not isinstance(messages, list):
        yield diagnose("S304", origin, path, field=path[1:], what=name_of(messages))
        return
    if not messages:
        yield diagnose("S305", origin, path, field=path[1:])
    for index, message in enumerate(cast("list[object]", messages)):
        yield from _message(message, f"{path}/{index}", origin, rules)


def check_keys(
    data: Mapping[str, Any], known: Iterable[str], path: str, origin: Origin, *, extra: bool
) -> Iterator[Diagnostic]:
    """Keys beside those that are known; where `extra` ones may stand, none is reported."""
    for key in data if not extra else ():
        if key not in known:
            yield _unknown_key(key, known, data, f"{path}/{key}", origin, code="S306")


def meant_key(key: str, known: Iterable[str], data: Mapping[str, Any]) -> str | None:
    """The key that a misspelt one stands for; None where no known one is near, or that one is there too."""
    folded = key.strip().casefold()
    alias = KEY_ALIASES.get(folded)
    close = [alias] if alias in set(known) else get_close_matches(folded, known, n=1, cutoff=CUTOFF)
    return close[0] if close and close[0] not in data else None


def meant_role(role: object) -> str | None:
    """The role that a foreign or misspelt one stands for."""
    folded = str(role).strip().casefold()
    if folded in ROLES:
        return folded
    close = get_close_matches(folded, ROLES, n=1)
    return ALIASES.get(folded) or (close[0] if close else None)


def is_role(role: object) -> bool:
    """Whether it is a role that some target knows."""
    return isinstance(role, str) and role in ROLES


def _unknown_key(
    key: str, known: Iterable[str], data: Mapping[str, Any], path: str, origin: Origin, *, code: str
) -> Diagnostic:
    if meant := meant_key(str(key), known, data):
        return diagnose("S302", origin, path, key=key, meant=meant)
    return diagnose(code, origin, path, key=key)


def _message(message: object, path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    if not isinstance(message, dict):
        yield diagnose("S319", origin, path, what=name_of(message))
        return
    fields = cast("dict[str, Any]", message)
    if fields.keys() <= PLAIN_KEYS and len(fields) == len(PLAIN_KEYS):  # most messages: nothing else can be wrong
        yield from _role(fields, path, origin, rules)
        yield from check_content(fields, f"{path}/content", origin, rules)
        return
    yield from _whole_message(fields, path, origin, rules)


def _whole_message(fields: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    misspelt = [
        _unknown_key(key, MESSAGE_KEYS, fields, f"{path}/{key}", origin, code="S307")
        for key in fields
        if key not in MESSAGE_KEYS and key not in MASKS
    ]
    yield from misspelt
    for key in filter(fields.__contains__, MASKS):
        yield diagnose("S336", origin, f"{path}/{key}", key=key, value=as_json(fields[key]))
    meant = {finding.args.get("meant") for finding in misspelt}
    if "role" not in meant:
        yield from _role(fields, path, origin, rules)
    if "content" not in meant:
        yield from check_content(fields, f"{path}/content", origin, rules)
    yield from _misplaced(fields, path, origin)
    yield from _name(fields, f"{path}/name", origin)
    yield from _weight(fields, f"{path}/weight", origin, rules)
    yield from check_calls(fields, path, origin, rules)


def _role(message: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    role = message.get("role")
    if "role" not in message:
        yield diagnose("S308", origin, path)
    elif is_role(role):
        if role not in rules.profile.roles:
            yield diagnose("S327", origin, f"{path}/role", role=role, target=rules.name)
    elif isinstance(role, str) and role.strip().casefold() in ROLES:
        yield diagnose("S310", origin, f"{path}/role", role=role, meant=role.strip().casefold())
    else:
        meant = meant_role(role) if isinstance(role, str) else None
        told = f'; did you mean "{meant}"?' if meant else ""
        yield diagnose("S309", origin, f"{path}/role", role=role, meant=told, mendable=bool(meant))


def _misplaced(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    """Keys that only messages of another role have."""
    role = message.get("role")
    if not is_role(role):
        return
    for key in ASSISTANT_KEYS if role != "assistant" else ():
        if message.get(key):
            yield diagnose("S307", origin, f"{path}/{key}", key=key)
    if role != "tool" and message.get("tool_call_id"):
        yield diagnose("S307", origin, f"{path}/tool_call_id", key="tool_call_id")


def _name(message: Mapping[str, Any], path: str, origin: Origin) -> Iterator[Diagnostic]:
    name = message.get("name")
    if name is None or (isinstance(name, str) and NAME.fullmatch(name)):
        return
    refused = not isinstance(name, str) or not name or REFUSED_IN_NAMES.search(name)
    yield diagnose("S315", origin, path, name=name, severity="error" if refused else "warning")


def _weight(message: Mapping[str, Any], path: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    if "weight" not in message:
        return
    weight, role = message["weight"], message.get("role")
    whole = isinstance(weight, int) and not isinstance(weight, bool) and weight in (0, 1)
    if not whole:
        shown = json.dumps(weight, ensure_ascii=False, default=repr)
        yield diagnose("S313", origin, path, value=shown, mendable=shown.strip('"') in WEIGHTS)
    elif is_role(role) and role not in rules.profile.weighted_roles:
        yield diagnose("S318", origin, path, role=role)

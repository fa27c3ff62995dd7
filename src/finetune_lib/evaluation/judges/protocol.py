"""What models that judge or grade are shown beside their instructions, and the form in which they reply."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, cast, get_args

from finetune_lib.files import packaged_text
from finetune_lib.platforms.asking import Reply
from finetune_lib.records import Case
from finetune_lib.texts.json_values import json_values
from finetune_lib.texts.scripts import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
# Written so, they read the same as JSON, and no text can end the material or look like a mark of the chat itself.
DISARMED = {"</": r"<\/", "<|": r"\u003c|"}


@cache
def instructions(package: str, file: str) -> Mapping[Language, Mapping[str, str]]:
    """The words of the instructions that lie in a package, by language."""
    return cast("Mapping[Language, Mapping[str, str]]", tomllib.loads(packaged_text(package, file)))


def material(shown: Mapping[str, Any]) -> str:
    """Texts that are to be judged and not obeyed, as JSON between two tags."""
    text = json.dumps(shown, ensure_ascii=False, default=str).encode("utf-8", "replace").decode()
    for mark, disarmed in DISARMED.items():
        text = text.replace(mark, disarmed)
    return f"<material>\n{text}\n</material>"


def with_pictures(text: str, case: Case) -> str | list[Any]:
    """What of the question is no text, as pictures, goes along as it is."""
    contents = (message.content for message in case.messages if isinstance(message.content, list))
    others = [part for content in contents for part in content if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others] if others else text


def form(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of a reply that has these fields and no others, in their order."""
    required = list(properties)
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def object_in(text: str) -> Mapping[str, Any] | None:
    """The last outermost JSON object in a reply; None where there is none."""
    return next(reversed(objects_in(text)), None)


def objects_in(text: str) -> list[Mapping[str, Any]]:
    """All outermost JSON objects in a reply; one with a comma too much, or a line's end in a text, is clear as well."""
    return list(json_values(text, brackets="{", lenient=True))


def reason_in(given: Mapping[str, Any]) -> str:
    """The reason of a verdict or a score, where it is a text."""
    reason = given.get("reason")
    return reason.strip() if isinstance(reason, str) else ""


def ended_early(reply: Reply) -> str | None:
    """Why a reply is cut off; None where it is whole."""
    if reply.finish_reason in {"length", "content_filter"}:
        return f"the grader's answer ended early (finish_reason {reply.finish_reason})"
    return None

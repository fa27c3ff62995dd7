"""Preference rows (DPO): a conversation, the preferred answer and the other one.

Source: OpenAI's guide on direct preference optimization, read 2026-11-20. The older specification names the sides
`preferred_completion` and `non_preferred_completion`; the platform takes `preferred_output` and
`non_preferred_output`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from finetune_lib.data.checks.form.chat import check_conversation, whole
from finetune_lib.data.checks.form.structure import check_keys, check_messages
from finetune_lib.data.checks.form.tools import check_called
from finetune_lib.data.checks.rules import PREFERENCE_KEYS, Rules
from finetune_lib.data.diagnostics import Diagnostic, diagnose, name_of
from finetune_lib.records import Example, Origin
from finetune_lib.rows.messages import OUTPUTS, fields_of, items_of

DIALECTS: Mapping[str, tuple[str, ...]] = {
    "preferred_output": ("preferred_completion", "chosen", "preferred"),
    "non_preferred_output": ("non_preferred_completion", "rejected", "non_preferred"),
}
INPUT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls"})
# From so many pairs on a bias of length can be told from chance.
PAIRS_TO_TELL = 20
LONGER_SHARE = 0.8
LONGER_RATIO = 1.5


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about one preference row."""
    data, origin = example.data, example.origin
    given = data.get("input")
    if isinstance(given, dict):
        yield from _input(cast("dict[str, Any]", given), origin, rules)
    else:
        yield diagnose("S304", origin, "/input", field="input.messages", what=name_of(given))
    foreign = foreign_sides(data)
    for side, name in foreign.items():
        yield diagnose("P603", origin, f"/{name}", name=name, meant=side)
    known: dict[str, object] = {key: None for key in data if key not in foreign.values()}
    yield from check_keys(known, PREFERENCE_KEYS, "", origin, extra=rules.extra_keys)
    yield from _sides(data, [side for side in OUTPUTS if side not in foreign], origin, rules)


def foreign_sides(data: Mapping[str, Any]) -> dict[str, str]:
    """From a side that is missing to the name that another format gives it here."""
    return {side: name for side in OUTPUTS if side not in data for name in DIALECTS[side] if name in data}


def _input(given: Mapping[str, Any], origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    yield from check_keys(given, INPUT_KEYS, "/input", origin, extra=rules.extra_keys)
    messages = given.get("messages")
    yield from check_conversation(given, messages, ("/input", "/input/messages"), origin, rules)
    turns = whole(messages)
    if turns and turns[-1]["role"] == "assistant":
        yield diagnose("P610", origin, f"/input/messages/{len(turns) - 1}/role")


def _sides(data: Mapping[str, Any], sides: Sequence[str], origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    prompts = [_prompt(data.get(side)) for side in OUTPUTS]
    if len(sides) == len(OUTPUTS) and all(prompts) and prompts[0] != prompts[1]:
        yield diagnose("P609", origin, f"/{OUTPUTS[1]}/0")
        return
    for side in sides:
        yield from _side(data.get(side), side, origin, rules)
        yield from check_called(fields_of(data.get("input")), data.get(side), f"/{side}", origin)
    answers = [_answer(data.get(side)) for side in OUTPUTS]
    if answers[0] is not None and answers[0] == answers[1]:
        yield diagnose("P601", origin, f"/{OUTPUTS[1]}/0")


def _side(output: object, side: str, origin: Origin, rules: Rules) -> Iterator[Diagnostic]:
    if isinstance(output, str) or is_message(output):
        yield diagnose("P604", origin, f"/{side}", field=side, what=name_of(output))
        return
    messages = items_of(output)
    if len(messages) != 1:
        yield diagnose("P602", origin, f"/{side}", field=side)
        return
    yield from check_messages(messages, f"/{side}", origin, rules)
    turns = whole(messages)
    if turns and turns[0]["role"] != "assistant":
        yield diagnose("P602", origin, f"/{side}/0/role", field=side)


def is_message(output: object) -> bool:
    """Whether an output is one message without the list around it."""
    return isinstance(output, dict) and "content" in output


def _prompt(output: object) -> object:
    """What stands before the answer where a side is a whole conversation."""
    return cast("list[Any]", output)[:-1] if isinstance(output, list) else None


def _answer(output: object) -> object:
    """What a side says, so that equal sides are equal; None where there is no telling."""
    last = cast("list[object]", output)[-1] if isinstance(output, list) and output else cast("object", output)
    if isinstance(last, dict):
        fields = cast("dict[str, Any]", last)
        said = {key: value for key, value in fields.items() if key not in ("role", "weight") and value is not None}
        content = said.get("content")
        return {**said, "content": content.strip()} if isinstance(content, str) else said or None
    return None


class LengthBias:
    """Adds up how long the two sides are."""

    def __init__(self) -> None:
        self.pairs = self.longer = self.preferred = self.other = 0

    def look(self, example: Example, place: int) -> None:  # noqa: ARG002 - surveys share one shape
        """Take up one example."""
        texts = [_text(example.data.get(side)) for side in OUTPUTS]
        if all(texts):
            lengths = [len(text) for text in texts]
            self.pairs += 1
            self.longer += lengths[0] > lengths[1]
            self.preferred += lengths[0]
            self.other += lengths[1]

    def take_plain(self, number: int, places: Sequence[int]) -> None:
        """Plain chats have no sides."""

    def merge(self, later: LengthBias, offset: int) -> None:  # noqa: ARG002
        """Take up the survey of the part behind this one."""
        self.pairs += later.pairs
        self.longer += later.longer
        self.preferred += later.preferred
        self.other += later.other

    def findings(self, examples: Sequence[Example], rules: Rules) -> Iterator[Diagnostic]:  # noqa: ARG002
        """The preferred answers are nearly always much longer."""
        if self.pairs < PAIRS_TO_TELL or self.longer / self.pairs < LONGER_SHARE:
            return
        if (ratio := self.preferred / self.other) >= LONGER_RATIO:
            given: dict[str, Any] = {"share": f"{self.longer / self.pairs:.0%}", "ratio": f"{ratio:.1f}"}
            yield diagnose("P608", Origin(examples[0].origin.source), pairs=self.pairs, **given)


def _text(output: object) -> str:
    content = fields_of(_answer(output)).get("content")
    return content if isinstance(content, str) else ""

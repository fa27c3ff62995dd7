"""Looks once at how a base's chat template writes conversations whose words are known, and finds the way that is exact.

Exact means that what is written for an answered conversation begins with the prompt that a server sends for the
question, and that nothing but the answer, its thought or its calls follows.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from finetune_lib import catalog
from finetune_lib.rendering.answers import FAMILIES, Answer, read
from finetune_lib.rendering.messages import RenderingError, Shield, calls_of, controls_of, thought_and_answer, tools_of
from finetune_lib.rendering.renderer import Renderer, rendered
from finetune_lib.rendering.templates import (
    NAMED,
    with_day,
    with_merged_system,
    with_parts,
    with_prompt,
    with_switch,
)
from finetune_lib.rows.messages import OUTPUTS, trained

# Words that no template has.
ONE, OTHER, THOUGHT, RULE, NAME, KEY, VALUE = "ZqA7x", "ZqB8y", "Rr9Kp", "Ss3Jw", "tn5Fd", "ak6Gh", "av7Lm"
QUESTION = {"role": "user", "content": "u"}
CALL = {"id": "c1abcdefg", "type": "function", "function": {"name": NAME, "arguments": {KEY: VALUE}}}
PARAMETERS = {"type": "object", "properties": {KEY: {"type": "string", "description": "e"}}}
TOOLS = [{"type": "function", "function": {"name": NAME, "description": "d", "parameters": PARAMETERS}}]
SWITCHES = ("", "enable_thinking", "thinking")
HEADED, CUT = 2, 3  # how much worse than exact a prompt is that needs a bridge, or lacks its end


@dataclass(frozen=True, slots=True)
class Needs:
    """What rows ask of a base.

    Attributes:
        reasoning: Some have thoughts.
        tools: Some call tools, or declare such.
    """

    reasoning: bool = False
    tools: bool = False

    @staticmethod
    def of(rows: Iterable[Mapping[str, Any]]) -> Needs:
        """What some rows ask for."""
        reasoning = tools = False
        for row in rows:
            spoken = [*(message for message, _ in trained(row)), *(row.get(OUTPUTS[1]) or ())]
            own = [message for message in spoken if message.get("role") == "assistant"]
            reasoning = reasoning or any(map(_thinks, own))
            tools = tools or any(map(calls_of, own)) or bool(tools_of(row))
        return Needs(reasoning, tools)


def _thinks(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    return bool(thought_and_answer(message, content if isinstance(content, str) else "")[0])


def renderer_of(
    tokenizer: Any, needs: Needs | None = None, *, chat_template: str | None = None, day: date | None = None
) -> Renderer:
    """The renderer that trains rows with these needs; its template is the one to save with what is trained.

    Args:
        tokenizer: Of the base.
        needs: What the rows ask for; what the base cannot do of it is refused row by row.
        chat_template: In place of the base's own: `chatml`, `llama3`, or the text of a template.
        day: The day that templates print which tell today's.

    Raises:
        RenderingError: The base has no words or no template, or none of the ways is exact.
    """
    if not tokenizer(ONE, add_special_tokens=False)["input_ids"]:  # made from nothing where its files are missing
        raise RenderingError("the tokenizer of this base knows no words: the files of its vocabulary are missing")
    wanted = needs or Needs()
    template = with_day(source_of(tokenizer, chat_template, tools=wanted.tools), day or catalog.today())
    for asked in _lesser(wanted):
        if found := _best(tokenizer, template, asked):
            return _finished(tokenizer, found, asked)
    raise RenderingError(
        "the chat template of this base writes answers that cannot be told apart from the prompt; "
        'give another one, as chat_template="chatml"'
    )


def server_of(tokenizer: Any) -> Renderer:
    """The renderer that asks a model by its own template as it is, and reads its answers back.

    Raises:
        RenderingError: It has no template.
    """
    template = source_of(tokenizer, None)
    for asked in _lesser(Needs(reasoning=True, tools=True)):
        try:
            _, exact = _rank(tokenizer, template, asked)
        except RenderingError:
            continue
        found = _finished(tokenizer, template, asked)
        if exact == template and (found.family or asked == Needs()):
            return found
    return _finished(tokenizer, template, Needs())


def _lesser(needs: Needs) -> Iterator[Needs]:
    """The needs, and with less of them where the base lacks a place for something."""
    yield needs
    if needs.reasoning and needs.tools:
        yield replace(needs, reasoning=False)
        yield replace(needs, tools=False)
    if needs.reasoning or needs.tools:
        yield Needs()


def source_of(tokenizer: Any, chat_template: str | None, *, tools: bool = False) -> str:
    """The text of the template.

    Raises:
        RenderingError: There is none.
    """
    if chat_template:
        return NAMED.get(chat_template, chat_template)
    own: Any = getattr(tokenizer, "chat_template", None)
    if isinstance(own, dict):
        named = cast("dict[str, str]", own)
        own = (named.get("tool_use") if tools else None) or named.get("default")
    if not own:
        raise RenderingError(
            "the base has no chat template; take its chat or instruct version, or name one: "
            f"chat_template={' or '.join(repr(name) for name in NAMED)}"
        )
    return own


def _best(tokenizer: Any, source: str, needs: Needs) -> str | None:
    """The template that is exact with the least change."""
    found: list[tuple[int, int, str]] = []
    for order, (seeing, switch) in enumerate(itertools.product((False, True), SWITCHES)):
        template = with_parts(source) if seeing else source
        template = with_switch(template, switch) if switch else template
        try:
            rank, ready = _rank(tokenizer, template, needs)
        except RenderingError:
            continue
        if rank == 0:
            return _hearing_system(tokenizer, ready)
        found.append((rank, order, ready))
    return _hearing_system(tokenizer, min(found)[2]) if found else None


def _rank(tokenizer: Any, template: str, needs: Needs) -> tuple[int, str]:
    """How far a template is from exact, and the template that is.

    Raises:
        RenderingError: It is not, and cannot be made so.
    """

    def answered(said: str) -> str:
        thought = {"reasoning_content": THOUGHT, "thinking": THOUGHT} if needs.reasoning else {}
        answer = {"role": "assistant", "content": said, **thought}
        return rendered(tokenizer, template, [QUESTION, answer], prompt=False)

    prompt, one, other = rendered(tokenizer, template, [QUESTION], prompt=True), answered(ONE), answered(OTHER)
    kept = prompt if one.startswith(prompt) else _shared(prompt, one)
    written = one[len(kept) :]
    if ONE not in written or one.count(ONE) != 1 or other != one.replace(ONE, OTHER):
        raise RenderingError("the content is lost")
    if needs.tools:
        _require_calls(tokenizer, template, thought=needs.reasoning)
    if needs.reasoning:
        if THOUGHT not in written or kept != prompt:
            raise RenderingError("the reasoning is lost")
        return 0, template
    head = written[: written.find(ONE)]
    bridge = "" if needs.tools else head
    if bridge or kept != prompt:
        template = with_prompt(template, cut=len(prompt) - len(kept), bridge=bridge)
    return HEADED * bool(head) + CUT * (kept != prompt), template


def _shared(one: str, other: str) -> str:
    """The beginning that two texts have in common."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return one[: sum(1 for _ in same)]


def _require_calls(tokenizer: Any, template: str, *, thought: bool) -> None:
    prompt = rendered(tokenizer, template, [QUESTION], TOOLS, prompt=True)
    whole = rendered(tokenizer, template, [QUESTION, _called(thought=thought)], TOOLS, prompt=False)
    written = whole[len(prompt) :]
    if not whole.startswith(prompt) or not all(word in written for word in (NAME, KEY, VALUE)) or NAME not in prompt:
        raise RenderingError("the calls are lost")


def _called(*, thought: bool) -> dict[str, Any]:
    thoughts = {"reasoning_content": THOUGHT, "thinking": THOUGHT} if thought else {}
    return {"role": "assistant", "content": "", "tool_calls": [CALL], **thoughts}


def _hearing_system(tokenizer: Any, template: str) -> str:
    """The template, with the system message in the first user message where it has no other place."""
    rule = {"role": "system", "content": RULE}
    try:
        heard = RULE in rendered(tokenizer, template, [rule, QUESTION], prompt=True)
    except RenderingError:
        heard = False
    return template if heard else with_merged_system(template)


def _finished(tokenizer: Any, template: str, needs: Needs) -> Renderer:
    end = _end(tokenizer, template)
    ends = (end, *(_end_of_calls(tokenizer, template, end) if needs.tools else ()))
    shield = Shield(tuple(dict.fromkeys([*controls_of(tokenizer, template), *ends])))
    bare = Renderer(tokenizer, template, end, ends, needs.reasoning, needs.tools, None, shield)
    return replace(bare, family=next((family for family in _families(tokenizer) if _reads(bare, family)), None))


def _end(tokenizer: Any, template: str) -> str:
    """What follows the content of an answer, else the first thing of a user turn behind it, else the end of text."""
    asked = [QUESTION, {"role": "assistant", "content": ONE}]
    whole = rendered(tokenizer, template, asked, prompt=False)
    if rest := whole[whole.rfind(ONE) + len(ONE) :].strip():
        return rest
    try:
        more = rendered(tokenizer, template, [*asked, {"role": "user", "content": OTHER}], prompt=False)
    except RenderingError:
        more = ""
    head = more[len(whole) : more.find(OTHER)] if more.startswith(whole) else ""
    return head[: head.find(">") + 1].strip() or str(tokenizer.eos_token or "")


def _end_of_calls(tokenizer: Any, template: str, end: str) -> tuple[str, ...]:
    """The mark behind calls where it is not the one behind content."""
    whole = rendered(tokenizer, template, [QUESTION, _called(thought=False)], TOOLS, prompt=False).rstrip()
    last = whole[whole.rfind("<") :]
    return (last,) if end not in whole[whole.rfind(VALUE) :] and last.endswith(("|>", ">")) else ()


def _families(tokenizer: Any) -> Iterator[Mapping[str, Any]]:
    """The response template that comes with the base, and those of families."""
    if isinstance(own := getattr(tokenizer, "response_template", None), dict):
        yield own
    yield from FAMILIES


def _reads(renderer: Renderer, family: Mapping[str, Any]) -> bool:
    """Whether a response template reads back what the chat template writes, of all that it can write."""
    called = {"type": "function", "function": {"name": NAME, "arguments": json.dumps({KEY: VALUE})}}
    answers = [
        Answer(text, thought, calls)
        for text, calls in ((ONE, ()), ("", (called,)))
        for thought in ("", THOUGHT)
        if (renderer.tools or not calls) and (renderer.reasoning or not thought)
    ]
    read_back = [_reads_back(renderer, family, answer) for answer in answers]
    return False not in read_back and True in read_back


def _reads_back(renderer: Renderer, family: Mapping[str, Any], answer: Answer) -> bool | None:
    """None where the chat template does not write such an answer."""
    message = _called(thought=bool(answer.reasoning)) if answer.tool_calls else {"role": "assistant"}
    message |= {"content": answer.text} | ({"reasoning_content": answer.reasoning} if answer.reasoning else {})
    tools = TOOLS if answer.tool_calls else None
    try:
        prompt, written = renderer.answer([QUESTION, message], tools)
    except RenderingError:
        return None
    return read(renderer.tokenizer, family, written, prompt=prompt, tools=tools) == answer

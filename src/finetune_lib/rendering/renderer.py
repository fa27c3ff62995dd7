"""The renderer of a base: conversations to tokens and what is learned of them, and tokens to answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finetune_lib.records import kind_of
from finetune_lib.rendering.answers import Answer, read
from finetune_lib.rendering.messages import (
    RenderingError,
    Shield,
    is_said,
    leaves,
    plain,
    spoken,
    thought_and_answer,
    tools_of,
)
from finetune_lib.rows.messages import OUTPUTS, trained

IGNORED = -100
ASSISTANT = "assistant"
UNSAID = "ZqA7x"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a training sequence.

    Attributes:
        text: What it says.
        ids: Its tokens.
        learned: Whether the model is trained to write it.
    """

    text: str
    ids: tuple[int, ...]
    learned: bool


Encoded = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and the two answers of a preference, as texts and as tokens.

    Attributes:
        prompt: What is asked.
        chosen: The preferred answer, with the mark that ends a turn.
        rejected: The other one.
    """

    prompt: Piece
    chosen: Piece
    rejected: Piece


@dataclass(frozen=True, slots=True)
class Renderer:
    """How a base says a conversation.

    Attributes:
        tokenizer: Of the base.
        template: The chat template as it is saved with what is trained; every way of the renderer stands in it.
        end: The mark that ends a turn.
        ends: It, and the one that ends a turn of tool calls.
        reasoning: Whether thoughts have a place of their own.
        tools: Whether calls of tools have one.
        family: The response template that reads an answer back; None where an answer is text alone.
        shield: Of the control tokens.
    """

    tokenizer: Any
    template: str
    end: str
    ends: tuple[str, ...]
    reasoning: bool
    tools: bool
    family: Mapping[str, Any] | None
    shield: Shield

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None) -> str:
        """What a model is sent to answer a conversation, control tokens of people's words hidden.

        Raises:
            RenderingError: The template refuses the conversation.
        """
        if messages:
            return self._rendered(messages, tools, prompt=True)
        greeting = self._rendered([{"role": ASSISTANT, "content": UNSAID}], tools, prompt=False)
        return greeting[: greeting.find(UNSAID)]  # of a conversation that the assistant begins

    def ids(self, text: str) -> list[int]:
        """The tokens of a rendered text; a control token that people wrote becomes plain text."""
        found: list[int] = []
        for piece, foreign in self.shield.pieces(text):
            # the halves of a control token are none
            for part in (piece[:1], piece[1:]) if foreign else (piece,):
                found += self.tokenizer(part, add_special_tokens=False)["input_ids"]
        return found

    def answer(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None, *, path: str = "/messages"
    ) -> tuple[str, str]:
        """The prompt for the last message, and what the model is to write after it, its end mark included.

        Raises:
            RenderingError: The template refuses the conversation, or loses a part of the message.
        """
        prompt, whole = self.prompt(messages[:-1], tools), self._rendered(messages, tools, prompt=False)
        if not whole.startswith(prompt):
            raise RenderingError("the chat template answers another prompt than the one that a server sends", path=path)
        written = self._ended(whole[len(prompt) :])
        place = f"{path}/{len(messages) - 1}"
        self._require_said(messages[-1], written, path=place)
        if self.family and not self._comes_back(messages[-1], written, prompt, tools):
            raise RenderingError("what the chat template writes cannot be read back", kind="lost", path=place)
        return prompt, written

    def sequences(self, row: Mapping[str, Any]) -> list[list[Piece]]:
        """What a row trains: stretches of text that are read or learned, in one sequence or several.

        Turns stand in one sequence where the template keeps what it wrote before; else each trained turn has one of
        its own, since that is what the model sees when it answers.

        Raises:
            RenderingError: The base cannot say the row.
        """
        turns, tools, path = trained(row), tools_of(row), path_of(row)
        messages = [message for message, _ in turns]
        found: list[list[tuple[str, bool]]] = []
        told = ""
        for place, (message, learned) in enumerate(turns):
            if message["role"] != ASSISTANT:
                continue
            prompt, written = self.answer(messages[: place + 1], tools, path=path)
            if found and prompt.startswith(told):
                found[-1] += [(prompt[len(told) :], False), (written, learned)]
            else:
                found.append([(prompt, False), (written, learned)])
            told = prompt + written
        kept = [texts for texts in found if any(learned for _, learned in texts)] or found[-1:]
        self._require_heard(messages, "".join(text for texts in found for text, _ in texts), path)
        return [[self._piece(text, learned=learned) for text, learned in texts] for texts in kept]

    def encode(self, row: Mapping[str, Any], *, limit: int) -> list[Encoded]:
        """Tokens and labels of a row, each sequence cut at `limit`.

        Raises:
            RenderingError: The base cannot say the row.
        """
        return [encoded(pieces, limit=limit) for pieces in self.sequences(row)]

    def pair(self, row: Mapping[str, Any]) -> Pair:
        """The prompt of a preference and its two answers.

        Raises:
            RenderingError: The base cannot say the row, or a side is not one message of the assistant.
        """
        before, tools = list(row["input"]["messages"]), tools_of(row)
        (prompt, chosen), (_, rejected) = (self._side(before, row[side], tools, side) for side in OUTPUTS)
        return Pair(
            self._piece(prompt, learned=False),
            self._piece(chosen, learned=True),
            self._piece(rejected, learned=True),
        )

    def asked(self, row: Mapping[str, Any]) -> Piece:
        """What a row asks, for a model that learns from its own answers: the prompt that a server sends for it.

        Raises:
            RenderingError: The base cannot say the row.
        """
        messages = [message for message, _ in trained(row)]
        prompt = self.prompt(messages, tools_of(row))
        self._require_heard([*messages, {"role": ASSISTANT}], prompt, path_of(row))
        return self._piece(prompt, learned=False)

    def read(self, text: str, *, prompt: str, tools: Sequence[Any] | None = None) -> Answer | None:
        """What a model has written behind a prompt, read back; None where it is text alone, or cut or broken.

        Args:
            text: As it was written, control tokens included.
            prompt: What it was sent.
            tools: Those of the question: arguments that are written without quotes get the types that they declare.
        """
        if self.family is None:
            return None
        return read(self.tokenizer, self.family, text, prompt=self.shield.shown(prompt), tools=tools)

    @property
    def end_ids(self) -> list[int]:
        """The tokens that end an answer; empty where the mark is text of several tokens."""
        found = (self.tokenizer(end, add_special_tokens=False)["input_ids"] for end in self.ends)
        return [ids[0] for ids in found if len(ids) == 1]

    def _piece(self, text: str, *, learned: bool) -> Piece:
        return Piece(self.shield.shown(text), tuple(self.ids(text)), learned)

    def _side(self, before: list[Any], side: Sequence[Any], tools: Any, name: str) -> tuple[str, str]:
        if len(side) != 1 or side[0].get("role") != ASSISTANT:
            raise RenderingError("a side of a preference is one message of the assistant", path=f"/{name}")
        return self.answer([*before, *side], tools, path=f"/{name}")

    def _rendered(self, messages: Sequence[Mapping[str, Any]], tools: Any, *, prompt: bool) -> str:
        said = spoken(messages, reasoning=self.reasoning, shield=self.shield)
        return rendered(self.tokenizer, self.template, said, self.shield.hidden(tools), prompt=prompt)

    def _ended(self, written: str) -> str:
        """What is written up to the end mark; blanks behind it stay, as the template has them there."""
        at = min((found + len(end) for end in self.ends if (found := written.find(end)) >= 0), default=None)
        if at is None:
            return written + self.end
        return written if not written[at:].strip() else written[:at]

    def _require_said(self, message: Mapping[str, Any], written: str, *, path: str) -> None:
        """Nothing of what the model is to write may be lost on the way."""
        said = plain(message, reasoning=self.reasoning)
        written = self.shield.shown(written)
        lost = next((name for name, value in _parts_of(said) if not is_said(value, written)), None)
        if lost:
            raise RenderingError(f"the chat template leaves out {lost}", kind="lost", path=path)
        thought, _ = thought_and_answer(message, said["content"])
        if thought and not said.get("reasoning_content") and self.shield.found(said["content"]):
            raise RenderingError("the chat template has no place for the reasoning", kind="lost", path=path)

    def _comes_back(self, message: Mapping[str, Any], written: str, prompt: str, tools: Any) -> bool:
        """Whether the answer of a served model would be the message."""
        said = self.shield.hidden(plain(message, reasoning=self.reasoning))
        if not (self.reasoning or said.get("tool_calls") or tools):
            return written.lstrip().startswith(said["content"].strip())
        found = read(self.tokenizer, self.family or {}, written, prompt=prompt, tools=tools)
        told = (said["content"].strip(), said.get("reasoning_content", "").strip(), len(said.get("tool_calls") or ()))
        return found is not None and told == (found.text, found.reasoning, len(found.tool_calls))

    def _require_heard(self, messages: Sequence[Mapping[str, Any]], text: str, path: str) -> None:
        """What the model answers to must be there, too."""
        last = max((place for place, message in enumerate(messages) if message["role"] == ASSISTANT), default=0)
        heard = self.shield.shown(text)
        for place, message in enumerate(messages[:last]):
            if message["role"] != ASSISTANT and not is_said(plain(message)["content"], heard):
                what = f"the chat template leaves out the message of the {message['role']}"
                raise RenderingError(what, kind="lost", path=f"{path}/{place}")


def _parts_of(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the model is to write, each part with what people call it."""
    yield "the content", said["content"]
    yield "the reasoning", said.get("reasoning_content")
    for call in said.get("tool_calls") or ():
        name = call["function"].get("name")
        yield f"the call of {name}", name
        yield from ((f"the argument {value!r} of {name}", value) for value in leaves(call["function"].get("arguments")))


def path_of(row: Mapping[str, Any]) -> str:
    """Where the messages of a row stand."""
    return "/input/messages" if kind_of(row) == "preference" else "/messages" if "messages" in row else ""


def rendered(
    tokenizer: Any, template: str, messages: Sequence[Mapping[str, Any]], tools: Any = None, *, prompt: bool
) -> str:
    """A conversation as a template writes it.

    Raises:
        RenderingError: The template refuses it.
    """
    try:
        return tokenizer.apply_chat_template(
            messages, tools=tools, chat_template=template, add_generation_prompt=prompt, tokenize=False
        )
    except Exception as error:  # a template raises whatever it likes
        raise RenderingError(f"the chat template refuses the conversation: {error}") from error


def encoded(pieces: Sequence[Piece], *, limit: int | None) -> Encoded:
    """Tokens and labels of a sequence, cut at `limit`, if there is one."""
    ids = [token for piece in pieces for token in piece.ids]
    labels = [token if piece.learned else IGNORED for piece in pieces for token in piece.ids]
    return {"input_ids": ids[:limit], "labels": labels[:limit]}

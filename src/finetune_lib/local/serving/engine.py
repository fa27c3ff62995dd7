"""Answers with the models of this machine: many at a time, each as if it were alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

from finetune_lib.local.embedding import embedded
from finetune_lib.local.inference import Completion, Piece, PromptTooLongError, Question, Sampling, ToolsError
from finetune_lib.local.serving.answer import Answering, Asked
from finetune_lib.local.serving.drawing import Drawing
from finetune_lib.local.serving.grammar import Grammar
from finetune_lib.local.serving.models import Loaded, Models

DEFAULT_TOKENS = 1024


class Engine:
    """Answers with the models of this machine."""

    def __init__(self) -> None:
        self._models = Models()

    def complete(self, source: str, question: Question, sampling: Sampling) -> Completion:
        """Answer a conversation in one piece; as `stream`."""
        return self.stream(source, question, sampling).completions()[0]

    def stream(self, source: str, question: Question, sampling: Sampling) -> Stream:
        """Begin to answer a conversation, `sampling.n` times.

        Raises:
            PromptTooLongError: Nothing is left for the answer.
            ToolsError: The model has no tools, and some are given.
            SchemaError: The answer's schema is not understood.
            RenderingError: The model's chat template refuses the conversation.
            OSError: The model does not load.
            MissingExtraError: A schema is given, without the extra `structured`.
        """
        loaded = self._models.get(source)
        asked = asked_of(loaded, question, free=sampling.schema is None)
        room = loaded.context - len(asked.ids)
        if room < 1:
            told = f"the messages have {len(asked.ids)} tokens, the model's context is {loaded.context}"
            raise PromptTooLongError(told)
        if far := next((token for token, _ in sampling.bias if token >= loaded.width), None):
            raise ValueError(f"logit_bias names the token {far}, and the model has {loaded.width}")
        limit, stream = min(sampling.max_tokens or DEFAULT_TOKENS, room), Stream(sampling.n)
        rows = [_answering(asked, sampling, place, limit, stream) for place in range(sampling.n)]
        for row in rows:
            loaded.base.batcher.put(row)
        return stream

    def prompt(self, source: str, question: Question) -> str:
        """What a model is sent for a conversation, as it is read there.

        Raises:
            RenderingError: As `stream`.
        """
        asked = asked_of(self._models.get(source), question)
        return asked.loaded.renderer.shield.shown(asked.text)

    def embed(self, source: str, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """The vectors of texts, and how many tokens they have.

        Raises:
            TextTooLongError: The model does not read as many tokens.
            OSError: The model does not load.
        """
        loaded = self._models.get(source)

        def embed(model: Any) -> tuple[list[list[float]], int]:
            return embedded(model, loaded.tokenizer, texts, limit=loaded.context)

        return loaded.base.between_steps(loaded.adapter, embed)

    def forget(self, sources: Collection[str]) -> None:
        """Let go of models that are deleted; an answer that is being written is finished."""
        self._models.forget(sources)


def _answering(asked: Asked, sampling: Sampling, place: int, limit: int, stream: Stream) -> Answering:
    seed = None if sampling.seed is None else sampling.seed + place
    grammar = Grammar(asked.loaded.words, sampling.schema) if sampling.schema is not None else None
    drawing = Drawing(sampling, seed=seed, device=asked.loaded.base.model.device, grammar=grammar)
    return Answering(asked, drawing, limit=limit, tell=stream.teller(place), is_left=stream.closed.is_set)


def asked_of(loaded: Loaded, question: Question, *, free: bool = True) -> Asked:
    """A question on its way to a model.

    Raises:
        ToolsError: The model has no tools, and some are given.
        RenderingError: The model's chat template refuses the conversation.
    """
    tools: Sequence[Any] | None = list(question.tools) or None
    if tools and not loaded.renderer.tools:
        raise ToolsError("this model's chat template writes no tool calls that could be read back")
    text = loaded.renderer.prompt(question.messages, tools)
    return Asked(loaded, question, text, loaded.renderer.ids(text), free)


Told = Piece | Completion


class Stream:
    """Answers that are told piece by piece; iterate over it once.

    Each item comes with the number of its answer; the last of each is the whole one with its counts. A character of
    several bytes comes in one piece. Closing ends the writing, so that what nobody reads holds up nobody else.
    """

    def __init__(self, answers: int) -> None:
        self.closed = threading.Event()
        self._open = answers
        self._told: SimpleQueue[tuple[int, Told | Exception]] = SimpleQueue()

    def teller(self, place: int) -> Callable[[Told | Exception], None]:
        """Where one of the answers is told."""
        return lambda told: self._told.put((place, told))

    def close(self) -> None:
        """End the writing."""
        self.closed.set()

    def __iter__(self) -> Iterator[tuple[int, Told]]:
        while self._open:
            place, told = self._told.get()
            if isinstance(told, Exception):
                self.close()
                raise told
            self._open -= isinstance(told, Completion)
            yield place, told

    def completions(self) -> list[Completion]:
        """The whole answers, once all are there."""
        found = {place: told for place, told in self if isinstance(told, Completion)}
        return [found[place] for place in sorted(found)]

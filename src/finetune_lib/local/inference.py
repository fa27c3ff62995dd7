"""Inference with transformers: the models that are in use stay loaded, one answer is made at a time."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from finetune_lib.local.base_models import LOADING
from finetune_lib.local.embedding import embedded
from finetune_lib.rendering.answers import Answer
from finetune_lib.rendering.probing import server_of
from finetune_lib.rendering.renderer import Renderer

KEPT_MODELS = 4
DEFAULT_TOKENS = 1024
UNKNOWN_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer.

    Attributes:
        text: What it says.
        finish_reason: Why it ended: `stop`, `length` or `tool_calls`.
        prompt_tokens: Of the question.
        completion_tokens: Of the answer, thoughts and marks included.
        reasoning: What the model thought before; empty where it wrote none.
        tool_calls: The tools that it calls, as the wire has them, without ids.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        messages: The conversation.
        tools: The functions that may be called.
    """

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory."""

    model: Any
    tokenizer: Any
    renderer: Renderer

    @property
    def context(self) -> int:
        """Tokens of question and answer at most."""
        return getattr(self.model.config, "max_position_embeddings", UNKNOWN_CONTEXT)


class PromptTooLongError(ValueError):
    """The question alone fills the model's context."""


class ToolsError(ValueError):
    """The model cannot be given tools."""


class Engine:
    """Answers with the models of this machine."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def complete(self, source: str, question: Question, sampling: Sampling) -> Completion:
        """Answer a conversation in one piece.

        Raises:
            PromptTooLongError: Nothing is left for the answer.
            ToolsError: The model has no tools, and some are given.
            RenderingError: The model's chat template refuses the conversation.
            OSError: The model does not load.
        """
        with self._lock:
            asked = asked_of(self._loaded(source), question)
            return finished(asked, generated(asked, sampling), sampling)

    def forget(self, sources: Collection[str]) -> None:
        """Let go of models that are deleted; an answer that is being made is finished first."""
        with self._lock:
            for source in sources:
                self._models.pop(source, None)

    def embed(self, source: str, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """The vectors of texts, and how many tokens they have.

        Raises:
            TextTooLongError: The model does not read as many tokens.
            OSError: The model does not load.
        """
        with self._lock:
            loaded = self._loaded(source)
            return embedded(loaded.model, loaded.tokenizer, texts, limit=loaded.context)

    def stream(self, source: str, question: Question, sampling: Sampling) -> Stream:
        """Answer piece by piece."""
        return Stream(lambda stream: self._tell(source, question, sampling, stream))

    def _tell(self, source: str, question: Question, sampling: Sampling, stream: Stream) -> Completion:
        with self._lock:
            asked = asked_of(self._loaded(source), question)
            # What must not be seen, a stop word or a mark around thoughts and calls, is known at the end alone.
            whole = bool(sampling.stop) or asked.is_parted or not asked.loaded.renderer.end_ids
            told = finished(asked, generated(asked, sampling, None if whole else stream), sampling)
        if whole:
            stream.tell(told.text)
        return told

    def _loaded(self, source: str) -> Loaded:
        """The model, loaded where it is not yet; the one unused for longest makes room."""
        if source not in self._models:
            with LOADING:
                self._models[source] = load(source)
            while len(self._models) > KEPT_MODELS:
                self._models.popitem(last=False)
        self._models.move_to_end(source)
        return self._models[source]


class Stream:
    """An answer that is told piece by piece by a thread of its own; iterate over it once.

    The last item is the whole answer with its counts. A character of several bytes comes in one piece. Closing
    ends the generation, so that an answer that nobody reads holds up nobody else.
    """

    def __init__(self, work: Callable[[Stream], Completion]) -> None:
        self.closed = threading.Event()
        self._pieces: SimpleQueue[str | Completion | Exception] = SimpleQueue()
        threading.Thread(target=self._run, args=[work], name="answer", daemon=True).start()

    def tell(self, piece: str) -> None:
        """Pass a piece on to the reader."""
        if piece:
            self._pieces.put(piece)

    def close(self) -> None:
        """End the generation."""
        self.closed.set()

    def __iter__(self) -> Iterator[str | Completion]:
        while not isinstance(piece := self._pieces.get(), Completion):
            if isinstance(piece, Exception):
                raise piece
            yield piece
        yield piece

    def _run(self, work: Callable[[Stream], Completion]) -> None:
        try:
            self._pieces.put(work(self))
        except Exception as error:
            self._pieces.put(error)


def load(source: str) -> Loaded:
    """A full model, or an adapter on its base; safetensors only, no code from the folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(
        source, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    return Loaded(model.to(device).eval(), tokenizer, server_of(tokenizer))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way to a model: as text, and as tokens."""

    loaded: Loaded
    question: Question
    text: str
    ids: list[int]

    @property
    def is_parted(self) -> bool:
        """Whether the answer may hold more than text."""
        renderer = self.loaded.renderer
        return renderer.family is not None and (renderer.reasoning or bool(self.question.tools))


def asked_of(loaded: Loaded, question: Question) -> _Asked:
    tools = list(question.tools) or None
    if tools and not loaded.renderer.tools:
        raise ToolsError("this model's chat template writes no tool calls that could be read back")
    text = loaded.renderer.prompt(question.messages, tools)
    return _Asked(loaded, question, text, loaded.renderer.ids(text))


def generated(asked: _Asked, sampling: Sampling, stream: Stream | None = None) -> list[int]:
    """The tokens of the answer alone."""
    import torch

    loaded, length = asked.loaded, len(asked.ids)
    room = loaded.context - length
    if room < 1:
        raise PromptTooLongError(f"the messages have {length} tokens, the model's context is {loaded.context}")
    torch.seed() if sampling.seed is None else torch.manual_seed(sampling.seed)
    prompt = torch.tensor([asked.ids], device=loaded.model.device)
    stops = [*sampling.stop, *(() if loaded.renderer.end_ids else loaded.renderer.ends)]
    with torch.inference_mode():
        output = loaded.model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=min(sampling.max_tokens or DEFAULT_TOKENS, room),
            eos_token_id=_ends(loaded) or None,
            pad_token_id=loaded.tokenizer.pad_token_id or loaded.tokenizer.eos_token_id,
            **_drawing(sampling),
            **({"stop_strings": stops, "tokenizer": loaded.tokenizer} if stops else {}),
            **(_streaming(loaded, stream) if stream else {}),
        )
    return output[0, length:].tolist()


def _ends(loaded: Loaded) -> list[int]:
    """The tokens that end an answer: the model's own, and the template's mark."""
    own = loaded.model.generation_config.eos_token_id
    return list(dict.fromkeys([*([own] if isinstance(own, int) else own or []), *loaded.renderer.end_ids]))


def _drawing(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}


def _streaming(loaded: Loaded, stream: Stream) -> dict[str, Any]:
    """What passes the words on while they are made, and ends a generation that nobody reads any more."""
    import torch
    from transformers import TextStreamer

    class Teller(TextStreamer):
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
            stream.tell(text)

    def closed(ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG001 - the framework's shape
        return torch.full((ids.shape[0],), stream.closed.is_set(), device=ids.device)

    teller = Teller(loaded.tokenizer, skip_prompt=True, skip_special_tokens=True)
    return {"streamer": teller, "stopping_criteria": [closed]}


def finished(asked: _Asked, tokens: list[int], sampling: Sampling) -> Completion:
    tokenizer, renderer = asked.loaded.tokenizer, asked.loaded.renderer
    stops = [*sampling.stop, *(() if renderer.end_ids else renderer.ends)]
    counts = len(asked.ids), len(tokens)
    ended = bool(tokens) and tokens[-1] in _ends(asked.loaded)
    if asked.is_parted and (answer := _read(asked, tokens)):
        text, stopped = _cut(answer.text, sampling.stop)
        reason = "tool_calls" if answer.tool_calls else "stop" if ended or stopped else "length"
        return Completion(text, reason, *counts, answer.reasoning, answer.tool_calls)
    text, stopped = _cut(tokenizer.decode(tokens, skip_special_tokens=True), stops)
    return Completion(text, "stop" if ended or stopped else "length", *counts)


def _read(asked: _Asked, tokens: list[int]) -> Answer | None:
    written = asked.loaded.tokenizer.decode(tokens, skip_special_tokens=False)
    return asked.loaded.renderer.read(written, prompt=asked.text, tools=list(asked.question.tools) or None)


def _cut(text: str, words: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first of some words, and whether one of them is there."""
    at = min((found for word in words if (found := text.find(word)) >= 0), default=None)
    return (text, False) if at is None else (text[:at], True)

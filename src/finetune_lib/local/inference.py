"""Inference with transformers: the models that are in use stay loaded, one answer is made at a time."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from finetune_lib.local.base_models import LOADING

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
    """One answer: its text, why it ended (`stop` or `length`), and its tokens."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory."""

    model: Any
    tokenizer: Any

    @property
    def context(self) -> int:
        """Tokens of question and answer at most."""
        return getattr(self.model.config, "max_position_embeddings", UNKNOWN_CONTEXT)


class PromptTooLongError(ValueError):
    """The question alone fills the model's context."""


class Engine:
    """Answers with the models of this machine."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def complete(self, source: str, messages: Sequence[Mapping[str, Any]], sampling: Sampling) -> Completion:
        """Answer a conversation in one piece.

        Raises:
            PromptTooLongError: Nothing is left for the answer.
            OSError: The model does not load.
        """
        with self._lock:
            loaded = self._loaded(source)
            prompt = _prompt(loaded, messages)
            return _finished(loaded, prompt, _generate(loaded, prompt, sampling), sampling)

    def stream(self, source: str, messages: Sequence[Mapping[str, Any]], sampling: Sampling) -> Stream:
        """Answer piece by piece."""
        return Stream(lambda stream: self._tell(source, messages, sampling, stream))

    def _tell(
        self, source: str, messages: Sequence[Mapping[str, Any]], sampling: Sampling, stream: Stream
    ) -> Completion:
        if sampling.stop:  # a stop word must not be seen, so nothing is told before it is known to be absent
            whole = self.complete(source, messages, sampling)
            stream.tell(whole.text)
            return whole
        with self._lock:
            loaded = self._loaded(source)
            prompt = _prompt(loaded, messages)
            return _finished(loaded, prompt, _generate(loaded, prompt, sampling, stream), sampling)

    def _loaded(self, source: str) -> Loaded:
        """The model, loaded where it is not yet; the one unused for longest makes room."""
        if source not in self._models:
            with LOADING:
                self._models[source] = _load(source)
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


def _load(source: str) -> Loaded:
    """A full model, or an adapter on its base; safetensors only, no code from the folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(
        source, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    return Loaded(model.to(device).eval(), tokenizer)


def _prompt(loaded: Loaded, messages: Sequence[Mapping[str, Any]]) -> Any:
    from finetune_lib.local.training.encode import plain

    rendered = loaded.tokenizer.apply_chat_template(
        [plain(message) for message in messages], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return rendered.to(loaded.model.device)


def _generate(loaded: Loaded, prompt: Any, sampling: Sampling, stream: Stream | None = None) -> Any:
    """The tokens of the answer alone."""
    import torch

    length = prompt["input_ids"].shape[1]
    room = loaded.context - length
    if room < 1:
        raise PromptTooLongError(f"the messages have {length} tokens, the model's context is {loaded.context}")
    torch.seed() if sampling.seed is None else torch.manual_seed(sampling.seed)
    with torch.inference_mode():
        output = loaded.model.generate(
            **prompt,
            max_new_tokens=min(sampling.max_tokens or DEFAULT_TOKENS, room),
            pad_token_id=loaded.tokenizer.pad_token_id or loaded.tokenizer.eos_token_id,
            **_drawing(sampling),
            **({"stop_strings": list(sampling.stop), "tokenizer": loaded.tokenizer} if sampling.stop else {}),
            **(_streaming(loaded, stream) if stream else {}),
        )
    return output[0, length:].tolist()


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


def _finished(loaded: Loaded, prompt: Any, tokens: list[int], sampling: Sampling) -> Completion:
    text = loaded.tokenizer.decode(tokens, skip_special_tokens=True)
    end = loaded.model.generation_config.eos_token_id
    ends = [end] if isinstance(end, int) else end or []
    cut = min((at for word in sampling.stop if (at := text.find(word)) >= 0), default=None)
    stopped = cut is not None or (bool(tokens) and tokens[-1] in ends)
    asked = int(prompt["input_ids"].shape[1])
    return Completion(text if cut is None else text[:cut], "stop" if stopped else "length", asked, len(tokens))

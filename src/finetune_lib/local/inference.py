"""Inference with transformers: the models that are in use stay loaded, one answer is made at a time."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

    def stream(
        self, source: str, messages: Sequence[Mapping[str, Any]], sampling: Sampling
    ) -> Iterator[str | Completion]:
        """Answer piece by piece; the last item is the whole answer with its counts.

        A character of several bytes comes in one piece. Closing the iterator stops the generation.
        """
        from transformers import TextIteratorStreamer

        if sampling.stop:  # a stop word must not be seen, so nothing is told before it is known to be absent
            whole = self.complete(source, messages, sampling)
            yield from [whole.text, whole]
            return
        with self._lock:
            loaded = self._loaded(source)
            prompt = _prompt(loaded, messages)
            streamer = TextIteratorStreamer(loaded.tokenizer, skip_prompt=True, skip_special_tokens=True)
            work = _Background(loaded, prompt, sampling, streamer)
            try:
                yield from (piece for piece in streamer if piece)
                yield _finished(loaded, prompt, work.result(), sampling)
            finally:
                work.stop()

    def _loaded(self, source: str) -> Loaded:
        """The model, loaded where it is not yet; the one unused for longest makes room."""
        if source not in self._models:
            self._models[source] = _load(source)
            while len(self._models) > KEPT_MODELS:
                self._models.popitem(last=False)
        self._models.move_to_end(source)
        return self._models[source]


class _Background:
    """A generation in a thread of its own, while its words are read from a streamer."""

    def __init__(self, loaded: Loaded, prompt: Any, sampling: Sampling, streamer: Any) -> None:
        self._stopped = threading.Event()
        self._outcome: list[Any] = []
        self._thread = threading.Thread(target=self._run, args=[loaded, prompt, sampling, streamer])
        self._thread.start()

    def _run(self, loaded: Loaded, prompt: Any, sampling: Sampling, streamer: Any) -> None:
        try:
            self._outcome.append(_generate(loaded, prompt, sampling, streamer=streamer, stopped=self._stopped))
        except Exception as error:
            self._outcome.append(error)
            streamer.end()

    def result(self) -> Any:
        self._thread.join()
        if isinstance(self._outcome[0], Exception):
            raise self._outcome[0]
        return self._outcome[0]

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def _load(source: str) -> Loaded:
    """A full model, or an adapter on its base; safetensors only, no code from the folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    model: Any = AutoModelForCausalLM.from_pretrained(
        source, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    return Loaded(model.to(device).eval(), tokenizer)


def _prompt(loaded: Loaded, messages: Sequence[Mapping[str, Any]]) -> Any:
    from finetune_lib.local.training.encode import plain

    rendered = loaded.tokenizer.apply_chat_template(
        [plain(message) for message in messages],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    return rendered.to(loaded.model.device)


def _generate(loaded: Loaded, prompt: Any, sampling: Sampling, *, streamer: Any = None, stopped: Any = None) -> Any:
    """The tokens of the answer alone."""
    import torch

    length = prompt["input_ids"].shape[1]
    room = loaded.context - length
    if room < 1:
        raise PromptTooLongError(f"the messages have {length} tokens, the model's context is {loaded.context}")
    if sampling.seed is not None:
        torch.manual_seed(sampling.seed)
    with torch.inference_mode():
        output = loaded.model.generate(
            **prompt,
            max_new_tokens=min(sampling.max_tokens or DEFAULT_TOKENS, room),
            pad_token_id=loaded.tokenizer.pad_token_id or loaded.tokenizer.eos_token_id,
            streamer=streamer,
            **_drawing(sampling),
            **_stopping(loaded, sampling, stopped),
        )
    return output[0, length:].tolist()


def _drawing(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}


def _stopping(loaded: Loaded, sampling: Sampling, stopped: threading.Event | None) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if sampling.stop:
        given = {"stop_strings": list(sampling.stop), "tokenizer": loaded.tokenizer}
    if stopped is not None:
        given["stopping_criteria"] = [_Stopped(stopped)]
    return given


class _Stopped:
    """Ends a generation that nobody reads any more."""

    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(self, ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - the framework's shape
        import torch

        return torch.full((ids.shape[0],), self.event.is_set(), device=ids.device)


def _finished(loaded: Loaded, prompt: Any, tokens: list[int], sampling: Sampling) -> Completion:
    text = loaded.tokenizer.decode(tokens, skip_special_tokens=True)
    ends = _end_tokens(loaded)
    cut = min((at for word in sampling.stop if (at := text.find(word)) >= 0), default=None)
    stopped = cut is not None or (bool(tokens) and tokens[-1] in ends)
    return Completion(
        text if cut is None else text[:cut],
        "stop" if stopped else "length",
        int(prompt["input_ids"].shape[1]),
        len(tokens),
    )


def _end_tokens(loaded: Loaded) -> set[int]:
    end = loaded.model.generation_config.eos_token_id
    return {end} if isinstance(end, int) else set(end or ())

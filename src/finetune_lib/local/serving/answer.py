"""One answer on its way: its tokens become pieces of text, and at the end what the wire says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from finetune_lib.local.inference import Completion, Piece, Question
from finetune_lib.local.serving.drawing import Chance, Drawing
from finetune_lib.local.serving.models import Loaded
from finetune_lib.local.serving.writing import BROKEN, Writer

Told = Piece | Completion | Exception


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way to a model: as text, and as tokens; `free` where no grammar binds the answer."""

    loaded: Loaded
    question: Question
    text: str
    ids: list[int]
    free: bool

    @property
    def is_parted(self) -> bool:
        """Whether the answer may hold more than text."""
        renderer = self.loaded.renderer
        return self.free and renderer.family is not None and (renderer.reasoning or bool(self.question.tools))


class Answering:
    """A row of the batch."""

    def __init__(
        self,
        asked: Asked,
        drawing: Drawing,
        *,
        limit: int,
        tell: Callable[[Told], None],
        is_left: Callable[[], bool],
    ) -> None:
        loaded = asked.loaded
        self.ids, self.adapter = asked.ids, loaded.adapter
        self._asked, self._drawing, self._limit, self._tell, self._is_left = asked, drawing, limit, tell, is_left
        marks = () if loaded.renderer.end_ids else loaded.renderer.ends
        stops = (*drawing.sampling.stop, *marks)
        special = [loaded.tokenizer.convert_tokens_to_ids(word) for word in stops if word in controls(loaded)]
        self._ends = {*loaded.ends, *special}
        self._writer = Writer(loaded.tokenizer, stops)
        self._error: Exception | None = None
        self._shown = 0  # tokens whose log-probabilities were told

    def choose(self, logits: Any) -> int:
        """The next token; what goes wrong with one answer is no matter of its neighbours."""
        try:
            return self._drawing.choose(logits)
        except Exception as error:
            self._error = error
            return self.ids[-1]

    def take(self, token: int) -> bool:
        """Tell what can be shown; False at the end."""
        if self._error:
            self._tell(self._error)
            return False
        piece = self._writer.take(token)
        ended = token in self._ends or self._writer.stopped
        if not (ended or len(self._writer.tokens) >= self._limit or self._is_left()):
            # A mark around thoughts and calls is known at the end alone.
            if piece and not self._asked.is_parted:
                self._tell(Piece(piece, self._new_chances(len(self._writer.tokens))))
            return True
        try:
            self._finish(piece, ended=ended)
        except Exception as error:
            self._tell(error)
        return False

    def fail(self, error: Exception) -> None:
        """Tell that there will be no answer."""
        self._tell(error)

    def _finish(self, piece: str, *, ended: bool) -> None:
        whole = self._completion(ended=ended)
        left = whole.text if self._asked.is_parted else piece + self._writer.rest()
        if left:
            self._tell(Piece(left, self._new_chances(len(whole.logprobs or ()))))
        self._tell(whole)

    def _completion(self, *, ended: bool) -> Completion:
        writer, asked = self._writer, self._asked
        counts = len(asked.ids), len(writer.tokens)
        if asked.is_parted and (answer := self._read()):
            text, stopped = _cut(answer.text, self._drawing.sampling.stop)
            reason = "tool_calls" if answer.tool_calls else "stop" if ended or stopped else "length"
            return Completion(
                text,
                reason,
                *counts,
                answer.reasoning,
                answer.tool_calls,
                self._chances(text=None),
                tuple(writer.tokens),
            )
        text = writer.text()
        reason = "stop" if ended or writer.stopped else "length"
        chances = self._chances(text=text if writer.stopped else None)
        return Completion(text, reason, *counts, logprobs=chances, tokens=tuple(writer.tokens))

    def _read(self) -> Any:
        asked = self._asked
        written = asked.loaded.tokenizer.decode(self._writer.tokens, skip_special_tokens=False)
        return asked.loaded.renderer.read(written, prompt=asked.text, tools=list(asked.question.tools) or None)

    def _chances(self, *, text: str | None) -> tuple[Mapping[str, Any], ...] | None:
        """Of each token that is part of the answer: not of the mark that ends it, nor of a stop word."""
        if self._drawing.sampling.logprobs is None:
            return None
        tokens, tokenizer = list(self._writer.tokens), self._asked.loaded.tokenizer
        while tokens and tokens[-1] in self._ends:
            tokens.pop()
        while text is not None and tokens and tokenizer.decode(tokens[:-1], skip_special_tokens=True).startswith(text):
            tokens.pop()
        return tuple(_entry(tokenizer, chance) for chance in self._drawing.chances[: len(tokens)])

    def _new_chances(self, upto: int) -> tuple[Mapping[str, Any], ...]:
        new, self._shown = self._drawing.chances[self._shown : upto], max(self._shown, upto)
        return tuple(_entry(self._asked.loaded.tokenizer, chance) for chance in new)


def controls(loaded: Loaded) -> frozenset[str]:
    """The special tokens, which a decoded text does not show."""
    return frozenset(loaded.tokenizer.all_special_tokens)


def _cut(text: str, words: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first of some words, and whether one of them is there."""
    at = min((found for word in words if (found := text.find(word)) >= 0), default=None)
    return (text, False) if at is None else (text[:at], True)


def _entry(tokenizer: Any, chance: Chance) -> dict[str, Any]:
    """A token as the wire tells it."""
    top = [_token(tokenizer, token, logprob) for token, logprob in chance.top]
    return {**_token(tokenizer, chance.token, chance.logprob), "top_logprobs": top}


def _token(tokenizer: Any, token: int, logprob: float) -> dict[str, Any]:
    text = tokenizer.decode([token])
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": _bytes(tokenizer, token, text)}


def _bytes(tokenizer: Any, token: int, text: str) -> list[int] | None:
    """A token may be a part of a character; None where its bytes are not known then."""
    if BROKEN not in text:
        return list(text.encode())
    letters = [_alphabet().get(letter) for letter in tokenizer.convert_ids_to_tokens(token)]
    known = [letter for letter in letters if letter is not None]
    return known if len(known) == len(letters) else None


@cache
def _alphabet() -> dict[str, int]:
    """The letters in which tokenizers of bytes write them: those that can be printed, then others in their order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}

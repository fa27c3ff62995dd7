"""`chat`: talk to a model, or to two side by side."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.cli.codes import CLEAN
from finetune_lib.cli.where import Where, named_model, print_json

if TYPE_CHECKING:
    from finetune_lib.platforms import Platform

_HERE = Where()


def chat(
    model: str,
    other: str | None = None,
    /,
    *,
    where: Where = _HERE,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    ask: str | None = None,
    json: bool = False,
) -> int:
    """Talk to a model, or to two side by side.

    Args:
        model: a model, or the id of the job that made it
        other: another one, which is told the same
        where: the platform
        system: the system message; best the one of the training data
        temperature: 0 for repeatable answers (default: the platform's)
        max_tokens: tokens of an answer at most (default: the platform's limit)
        ask: ask this alone, and end
        json: print one JSON object for each message
    """
    platform = where.connect()
    options = {"temperature": temperature, "max_completion_tokens": max_tokens}
    given = {name: value for name, value in options.items() if value is not None}
    begin: list[dict[str, str]] = [] if system is None else [{"role": "system", "content": system}]
    names = [model] if other is None else [model, other]
    talks = [_Talk(platform, named_model(name, platform), given, list(begin)) for name in names]
    for said in [ask] if ask is not None else _lines():
        if said.strip() == "/new":
            for talk in talks:
                talk.messages[:] = begin
        elif said.strip():
            _answer(talks, names, said, json=json)
    return CLEAN


@dataclass(frozen=True, slots=True)
class _Talk:
    """A conversation with one model."""

    platform: Platform
    model: str
    options: dict[str, Any]
    messages: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def pieces(self, said: str) -> Iterator[str]:
        """The answer, as it comes; what was said and answered is remembered."""
        asked = [*self.messages, {"role": "user", "content": said}]
        pieces: list[str] = []
        with self.platform.paid_call(f"ask {self.model}"):
            create: Any = self.platform.client.chat.completions.create
            for chunk in create(model=self.model, messages=asked, stream=True, **self.options):
                if chunk.choices and (piece := cast("str | None", chunk.choices[0].delta.content)):
                    pieces.append(piece)
                    yield piece
        self.messages[:] = [*asked, {"role": "assistant", "content": "".join(pieces)}]


def _answer(talks: list[_Talk], names: list[str], said: str, *, json: bool) -> None:
    """What each model says to it; Ctrl-C ends the answer alone where a person types."""
    answers: dict[str, str] = {}
    try:
        for name, talk in zip(names, talks, strict=True):
            if json:
                answers[name] = "".join(talk.pieces(said))
                continue
            if len(talks) > 1:
                print(f"── {name}")
            for piece in talk.pieces(said):
                print(piece, end="", flush=True)
            print()
    except KeyboardInterrupt:
        if not sys.stdin.isatty():
            raise
        print()
    if json:
        print_json({"asked": said, "answers": answers})


def _lines() -> Iterator[str]:
    """What a person types, or what a pipe has, line by line."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            yield line.rstrip("\r\n")
        return
    print("Type a message. /new begins again, Ctrl-D ends.", file=sys.stderr)
    with suppress(ImportError):  # Windows has its own
        importlib.import_module("readline")  # the keys of a line are then understood

    while True:
        try:
            yield input("> ")
        except EOFError:
            print()
            return

"""What is asked of a model, and what it answers; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn.

    Attributes:
        temperature: 0 takes the likeliest token each time.
        top_p: Only the likeliest tokens that together have this probability.
        max_tokens: Of the answer at most.
        seed: The same answer again, in whatever company; with several answers, each counts one on.
        stop: The answer ends before these words.
        n: How many answers.
        logprobs: How many alternatives to tell of each token, besides its own log-probability; None for neither.
        presence_penalty: Taken from the score of each token that the answer has.
        frequency_penalty: The same, as often as the answer has it.
        bias: Tokens, and what is added to their scores.
        schema: What the answer, as JSON, keeps to.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    logprobs: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer on its way: its text, and the log-probabilities of its tokens where they are asked for."""

    text: str
    logprobs: tuple[Mapping[str, Any], ...] = ()


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
        logprobs: Of each token, as the wire has them; None where they are not asked for.
        tokens: What was written.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] | None = None
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        messages: The conversation.
        tools: The functions that may be called.
    """

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()


class PromptTooLongError(ValueError):
    """The question alone fills the model's context."""


class ToolsError(ValueError):
    """The model cannot be given tools."""


class SchemaError(ValueError):
    """The schema of an answer is none, or says what no answer can be held to."""

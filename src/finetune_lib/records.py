"""The values that cross a boundary: training examples, golden cases, and what a platform answers.

Examples keep the JSON object of their line untouched in `data`; where it came from and its category ride
beside it and never reach an uploaded file. Records of a platform's answers are lenient: unknown fields are
kept, unknown values pass, because platforms differ (Azure answers `status: "pending"`).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from finetune_lib.shown import Shown

Method = Literal["supervised", "dpo", "reinforcement"]
Kind = Literal["chat", "completion", "preference", "unknown"]
MILLISECONDS_FROM = 1e11  # a moment above is no number of seconds: it would lie 3,000 years ahead
NO_CELLS: Mapping[str, str] = {}


class Message(Shown, BaseModel):
    """One turn of a conversation.

    Attributes:
        role: `system`, `developer`, `user`, `assistant` or `tool`.
        content: The text, a list of content parts, or None beside tool calls.
        weight: 1 to learn from this assistant message, 0 to skip it; None means 1.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    role: str
    content: str | list[dict[str, Any]] | None = None
    weight: Literal[0, 1] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The text alone, parts joined."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


@dataclass(frozen=True, slots=True)
class Origin(Shown):
    """Where an example came from.

    Attributes:
        source: The file's name.
        row: The example's number among the data rows, from 1 (OpenAI's "Example 3").
        line: The physical line it starts on, from 1; None in a workbook.
        cells: From a JSON path to the spreadsheet cell it was read from, as `問答!B7`.
    """

    source: str = ""
    row: int | None = None
    line: int | None = None
    cells: Mapping[str, str] = field(default_factory=lambda: NO_CELLS)


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Example(Shown):
    """One training row.

    Attributes:
        data: The JSON object that is uploaded, exactly as it was read.
        origin: Where it came from.
        category: A label for reports; never uploaded.
        family: What augmented children share with the example they come from; a split keeps them together.
        operation: The augmentation that made it; None for an original.
        ignore: Codes of findings that are not reported for it.
        dialect: The foreign format that it was read from, as `sharegpt`; None where it was OpenAI's own.
        left_out: The fields of the foreign row that have no place in OpenAI's format.
    """

    data: Mapping[str, Any]
    origin: Origin = NOWHERE
    category: str | None = None
    family: str | None = None
    operation: str | None = None
    ignore: tuple[str, ...] = ()
    dialect: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """The wire format that the row has by its keys."""
        return kind_of(self.data)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation; a prompt/completion pair reads as one user and one assistant turn."""
        return tuple(Message.model_validate(message) for message in conversation(self.data))

    @property
    def prompt(self) -> str:
        """The text of the last user turn."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def answer(self) -> str:
        """The text of the last assistant turn; empty where there is none."""
        return next((m.text for m in reversed(self.messages) if m.role == "assistant"), "")


def kind_of(data: Mapping[str, Any]) -> Kind:
    """The wire format of a row, by its keys."""
    if "messages" in data:
        return "chat"
    if isinstance(data.get("input"), Mapping) or not {"preferred_output", "non_preferred_output"}.isdisjoint(data):
        return "preference"
    return "completion" if "prompt" in data or "completion" in data else "unknown"


def conversation(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The messages of a row: of a chat, of a pair as two turns, of a preference with its preferred end."""
    match kind_of(data):
        case "chat":
            return data["messages"]
        case "preference":
            return [*data["input"]["messages"], *data["preferred_output"]]
        case "completion":
            return [
                {"role": "user", "content": data["prompt"]},
                {"role": "assistant", "content": data["completion"]},
            ]
        case "unknown":
            return []


@dataclass(frozen=True, slots=True)
class ToolCall(Shown):
    """One call that a model makes.

    Attributes:
        name: The function.
        arguments: Its arguments as JSON text, as the wire has them.
    """

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Case(Shown):
    """One row of a golden set: what is asked, and the answer that an expert would give.

    Attributes:
        id: Stable within the set; the origin's place where it has one.
        messages: What every candidate is given: the conversation up to the expected answer.
        expected: The right answer.
        category: The row of the per-category table it counts in.
        cluster: What cases of one document, customer or template share: they are not independent of each other.
        expected_calls: The right tool calls, where the right answer is to call.
        tools: The functions that may be called.
        metadata: Whatever else the row says; graders and own functions may read it.
    """

    id: str
    messages: tuple[Message, ...]
    expected: str = ""
    category: str | None = None
    _: KW_ONLY
    cluster: str | None = None
    expected_calls: tuple[ToolCall, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def prompt(self) -> str:
        """The text of the last user turn."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @staticmethod
    def from_example(example: Example, *, number: int) -> Case:
        """The last assistant turn becomes the expected answer, what stands before it the question."""
        messages = example.messages
        last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=None)
        if last is None or not (messages[last].content is not None or messages[last].tool_calls):
            raise ValueError("it has no assistant message with text or calls, which would be the expected answer")
        return Case(
            str(example.origin.row or number),
            messages[:last],
            messages[last].text,
            example.category,
            expected_calls=tuple(map(_call, messages[last].tool_calls or ())),
            tools=tuple(example.data.get("tools") or ()),
        )


def as_example(item: Case | Example) -> Example:
    """A case as the training row it would be: its conversation, and the expected answer as the last turn."""
    if isinstance(item, Example):
        return item
    turns = [message.model_dump(exclude_none=True) for message in item.messages]
    answer = [{"role": "assistant", "content": item.expected}] if item.expected else []
    return Example({"messages": [*turns, *answer]}, category=item.category)


def _call(call: Mapping[str, Any]) -> ToolCall:
    function = cast("Mapping[str, Any]", call.get("function") or {})
    return ToolCall(str(function.get("name", "")), str(function.get("arguments", "{}")))


class _Answer(Shown, BaseModel):
    """What a platform answered; lenient: a field in a form that nobody foresaw reads as missing, and never raises."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @classmethod
    def of(cls, answer: BaseModel | Mapping[str, Any]) -> Self:
        """Take over an answer, unknown fields and values too."""
        told = answer.model_dump(warnings=False) if isinstance(answer, BaseModel) else dict(answer)
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            odd = {str(place["loc"][0]) for place in error.errors() if place["loc"]}
            return cls.model_validate({name: value for name, value in told.items() if name not in odd})


def _seconds(value: Any) -> Any:
    """A moment in seconds since 1970, whether it came as such, in milliseconds, or as a date in text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return datetime.fromisoformat(value).timestamp()
    return value / 1000 if isinstance(value, (int, float)) and value > MILLISECONDS_FROM else value


def clock_time(seconds: float, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment by the clock of this place; one that no clock shows stays a number."""
    try:
        return time.strftime(form, time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g}"


def _text(value: Any) -> Any:
    return None if value is None or value == "" else str(value)


class PlatformFault(_Answer):
    """The reason that a platform gives for a failed job."""

    code: str | None = None
    message: str | None = None
    param: str | None = None

    _words = field_validator("code", "message", "param", mode="before")(_text)


class JobRecord(_Answer):
    """A fine-tuning job as the platform describes it (`fine_tuning.job`)."""

    id: str = ""
    model: str = ""
    status: str = "unknown"
    created_at: float | None = None
    finished_at: float | None = None
    estimated_finish: float | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    training_file: str | None = None
    validation_file: str | None = None
    result_files: tuple[str, ...] | None = None
    hyperparameters: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    seed: int | None = None
    error: PlatformFault | None = None

    _moments = field_validator("created_at", "finished_at", "estimated_finish", mode="before")(_seconds)
    _words = field_validator("fine_tuned_model", "training_file", "validation_file", mode="before")(_text)

    @field_validator("id", "model", "status", mode="before")
    @classmethod
    def _said(cls, value: Any, info: ValidationInfo) -> Any:
        """Null is as good as missing."""
        return cls.model_fields[str(info.field_name)].default if value is None else str(value)

    @field_validator("trained_tokens", "seed", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return int(value) if isinstance(value, float) and math.isfinite(value) else value

    @field_validator("result_files", mode="before")
    @classmethod
    def _ids(cls, value: Any) -> Any:
        """Some platforms give the objects of the files, or one alone."""
        if value is None:
            return None
        given = cast("list[Any]", value if isinstance(value, (list, tuple)) else [value])
        return [str(cast("Mapping[str, Any]", one).get("id") if isinstance(one, Mapping) else one) for one in given]

    @field_validator("error", mode="before")
    @classmethod
    def _healthy_is_none(cls, value: Any) -> Any:
        """Healthy jobs carry null, `{}`, or an object of nulls."""
        if isinstance(value, str):
            return {"message": value} if value else None
        told = cast("Mapping[str, Any]", value if isinstance(value, Mapping) else {})
        return told if any(told.values()) else None


class JobEvent(_Answer):
    """One event of a job: a message for people, a metrics row, or what else the platform tells.

    `str(event)` is the message with its time. Ids are not the same in each answer of every platform: an event is
    known by its `content`.
    """

    id: str = ""
    created_at: float = 0
    level: str = "info"
    message: str = ""
    type: str | None = "message"
    data: dict[str, Any] | None = None

    _moment = field_validator("created_at", mode="before")(_seconds)

    @field_validator("id", "level", "message", mode="before")
    @classmethod
    def _said(cls, value: Any, info: ValidationInfo) -> Any:
        return cls.model_fields[str(info.field_name)].default if value is None else str(value)

    @property
    def kind(self) -> Literal["message", "metrics", "moderation", "checkpoint"]:
        """What it tells of; a metrics row has `data["step"]`."""
        if self.type == "metrics" or (self.data and "step" in self.data and "train_loss" in self.data):
            return "metrics"
        if self.type and self.type.startswith("moderation"):
            return "moderation"
        return "checkpoint" if self.message.startswith("Checkpoint created") else "message"

    @cached_property
    def content(self) -> tuple[Any, ...]:
        """What makes two events the same."""
        data = json.dumps(self.data, sort_keys=True, default=str) if self.data else ""
        return self.created_at, self.level, self.type or "message", self.message, data

    def __str__(self) -> str:
        return f"[{clock_time(self.created_at, '%H:%M:%S')}] {self.message}"


class Checkpoint(_Answer):
    """A model saved during training, usable under its own name."""

    id: str = ""
    created_at: float | None = None
    fine_tuned_model_checkpoint: str = ""
    step_number: int | None = None
    metrics: dict[str, Any] | None = None

    _moment = field_validator("created_at", mode="before")(_seconds)


@dataclass(frozen=True, slots=True)
class Usage(Shown):
    """Tokens of one answer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


DECLINED = "declined"  # why an answer ended that was not sure enough to be given


@dataclass(frozen=True, slots=True)
class Answer(Shown):
    """What a candidate said to one case, or why it said nothing.

    Attributes:
        text: The answer; empty when it failed, or when it is a thought without an end.
        reasoning: What it thought before it answered, where it shows that; the text alone is scored.
        error: The reason of a failure; None otherwise.
        usage: The tokens that were read and written, where the candidate tells them.
        seconds: Wall time of the call.
        tool_calls: The calls it made instead or beside.
        finish_reason: Why it ended, as `stop` or `length`.
        cost: US dollars; None where they are not known.
        sources: The passages that it was given to answer from.
        links: Where each of them stands, as `file:///…/handbook.pdf#page=3`; empty for what is no document.
        logprob: The mean log-probability of its tokens, where they were asked for and told.
        confidence: How sure it is, by the signal of a certificate.
        passed_on: Whether another candidate gave it, as the first one was not sure enough.
        by: Which stage of a cascade gave it.
    """

    text: str = ""
    _: KW_ONLY
    error: str | None = None
    usage: Usage = Usage()
    seconds: float = 0.0
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    cost: float | None = None
    sources: tuple[str, ...] = ()
    reasoning: str = ""
    links: tuple[str, ...] = ()
    logprob: float | None = None
    confidence: float | None = None
    passed_on: bool = False
    by: str = ""

    @property
    def cut(self) -> bool:
        """Whether the limit of tokens cut it off."""
        return self.finish_reason == "length"

    @property
    def declined(self) -> bool:
        """Whether the candidate was not sure enough to answer."""
        return self.finish_reason == DECLINED


@dataclass(frozen=True, slots=True)
class Score(Shown):
    """What a scorer says of one answer.

    Attributes:
        value: From 0 (wrong) to 1 (right), or whatever number the scorer gives.
        reason: Why, in words.
        label: What the answer was taken for, of a classification.
        target: What it should have been.
        cut: Whether it might be another one, had the limit of tokens not cut the answer off.
    """

    value: float
    _: KW_ONLY
    reason: str = ""
    label: str | None = None
    target: str | None = None
    cut: bool = False

"""A question to a model, and what came back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking.pacing import UNREADABLE
from finetune_lib.platforms.asking.spending import Price
from finetune_lib.records import ToolCall, Usage
from finetune_lib.texts.thoughts import parted
from finetune_lib.tokens import counter_for

AROUND_A_MESSAGE = 4  # tokens
USUAL_ANSWER = 512
NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a model's chat completions.

    Attributes:
        model: The model's name.
        messages: The conversation.
        options: Further fields of the call, as `temperature` or `tools`.
        form: The JSON schema of the answer; platforms that cannot hold a model to it are asked without.
        salt: What sets otherwise equal questions apart, as the number of a repeat; it is not sent.
        platform: Where; None is the run's.
        price: US dollars for a million tokens read and written; None leaves it to the catalogue.
        writes: Tokens that the answer may have; a budget reckons with them.
        sources: The passages that the conversation quotes; they are not sent apart from it.
        links: Where each of them stands; not sent.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    _: KW_ONLY
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    form: Mapping[str, Any] | None = None
    salt: str = ""
    platform: Platform | None = None
    price: Price | None = None
    writes: int = USUAL_ANSWER
    sources: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    def body(self, model: str, *, held: bool = True) -> dict[str, Any]:
        """The body of the call; `held` says whether the model is held to the form."""
        form = {"response_format": _schema(self.form)} if self.form and held else {}
        return {"model": model, "messages": list(self.messages), **self.options, **form}

    def expected(self) -> Usage:
        """The tokens that the call will use, rather too many than too few."""
        count = counter_for(self.model).count
        read = sum(count(_said(message)) + AROUND_A_MESSAGE for message in self.messages)
        read += sum(count(_json(part)) for part in (self.options.get("tools"), self.form) if part)
        most = self.options.get("max_completion_tokens") or self.options.get("max_tokens")
        return Usage(read, most or self.writes)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    Attributes:
        text: The text without the thought before it; a refusal where there is none.
        reasoning: What the model thought before, where the platform shows that.
        tool_calls: The calls it made instead or beside.
        usage: The tokens that were paid.
        finish_reason: Why it ended, as `stop` or `length`.
        model: The model that the platform says has answered.
        seconds: Wall time of the call.
        reused: Whether an earlier call had paid for it.
        price_share: The share of the list price that was paid: a batch costs half of it at OpenAI.
        logprob: The mean log-probability of the tokens of the text, where they were asked for and told.
        logprobs: What was told of each token, where the alternatives were asked for.
    """

    text: str = ""
    _: KW_ONLY
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = NO_USAGE
    finish_reason: str | None = None
    model: str | None = None
    seconds: float = 0.0
    reused: bool = False
    price_share: float = 1.0
    reasoning: str = ""
    logprob: float | None = None
    logprobs: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is kept of it."""
        calls = [[call.name, call.arguments] for call in self.tool_calls]
        counts = [self.usage.prompt_tokens, self.usage.completion_tokens]
        known = {"finish_reason": self.finish_reason, "model": self.model, "seconds": round(self.seconds, 4)}
        rare = {"tool_calls": calls} if calls else {}
        rare |= {"price_share": self.price_share} if self.price_share != 1 else {}
        rare |= {"reasoning": self.reasoning} if self.reasoning else {}
        rare |= {"logprob": self.logprob} if self.logprob is not None else {}
        rare |= {"logprobs": list(self.logprobs)} if self.logprobs else {}
        return {"text": self.text, "usage": counts, **known, **rare}

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> Reply:
        """A reply as it was kept; stores of earlier versions have thought and answer in one text."""
        calls = tuple(ToolCall(name, arguments) for name, arguments in kept.get("tool_calls", ()))
        known = {key: kept.get(key) for key in ("finish_reason", "model")}
        usage, seconds = Usage(*kept.get("usage", ())), kept.get("seconds") or 0.0
        share = kept.get("price_share", 1.0)
        thought, text = _parted(kept["text"], kept.get("reasoning", ""))
        return Reply(
            text,
            reasoning=thought,
            tool_calls=calls,
            usage=usage,
            seconds=seconds,
            reused=True,
            price_share=share,
            logprob=kept.get("logprob"),
            logprobs=tuple(kept.get("logprobs", ())),
            **known,
        )


def reply_in(body: Any, request: Request | None, *, seconds: float = 0.0, price_share: float = 1.0) -> Reply:
    """What the body of a chat completion says; one that counts no tokens is reckoned with those that were expected.

    Raises:
        PlatformError: It is none.
    """
    try:
        choice, usage = body["choices"][0], body.get("usage")
        message = choice["message"]
        thought, text = _parted(_text(message.get("content")), _thought(message))
        return Reply(
            text or message.get("refusal") or "",
            reasoning=thought,
            tool_calls=tuple(_call(call) for call in message.get("tool_calls") or () if "function" in call),
            usage=_usage(usage) if usage else request.expected() if request else NO_USAGE,
            finish_reason=choice.get("finish_reason"),
            model=body.get("model"),
            seconds=seconds,
            price_share=price_share,
            logprob=_logprob(choice.get("logprobs"), text),
            logprobs=_alternatives(choice.get("logprobs")),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        told = f"the answer is no chat completion ({_error_in(body) or repr(error)})"
        raise PlatformError(told, code=UNREADABLE, retryable=True) from error


def _logprob(told: Any, text: str) -> float | None:
    """The mean over the last tokens that make up the text; a thought before it does not count."""
    tokens = cast("list[dict[str, Any]]", told.get("content") or []) if told else []
    found, length = list[float](), 0
    for token in reversed(tokens):
        if length >= len(text.strip()):
            break
        length += len(token["token"])
        found.append(float(token["logprob"]))
    return sum(found) / len(found) if found else None


def _alternatives(told: Any) -> tuple[Mapping[str, Any], ...]:
    """What else each token might have been: of labels, what no one can learn once the model has stopped."""
    tokens = cast("list[dict[str, Any]]", told.get("content") or []) if told else []
    return tuple(tokens) if any(token.get("top_logprobs") for token in tokens) else ()


def _usage(told: Mapping[str, Any]) -> Usage:
    return Usage(told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0)


def _text(content: Any) -> str:
    """Some platforms answer with a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in cast("list[dict[str, Any]]", content))
    return str(content or "")


def _thought(message: Mapping[str, Any]) -> str:
    """Platforms have a field for it, or a part of the content."""
    told = message.get("reasoning_content") or message.get("reasoning")
    parts = cast("list[Any]", message["content"]) if isinstance(message.get("content"), list) else []
    thinking = [_text(part["thinking"]) for part in parts if part.get("thinking")]
    return told if isinstance(told, str) else "".join(thinking)


def _parted(text: str, thought: str) -> tuple[str, str]:
    """The thought and the text, which may have one as well."""
    more, text = parted(text)
    return "\n\n".join(filter(None, (thought.strip(), more))), text


def _call(call: Mapping[str, Any]) -> ToolCall:
    """Some platforms give the arguments as the object itself."""
    name, arguments = call["function"]["name"], call["function"].get("arguments") or "{}"
    return ToolCall(name, arguments if isinstance(arguments, str) else _json(arguments))


def _error_in(body: Any) -> str | None:
    """Some gateways say with status 200 that something went wrong."""
    told = cast("dict[str, Any]", body).get("error") if isinstance(body, dict) else None
    return str(cast("dict[str, Any]", told).get("message") if isinstance(told, dict) else told) if told else None


def key_of(platform: Platform, body: Mapping[str, Any], salt: str) -> str:
    """The content of a question: the same for the same words to the same model, wherever they are asked from."""
    text = json.dumps([platform.identity, body, salt], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _schema(form: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": form}}


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else _json(content)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

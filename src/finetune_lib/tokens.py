"""Token counts: exactly tiktoken's for OpenAI models, offline; an estimate by script where no tokenizer is known.

The vocabularies come with splintr, so nothing is downloaded; tiktoken is the fallback for an encoding that
splintr lacks. `tiktoken.encoding_for_model("ft:gpt-4.1…")` names the wrong encoding: a fine-tune counts as
its base here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from finetune_lib import catalog

# Per message <|im_start|>, <|im_sep|> and <|im_end|>, and one for the role: the sum that OpenAI bills.
TOKENS_PER_MESSAGE = 4
# Tokens a character of o200k-like vocabularies, measured on mixed text; used only for the estimate.
CJK_TOKENS, OTHER_TOKENS = 0.9, 0.26
MEMO = 8192
# Special tokens of all vocabularies begin so.
SPECIAL = "<|"
# All models that OpenAI still trains have this vocabulary.
DEFAULT_ENCODING = "o200k_base"


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the tokens of text for one model.

    Attributes:
        encoding: The vocabulary that it counts with.
        exact: False for an estimate.
        count: From a text to its number of tokens; special tokens count as plain text.
    """

    encoding: str
    exact: bool
    count: Callable[[str], int]

    def __reduce__(self) -> tuple[object, ...]:
        """Another process makes its own."""
        return _counter, (self.encoding, self.exact)

    def text(self, message: Mapping[str, Any]) -> int:
        """Tokens of what stands in one message, without its frame."""
        return self.count(_text(message))

    def example(self, messages: Sequence[Mapping[str, Any]], extra: str = "") -> int:
        """Tokens of a conversation as it is trained on; `extra` is text beside it, as tool definitions."""
        count = self.count
        tokens = sum([count(_text(message)) for message in messages]) + TOKENS_PER_MESSAGE * len(messages)
        return tokens + count(extra) if extra else tokens

    def chats(self, sizes: Iterable[int], texts: Iterable[str]) -> list[int]:
        """Tokens of conversations of text alone: how many messages each has, and the texts of all these."""
        counts = map(self.count, texts)
        return [sum(islice(counts, size)) + TOKENS_PER_MESSAGE * size for size in sizes]


@lru_cache(maxsize=64)
def counter_for(model: str | None) -> Counter:
    """The counter for a model; without one, for OpenAI's newest. Models that the catalogue lacks are estimated."""
    if model is None:
        return _counter(DEFAULT_ENCODING, exact=True)
    facts = catalog.find(model)
    return _counter(facts.encoding, exact=True) if facts else _counter("estimate", exact=False)


def _counter(encoding: str, exact: bool) -> Counter:
    simple = {"estimate": _estimate, "bytes": _bytes}
    return Counter(encoding, exact, simple.get(encoding) or _exact(encoding))


@cache
def _exact(encoding: str) -> Callable[[str], int]:
    encode, unit, encode_ordinary = _encoder(encoding)

    @lru_cache(maxsize=MEMO)
    def count(text: str) -> int:
        try:
            return len(encode_ordinary(text)) if SPECIAL in text else len(encode(text)) // unit
        except UnicodeEncodeError:
            whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # without lone surrogates
            return len(encode_ordinary(whole))

    return count


Encode = Callable[[str], Sequence[int]]


def _encoder(encoding: str) -> tuple[Encode, int, Encode]:
    """What encodes text without special tokens, its units a token, and what encodes any text as if it had none."""
    splintr: Any = importlib.import_module("splintr")
    try:
        tokenizer = splintr.Tokenizer.from_pretrained(encoding)
    except ValueError:
        tiktoken: Any = importlib.import_module("tiktoken")
        encode = tiktoken.get_encoding(encoding).encode_ordinary
        return encode, 1, encode
    # the fastest way gives four bytes a token, but takes special tokens for such
    return tokenizer.encode_flat, 4, tokenizer.encode_ordinary


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _estimate(text: str) -> int:
    cjk = sum("\u2e80" <= character <= "\uffef" for character in text)
    return round(cjk * CJK_TOKENS + (len(text) - cjk) * OTHER_TOKENS)


def _text(message: Mapping[str, Any]) -> str:
    """All text of a message that the model reads."""
    content = message.get("content")
    if type(content) is str and len(message) == 2:
        return content
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))  # pyright: ignore
    calls = message.get("tool_calls") or message.get("function_call")
    return f"{content or ''}{calls or ''}"

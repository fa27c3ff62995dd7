"""Token counts: exactly tiktoken's for OpenAI models, offline; an estimate by script where no tokenizer is known.

Which vocabulary a model has, the catalogue says, and of OpenAI's other models tiktoken's own list.

The vocabularies come with splintr, so nothing is downloaded; tiktoken is the fallback for an encoding that
splintr lacks. `tiktoken.encoding_for_model("ft:gpt-4.1…")` names the wrong encoding: a fine-tune counts as
its base here.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any, cast

import finetune_lib
from finetune_lib import catalog
from finetune_lib.errors import PolicyError
from finetune_lib.pictures import PictureRule, picture_tokens

# Per message <|im_start|>, <|im_sep|> and <|im_end|>, and one for the role: the sum that OpenAI bills.
TOKENS_PER_MESSAGE = 4
TOKENS_PER_NAME = 1  # beside the name's own, as in OpenAI's cookbook, counting tokens for chat completions
# Tokens a character of o200k-like vocabularies, measured on mixed text; used only for the estimate.
CJK_TOKENS, OTHER_TOKENS = 0.9, 0.26
MEMO = 8192
# Special tokens of all vocabularies begin so.
SPECIAL = "<|"
OFFLINE = frozenset({"o200k_base", "cl100k_base"})  # the vocabularies of OpenAI's that splintr brings
POLICY = "FINETUNE_LIB_POLICY"
# All models that OpenAI still trains have this vocabulary.
DEFAULT_ENCODING = "o200k_base"


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the tokens of text for one model.

    Attributes:
        encoding: The vocabulary that it counts with.
        exact: False for an estimate.
        count: From a text to its number of tokens; special tokens count as plain text.
        pictures: How pictures count; None where they are left out, as no rule is known.
    """

    encoding: str
    exact: bool
    count: Callable[[str], int]
    pictures: PictureRule | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Another process makes its own."""
        return _counter, (self.encoding, self.exact, self.pictures)

    def text(self, message: Mapping[str, Any]) -> int:
        """Tokens of what stands in one message, its pictures included, without its frame."""
        tokens = self.count(_text(message))
        if self.pictures and type(message.get("content")) is list:
            tokens += sum(picture_tokens(part, self.pictures).tokens for part in pictures_in(message))
        return tokens

    def example(self, messages: Sequence[Mapping[str, Any]], extra: str = "") -> int:
        """Tokens of a conversation as it is trained on; `extra` is text beside it, as tool definitions."""
        tokens = sum(map(self.text, messages)) + TOKENS_PER_MESSAGE * len(messages)
        named = [name for message in messages if len(message) > 2 and (name := message.get("name"))]
        tokens += sum(self.count(str(name)) + TOKENS_PER_NAME for name in named)
        return tokens + self.count(extra) if extra else tokens

    def chats(self, sizes: Iterable[int], texts: Iterable[str]) -> list[int]:
        """Tokens of conversations of text alone: how many messages each has, and the texts of all these."""
        counts = map(self.count, texts)
        return [sum(islice(counts, size)) + TOKENS_PER_MESSAGE * size for size in sizes]


@lru_cache(maxsize=64)
def counter_for(model: str | None) -> Counter:
    """The counter for a model; without one, for OpenAI's newest. A model without a known vocabulary is estimated."""
    if model is None:
        return _counter(DEFAULT_ENCODING, exact=True)
    if facts := catalog.find(model):
        return _counter(facts.encoding, True, facts.pictures)
    encoding = _public_encoding(catalog.base_of(model))
    return _counter(encoding or "estimate", exact=encoding is not None)


def text_pieces(model: str, message: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """What stands in a message, token by token, each text with its tokens: several where they make one character.

    Where the model's vocabulary is not known it goes by character.
    """
    counter, text = counter_for(model), _text(message)
    if counter.encoding not in OFFLINE:
        yield from ((character, 1) for character in text)
        return
    splintr: Any = importlib.import_module("splintr")
    tokenizer = splintr.Tokenizer.from_pretrained(counter.encoding)
    held: list[bytes] = []
    for token in tokenizer.encode_ordinary(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")):
        held.append(tokenizer.decode_token_bytes(token))
        try:
            said = b"".join(held).decode()
        except UnicodeDecodeError:
            continue
        yield said, len(held)
        held = []


def _public_encoding(model: str) -> str | None:
    """The vocabulary of a model that the catalogue lacks, also by Azure's name or a snapshot's, as tiktoken lists them.

    That of `gpt-oss` frames messages otherwise, and those older than `babbage-002` are not carried: neither is exact.
    """
    names: Any = importlib.import_module("tiktoken.model")
    try:
        found = names.encoding_name_for_model(model)
    except KeyError:
        return None
    return found if found in OFFLINE else None


def _counter(encoding: str, exact: bool, pictures: PictureRule | None = None) -> Counter:
    simple = {"estimate": _estimate, "bytes": _bytes}
    return Counter(encoding, exact, simple.get(encoding) or _exact(encoding), pictures)


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
        if os.environ.get(POLICY) or vars(finetune_lib).get("POLICY_AT_IMPORT"):
            raise PolicyError(
                f"counting tokens of {encoding} needs a vocabulary that tiktoken downloads, which the policy does not "
                "allow. Nothing was sent."
            ) from None
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
    return f"{content or ''}{message.get('refusal') or ''}{calls or ''}"


def pictures_in(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a message that are pictures."""
    content = message.get("content")
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict) and "image_url" in part]

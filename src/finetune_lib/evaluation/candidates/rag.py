"""Rag: a model that is given the passages of a corpus that fit the question."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from finetune_lib.concurrency import in_thread
from finetune_lib.evaluation.candidates.chat_model import ChatModel
from finetune_lib.evaluation.candidates.passages import Corpus, Passage, passages_of
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Request, Session, current_session
from finetune_lib.records import Case, Message
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.texts import fold
from finetune_lib.texts.retrieval import ByMeaning, ByWords, Once
from finetune_lib.texts.scripts import language_for

T = TypeVar("T")
Turn = Mapping[str, Any]
PLACE = "{passages}"
TEMPLATES = {
    "en": (
        "Answer from the numbered passages below, in the language of the question. If they do not hold the answer, "
        "say so instead of guessing.\n\n{passages}"
    ),
    "zh-Hant": "請只根據下列編號的資料回答，並使用提問的語言。資料中沒有答案時，請直接說明，不要猜測。\n\n{passages}",
    "zh-Hans": "请只根据下列编号的资料回答，并使用提问的语言。资料中没有答案时，请直接说明，不要猜测。\n\n{passages}",
}


@dataclass(frozen=True)
class Rag(ChatModel):
    """A model as a candidate that reads, in its system message, the `k` passages that fit the last question best.

    Answers tell their passages in `sources`, and in `links` where those of documents stand; a report leads there. A
    training example that asks what the case asks is never among them, so that no answer leaks; a question that no
    passage fits is asked without any.

    Attributes:
        corpus: Training data (a passage is a question with its answer), texts, or a folder or files of PDF, Word
            (.docx), HTML, Markdown and text, which are cut into passages; each begins with its file, page and heading.
        k: How many passages are given.
        embeddings: The model that finds them by meaning, as `text-embedding-3-small`; by default they are found by
            words (BM25). What was embedded is kept, so that no run pays for it again.
        template: What the system message says about them, with the place `{passages}`; by default in the language
            of the conversation: that answers come from these numbered passages alone.
        passage_tokens: How long a passage of a text may be.

    Example:
        >>> import asyncio
        >>> import finetune_lib as ft
        >>> corpus = ["行動電源只能隨身攜帶。", "寵物要另外購票。"]
        >>> case = ft.Case("1", (ft.Message(role="user", content="行動電源可以託運嗎？"),))
        >>> asyncio.run(ft.Rag("gpt-4.1-mini", corpus=corpus, k=1).request(case)).sources
        ('行動電源只能隨身攜帶。',)
    """

    _: KW_ONLY
    corpus: Corpus
    k: int = 5
    embeddings: str | None = None
    template: str | None = None
    passage_tokens: int = 300
    _passages: Once[list[Passage]] = field(init=False, repr=False, compare=False)
    _words: Once[ByWords] = field(init=False, repr=False, compare=False)
    _meaning: _Embedded = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.k < 1 or self.passage_tokens < 1:
            raise ValueError(f"k and passage_tokens are at least 1: got {self.k} and {self.passage_tokens}")
        if self.template is not None and PLACE not in self.template:
            raise ValueError(f"the template has no place {PLACE} for the passages")
        passages = Once(lambda: passages_of(self.corpus, tokens=self.passage_tokens))
        object.__setattr__(self, "name", self.name or f"{self.model} + retrieval")
        object.__setattr__(self, "_passages", passages)
        object.__setattr__(self, "_words", Once(lambda: ByWords([passage.text for passage in passages()])))
        object.__setattr__(self, "_meaning", _Embedded())

    async def request(self, case: Case, /) -> Request:
        """What the platform is asked about a case.

        Raises:
            DataError: The corpus holds no text.
            PlatformError: The platform did not embed the texts.
            MissingExtraError: Without `pip install "finetune_lib[eval]"`.
        """
        passages = await _made(self._passages)
        asked = fold(case.prompt)
        most = self.k + sum(passage.asks == asked for passage in passages if passage.asks)
        found = [passages[place] for place in await self._nearest(case.prompt, most)]
        given = [passage for passage in found if not passage.asks or passage.asks != asked][: self.k]
        sources = tuple(passage.text for passage in given)
        links = tuple(passage.link for passage in given) if any(passage.link for passage in given) else ()
        return replace(self.question(self._told(self.messages(case), sources), case, sources=sources), links=links)

    async def _nearest(self, text: str, k: int) -> list[int]:
        if self.embeddings is None:
            return (await _made(self._words)).nearest(text, k)
        texts = [passage.text for passage in self._passages()]
        async with current_session() as session:
            index = await self._meaning.index(session, self.embeddings, texts, self.platform)
            vector = (await session.embed(self.embeddings, [text], platform=self.platform))[0]
        return index.nearest(vector, k)

    def _told(self, messages: Sequence[Turn], sources: Sequence[str]) -> list[Turn]:
        """The conversation, its system message with the passages behind it."""
        if not sources:
            return list(messages)
        said = [_text(message) for message in messages if message["role"] in INSTRUCTIONS]
        others = [message for message in messages if message["role"] not in INSTRUCTIONS]
        template = self.template or TEMPLATES[language_for("\n".join([*said, *map(_text, others)]))]
        passages = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(sources, start=1))
        content = "\n\n".join([*said, template.replace(PLACE, passages)])
        return [{"role": "system", "content": content}, *others]


class _Embedded:
    """The vectors of a corpus: embedded by whoever needs them first, while the others wait."""

    def __init__(self) -> None:
        self._index: ByMeaning | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    async def index(self, session: Session, model: str, texts: Sequence[str], platform: Platform | None) -> ByMeaning:
        """The index, made when it is first needed."""
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            if self._index is None:
                vectors = await session.embed(model, texts, platform=platform)
                self._index = await in_thread(ByMeaning, vectors)
        return self._index


async def _made(value: Once[T]) -> T:
    """A value that takes long to make, without holding up the loop."""
    return value() if value.made else await in_thread(value)


def _text(message: Turn) -> str:
    return Message.model_validate(message).text

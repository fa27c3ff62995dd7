"""FewShot: a model that is shown examples before each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from random import Random
from typing import Any, Literal, cast

from finetune_lib.concurrency import call, in_thread
from finetune_lib.evaluation.candidates.chat_model import ChatModel
from finetune_lib.files import refuse_path
from finetune_lib.platforms.asking import Request
from finetune_lib.records import Case, Example, conversation
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.texts import fold
from finetune_lib.texts.retrieval import ByWords, Once, tokens
from finetune_lib.tokens import counter_for

Selection = Literal["nearest", "first", "random", "diverse"]
Select = Callable[[Case, Sequence[Example]], Sequence[Example]]
Turn = Mapping[str, Any]
SPREAD_OVER = 2_000  # examples among which `diverse` looks; each costs a comparison with each that is chosen


@dataclass(frozen=True)
class FewShot(ChatModel):
    """A model as a candidate that sees `k` examples as turns of the conversation before each question.

    The system message stays the case's own, or `system`; those of the examples are left out. An example that asks
    what the case asks is never shown, so that no answer leaks. Examples without an answer are passed over.

    Attributes:
        examples: The training data.
        k: How many are shown.
        selection: `nearest` by words (BM25), the nearest last; `first`; `random`, drawn anew for each case; `diverse`,
            the same for all cases and as unlike each other as can be; or a function from the case and the examples
            to those to show, in their order.
        seed: Another seed, another draw.
        max_prompt_tokens: Examples are left out, from the first on, until the prompt has at most so many tokens.

    Example:
        >>> import asyncio
        >>> import finetune_lib as ft
        >>> data = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}])
        >>> shown = ft.FewShot("gpt-4.1-mini", examples=data, selection="first")
        >>> case = ft.Case("1", (ft.Message(role="user", content="在哪裡登機？"),))
        >>> [turn["content"] for turn in asyncio.run(shown.request(case)).messages]
        ['幾點登機？', '起飛前 30 分鐘。', '在哪裡登機？']
    """

    _: KW_ONLY
    examples: Sequence[Example]
    k: int = 5
    selection: Selection | Select = "nearest"
    seed: int = 0
    max_prompt_tokens: int | None = None
    _pool: Once[_Pool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_path(self.examples, "FewShot shows examples", "ft.Dataset.load")
        object.__setattr__(self, "name", self.name or f"{self.model} + {self.k} examples")
        object.__setattr__(self, "_pool", Once(lambda: _Pool(self.examples, self.selection, self.k, self.seed)))
        if self.k < 1:
            raise ValueError(f"k is at least 1, not {self.k}; a model without examples is ChatModel")
        if not callable(self.selection) and self.selection not in Selection.__args__:  # pyright: ignore
            raise ValueError(
                f"selection is one of {', '.join(Selection.__args__)} or a function, not {self.selection!r}"
            )  # pyright: ignore

    async def request(self, case: Case, /) -> Request:
        """What the platform is asked about a case.

        Raises:
            ValueError: No example has an answer.
            MissingExtraError: `nearest` without `pip install "finetune_lib[eval]"`.
        """
        pool = self._pool() if self._pool.made else await in_thread(self._pool)
        shown = await call(pool.shown, case) if callable(self.selection) else pool.shown(case)
        return self.question(self._within(self.messages(case), [turns_of(example) for example in shown]), case)

    def _within(self, messages: list[Turn], shown: list[list[Turn]]) -> list[Turn]:
        """The system message, the examples that fit, and the conversation of the case."""
        system = [message for message in messages if message["role"] in INSTRUCTIONS]
        asked = [message for message in messages if message["role"] not in INSTRUCTIONS]
        if self.max_prompt_tokens is not None:
            size = counter_for(self.model).example
            left = self.max_prompt_tokens - size(messages)
            sizes = [size(turns) for turns in shown]
            while shown and sum(sizes[-len(shown) :]) > left:
                shown = shown[1:]
        return [*system, *(turn for turns in shown for turn in turns), *asked]


class _Pool:
    """The examples that can be shown, and what they ask."""

    def __init__(self, examples: Sequence[Example], selection: Selection | Select, k: int, seed: int) -> None:
        self.examples = [example for example in examples if turns_of(example)]
        if not self.examples:
            raise ValueError("FewShot needs examples that end with an answer: there is none")
        self.selection, self.k, self.seed = selection, k, seed
        self._asked = [fold(example.prompt) for example in self.examples]
        self._count = Counter(self._asked)
        self._words = ByWords([example.prompt for example in self.examples]) if selection == "nearest" else None
        self._spread = Once(lambda: list(islice(_spread(self.examples, seed), k + 1)))

    def shown(self, case: Case) -> list[Example]:
        """The examples for one case, in their order; never one that asks the same."""
        asked = fold(case.prompt)
        if callable(self.selection):
            return [e for e in self.selection(case, self.examples) if fold(e.prompt) != asked and turns_of(e)]
        places = self._places(case, self.k + self._count[asked])
        kept = [place for place in places if self._asked[place] != asked][: self.k]
        return [self.examples[place] for place in (reversed(kept) if self.selection == "nearest" else kept)]

    def _places(self, case: Case, most: int) -> Sequence[int]:
        """The places of more examples than are wanted, the best first."""
        match self.selection:
            case "random":
                everything = range(len(self.examples))
                return _chance(self.seed, case.prompt).sample(everything, min(most, len(everything)))
            case "diverse":
                return self._spread()
            case "nearest" if self._words:
                near = self._words.nearest(case.prompt, most)
                return list(dict.fromkeys([*near, *range(most)]))[: min(most, len(self.examples))]
            case _:
                return range(min(most, len(self.examples)))


def turns_of(example: Example) -> list[Turn]:
    """An example as turns up to its last answer, without instructions; none where it has no answer."""
    turns = [
        {name: value for name, value in turn.items() if name != "weight" and value is not None}
        for turn in conversation(example.data)
        if turn.get("role") not in INSTRUCTIONS
    ]
    last = max((at for at, turn in enumerate(turns) if turn.get("role") == "assistant"), default=-1)
    return [*turns[: last + 1], *_results(turns[last])] if last > 0 else []


def _results(answer: Turn) -> Iterator[Turn]:
    """The wire wants a result behind each call before the conversation goes on."""
    for asked in cast("Sequence[Turn]", answer.get("tool_calls") or ()):
        yield {"role": "tool", "tool_call_id": asked.get("id", ""), "content": "OK"}


def _spread(examples: Sequence[Example], seed: int) -> Iterator[int]:
    """Places of examples, each as far as can be from all before it, by the words they ask with."""
    left = _chance(seed).sample(range(len(examples)), min(SPREAD_OVER, len(examples)))
    asked = {place: frozenset(tokens(examples[place].prompt)) for place in left}
    nearness = dict.fromkeys(left, 0.0)
    while nearness:
        chosen = min(nearness, key=nearness.__getitem__)
        del nearness[chosen]
        yield chosen
        for place in nearness:
            common = len(asked[place] & asked[chosen])
            all_words = len(asked[place]) + len(asked[chosen]) - common
            nearness[place] = max(nearness[place], common / all_words if common else 0.0)


def _chance(*seed: object) -> Random:
    return Random(repr(seed))  # noqa: S311 - a draw of examples is no secret

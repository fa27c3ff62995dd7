"""Script: Chinese from Simplified to Traditional characters, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import ClassVar

from finetune_lib.data.augmenters.augmenter import Child
from finetune_lib.data.augmenters.gate import CHANGED, Gate
from finetune_lib.extras import require
from finetune_lib.records import Example
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.rows.turns import rewritten, turns
from finetune_lib.shown import Shown
from finetune_lib.texts.scripts import Variety, variety

# OpenCC's names: with the words of Taiwan and the mainland (軟體, 软件), or the characters alone.
WITH_WORDS = {"zh-Hant": "s2twp", "zh-Hans": "tw2sp"}
CHARACTERS = {"zh-Hant": "s2tw", "zh-Hans": "t2s"}


@dataclass(frozen=True)
class Script(Shown):
    """What the user says in the other kind of Chinese characters; needs `pip install "finetune_lib[zh]"`.

    The assistant's turns stay as they are: so a model learns to answer in the script of its own, whichever the
    user writes. `answers=True` makes whole conversations in the other script instead.

    Attributes:
        to: `zh-Hant` (as in Taiwan) or `zh-Hans` (as in mainland China).
        words: Whether words change too, as 软件 to 軟體; else only characters.
        answers: Whether the system message and the assistant's turns change too.
    """

    to: Variety
    _: KW_ONLY
    words: bool = True
    answers: bool = False

    name: ClassVar[str] = "script"
    gate: ClassVar[Gate] = CHANGED

    def __post_init__(self) -> None:
        if self.to not in WITH_WORDS:
            raise ValueError(f'Script takes "zh-Hant" or "zh-Hans", not {self.to!r}')

    def __call__(self, example: Example, /) -> Iterator[Child]:
        """The one child of an example; a row that has nothing in the other script gives itself again."""
        convert = converter((WITH_WORDS if self.words else CHARACTERS)[self.to])
        roles = {"user", "assistant", *INSTRUCTIONS} if self.answers else {"user"}
        chosen = [turn for turn in turns(example.data) if turn.role in roles]
        texts = {turn.path: convert(turn.text) for turn in chosen if variety(turn.text) not in (None, self.to)}
        yield Child(rewritten(example.data, texts), f"{self.to}{'+answers' if self.answers else ''}")


@cache
def converter(config: str) -> Callable[[str], str]:
    """OpenCC's function for one direction."""
    opencc = require("opencc", extra="zh", feature="Script(…)")
    return opencc.OpenCC(config).convert

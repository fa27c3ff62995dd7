"""Paraphrase: the user's turns in other words, by a model; the answer stays word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from finetune_lib.data.augmenters.augmenter import Child, Missing, randomness
from finetune_lib.data.augmenters.rewriting import Rewriting
from finetune_lib.records import Example

ROLE = "You rewrite what users say to an assistant, so that it learns that people ask for one thing in many ways."
STYLES = (
    "terse",
    "colloquial",
    "formal and polite",
    "with the typing slips of somebody in a hurry",
    "as one would type it into a search box",
    "roundabout, with the reason for asking only where the original gives one",
    "as a statement of the problem instead of a question",
    "in plain and simple words",
)


@dataclass(frozen=True)
class Paraphrase(Rewriting):
    """Other ways to say what the user says, written by a model.

    One call asks for all versions of an example. Each version is in one of the styles; which ones an example
    gets is chosen by its content and the seed.

    Attributes:
        n: Versions of each example.
        styles: How versions may be written, in plain words.

    Example:
        >>> import finetune_lib as ft
        >>> ft.Paraphrase(n=5, model="gpt-4.1-mini", price=(0.40, 1.60)).n
        5
    """

    n: int = 3
    _: KW_ONLY
    styles: Sequence[str] = STYLES

    name: ClassVar[str] = "paraphrase"

    def __post_init__(self) -> None:
        if self.n < 1 or not self.styles:
            raise ValueError("a Paraphrase needs n of at least 1, and at least one style")

    async def __call__(self, example: Example, /) -> list[Child | Missing]:
        """The versions of one example."""
        styles = list(self.styles)  # as many different ones as there are, then from the first again
        randomness(f"{self.name} styles", example).shuffle(styles)
        chosen = [styles[i % len(styles)] for i in range(self.n)]
        return await self.written(example, role=ROLE, versions=chosen)

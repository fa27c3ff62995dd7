"""PersonaVariants: the user's turns as other people would say them, by a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from finetune_lib.data.augmenters.augmenter import Child, Missing
from finetune_lib.data.augmenters.rewriting import Rewriting
from finetune_lib.records import Example

ROLE = (
    "You rewrite what users say to an assistant as other people would say it. `versions` names who speaks in each "
    "version: take on their way of speaking, but do not let them tell who they are."
)
PERSONAS = (
    "an elderly person who is not used to computers",
    "a business traveller in a hurry",
    "a teenager",
    "a customer who is annoyed and stays civil",
    "somebody who writes in a language that is not their own",
)


@dataclass(frozen=True)
class PersonaVariants(Rewriting):
    """What the user says, as said by other people: one version for each persona.

    Attributes:
        personas: Who speaks, in plain words.
    """

    personas: Sequence[str] = PERSONAS

    name: ClassVar[str] = "persona"

    def __post_init__(self) -> None:
        if not self.personas:
            raise ValueError("PersonaVariants needs at least one persona")

    async def __call__(self, example: Example, /) -> list[Child | Missing]:
        """The versions of one example."""
        return await self.written(example, role=ROLE, versions=self.personas)

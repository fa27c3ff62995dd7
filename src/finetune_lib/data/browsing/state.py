"""What stands on a page of examples, and what all of its parts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune_lib.data.diagnostics.locations import Place
from finetune_lib.pages.conversation import Conversation

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Diagnostic
    from finetune_lib.pages.wording import Words
    from finetune_lib.records import Example
    from finetune_lib.texts.languages import Language


@dataclass(frozen=True, slots=True)
class Shown:
    """An example that is on the page.

    Attributes:
        number: Its place in the data, from 1.
        example: The example.
        parts: What is read.
        findings: What was found about it.
    """

    number: int
    example: Example
    parts: Conversation
    findings: Sequence[Diagnostic]


@dataclass(frozen=True, slots=True)
class Page:
    """What all cards of a page share.

    Attributes:
        lang: The language of the page.
        words: Its words.
        known: The examples on it by their places.
        numbers: Their numbers.
    """

    lang: Language
    words: Words
    known: Mapping[Place, Shown]
    numbers: Mapping[Place, int]

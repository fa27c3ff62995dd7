"""Examples that say nearly the same: their questions and their answers both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from hashlib import blake2b

from finetune_lib.data.diagnostics import Diagnostic, diagnose, place_name
from finetune_lib.records import Example
from finetune_lib.rows.exchange import fold_prompt, texts_of, turns_of
from finetune_lib.texts import fold, jaccard
from finetune_lib.texts.neighbours import View, near_items
from finetune_lib.texts.neighbours.views import of_side

LEAST_SIDE = 0.5  # how alike question and answer must each be, where both together are near
NUMBER = "0-9零〇一二三四五六七八九十百千万亿两"
NUMBERS = re.compile(rf"[{NUMBER}][{NUMBER} ,.:\-]*")


def near_duplicates(
    examples: Sequence[Example], *, threshold: float = 0.7, executor: Executor | None = None
) -> Iterator[Diagnostic]:
    """Each example that is nearly the same as an earlier one (D802), verified exactly.

    Question and answer together have at least this Jaccard similarity (see `finetune_lib.texts.neighbours`), and each
    of them a good part of it: another question with the same answer is no duplicate. Neither are examples that differ
    in numbers alone, nor those that ask the same and answer otherwise, which D804 tells.

    Args:
        examples: The data.
        threshold: The least similarity.
        executor: Who reads them where they are many; the result is the same.
    """
    view = View(sides_of, form=without_numbers, accept=both_sides_near)
    for pair in near_items(examples, view=view, threshold=threshold, copies=False, executor=executor):
        here, there = examples[pair.b].origin, examples[pair.a].origin
        percent = int(pair.similarity * 100)
        yield diagnose("D802", here, related=(there,), first=place_name(there), percent=percent)


def question_links(examples: Sequence[Example], *, threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs of places whose questions are near; those that differ in numbers or pictures alone are not."""
    view = View(_question, form=without_numbers)
    for pair in near_items(examples, view=view, threshold=threshold, copies=False):
        yield pair.a, pair.b


def _question(example: Example) -> tuple[str, ...]:
    return (fold_prompt(example),)


def sides_of(example: Example) -> tuple[str, ...]:
    """The folded question and answer; the question alone where there is no answer.

    Calls of tools are equal or not: the same call for another name is another answer.
    """
    if turns := turns_of(example):
        said = "\n".join((fold(turns.answer), fold(turns.rejected or ""))).strip()
        return "\n".join(map(fold, turns.prompt)), blake2b(
            said.encode("utf-8", "surrogatepass"), digest_size=8
        ).hexdigest() if turns.calls else said
    texts = texts_of(example)
    return ("\n".join(map(fold, texts)),) if texts else ()


def without_numbers(folded: str) -> str:
    """A text with all numbers, and rows of numbers, the same."""
    return NUMBERS.sub("0", folded)


def both_sides_near(one: set[str], other: set[str]) -> bool:
    """Whether questions differ, but little, and answers no more."""
    asked, answered = (jaccard(of_side(one, number), of_side(other, number)) for number in (0, 1))
    return LEAST_SIDE <= asked < 1 and answered >= LEAST_SIDE

"""One answer to many questions (D805): stock phrases that the model will give to everything."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil
from statistics import median_low

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.data.together.spill import PARTITIONS, Spill
from finetune_lib.records import Example
from finetune_lib.rows.exchange import turns_of

LEAST = 5
LEAST_SHARE = 0.002
LEAST_LABEL_SHARE = 0.2
TIMES_USUAL = 4  # where every answer has several questions (paraphrases), that many alone mean nothing
FEW_ANSWERS = 0.2  # distinct answers an example, up to which data whose answers are labels is a classification
LONGEST_LABEL = 40
SENTENCE = re.compile(r"[。！？!?，,；;\n]|\.\s*$")
SHOWN = 40


def shared_answers(answers: Spill, examples: Sequence[Example]) -> Iterator[Diagnostic]:
    """Each answer that many different questions share, at the first of them.

    Args:
        answers: Rows of answer, question and place.
        examples: The data.
    """
    least = max(LEAST, ceil(len(answers) * LEAST_SHARE))
    counts, places = _counted(answers, least)
    few = sum(counts.values()) <= FEW_ANSWERS * len(answers)
    for count, found in sorted(places, key=lambda entry: entry[1]):
        turns = turns_of(examples[found[0]])
        if turns is None or len(found) < LEAST or count < TIMES_USUAL * _usual(counts, count):
            continue
        if not _is_label(turns.answer) or (not few and count >= LEAST_LABEL_SHARE * len(answers)):
            origin, *others = (examples[place].origin for place in found)
            yield diagnose("D805", origin, turns.path, related=tuple(others), count=count, answer=short(turns.answer))


def _counted(answers: Spill, least: int) -> tuple[Counter[int], list[tuple[int, list[int]]]]:
    """How many answers occur how often; and of each frequent one, how often and the first of its questions."""
    counts: Counter[int] = Counter()
    frequent: list[tuple[int, list[int]]] = []
    for number in range(PARTITIONS):
        here: Counter[int] = Counter()
        for rows in answers.partition(number):
            here.update(rows[::3])
        counts.update(here.values())
        wanted = {answer: dict[int, int]() for answer, count in here.items() if count >= least}
        if wanted:
            for rows in answers.partition(number):
                _first_questions(rows, wanted)
        frequent += [(here[answer], list(found.values())) for answer, found in wanted.items()]
    return counts, frequent


def _first_questions(rows: array[int], wanted: dict[int, dict[int, int]]) -> None:
    """The places of the first few different questions of each wanted answer."""
    for answer, question, place in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        found = wanted.get(answer)
        if found is not None and len(found) < LEAST:
            found.setdefault(question, place)


def _usual(counts: Counter[int], count: int) -> int:
    """How often an answer usually occurs, one that occurs `count` times left out."""
    others = counts - Counter([count])
    return median_low(others.elements()) if others else 1


def _is_label(answer: str) -> bool:
    """Whether an answer looks like a class or a value, not like a sentence."""
    text = answer.strip()
    return text[:1] in ("{", "[") or (len(text) <= LONGEST_LABEL and not SENTENCE.search(text))


def short(text: str) -> str:
    """The beginning of a text in one line, for a message."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"

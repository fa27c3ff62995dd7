"""Does an answer keep to its passages, and cite the right ones? By rule: what cannot be decided so is for a judge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, cast

from finetune_lib.evaluation.scorers.abstaining import declines
from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Answer, Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts import fold, shingles
from finetune_lib.texts.grounding import CITATION, solid, unfounded

PAGE = re.compile(r"\A([^\n]*), p\. \d+")
CITED = re.compile(rf"(?:{CITATION.pattern}\s*)+", re.IGNORECASE)
END = r"(?:[。！？!?；;\n]+|\.(?=\s|[\[［【〔]|$)|$)"
BEHIND = re.compile(rf".+?{END}(?:\s*{CITED.pattern})?", re.IGNORECASE | re.DOTALL)  # a sentence, and what it cites
BEFORE = re.compile(rf".+?{END}", re.DOTALL)
LISTED = re.compile(
    r"^\W*(?:(?:資料|资料)?(?:來源|来源)|(?:參考|参考)(?:資料|资料|文獻|文献)?|sources?|references?)?\W*$",
    re.IGNORECASE,
)


def passages_of(answer: Answer, case: Case, field: str) -> tuple[str, ...]:
    """The passages of an answer: those that its candidate was given, else those of the case's metadata."""
    told: Any = answer.sources or case.metadata.get(field) or ()
    return (told,) if isinstance(told, str) else tuple(map(str, cast("Sequence[Any]", told)))


def _said(passage: str) -> str:
    """What a passage says: not the page that it stands on, which `Rag` writes before that of a document."""
    return PAGE.sub(r"\1", passage)


@dataclass(frozen=True, slots=True)
class Grounded(Shown, Instant):
    """1 where each number, name, address and quotation of the answer stands in its passages or the question, else 0.

    It is exact in what it finds and blind to the rest: names are those in Latin letters, a number that was worked out
    counts as invented, and a false sentence without any of these passes. `GroundedByJudge` reads the sentences. These
    are the checks that `Dataset.from_documents` holds its own answers to. An answer that says it does not know is
    grounded.

    Attributes:
        field: The field of the case's metadata that has the passages, a text or several, where the candidate tells none
            in `answer.sources`, as `Rag` does.
        name: What reports call it.

    Example:
        >>> from finetune_lib import Answer, Case
        >>> from finetune_lib.evaluation.scorers import Grounded
        >>> score = Grounded()(Answer("每件 25 公斤。", sources=("每件 23 公斤。",)), Case("1", ()))
        >>> score.value, score.reason
        (0.0, 'not in the passages: 25')
    """

    whole_answer: ClassVar[bool] = True

    field: str = "passages"
    _: KW_ONLY
    name: str = "grounded"

    def __call__(self, answer: Answer, case: Case, /) -> Score:
        """Score one answer."""
        passages = passages_of(answer, case, self.field)
        if lost := unfounded(answer.text, "\n".join([*map(_said, passages), case.prompt])):
            return Score(0.0, reason=f"not in the passages: {', '.join(lost)}" + ("" if passages else "; it has none"))
        return Score(1.0, reason="" if passages else "it has no passages, and names nothing that would need one")


@dataclass(frozen=True, slots=True)
class CitesPassages(Shown, Instant):
    """1 where what the answer says is cited, as [1], and each citation is of a passage that holds it, else 0.

    A citation speaks for its sentence, one of several for the part before it; those of a line of sources for all before
    that cites nothing. Its passages have to exist, hold the numbers,
    names, addresses and quotations of that part, and share about as many words with it as the best passage does. Where
    the case's metadata names the right source, one of the cited passages has to contain it. An answer that says it does
    not know needs no citation.

    Attributes:
        field: As for `Grounded`.
        source: The field of the metadata that has the right source, as `handbook.pdf, p. 3`.
        name: What reports call it.

    Example:
        >>> from finetune_lib import Answer, Case
        >>> from finetune_lib.evaluation.scorers import CitesPassages
        >>> passages = ("每件 23 公斤。", "超重每公斤 300 元。")
        >>> CitesPassages()(Answer("每件 23 公斤 [2]。", sources=passages), Case("1", ())).reason
        '[2] does not hold: 23'
    """

    whole_answer: ClassVar[bool] = True

    field: str = "passages"
    _: KW_ONLY
    source: str = "source"
    name: str = "cites_passages"

    def __call__(self, answer: Answer, case: Case, /) -> Score:
        """Score one answer."""
        if declines(answer.text):
            return Score(1.0, reason="it says that it does not know")
        faults = list(self._faults(answer.text, passages_of(answer, case, self.field), case))
        return Score(float(not faults), reason="; ".join(faults))

    def _faults(self, text: str, passages: Sequence[str], case: Case) -> Iterator[str]:
        parts = list(_cited(text))
        if not any(numbers for _, numbers in parts):
            yield "nothing is cited"
            return
        for said, numbers in parts:
            if numbers:
                yield from _fault(said, numbers, passages, case.prompt)
            elif lost := unfounded(said, case.prompt):
                yield f"nothing is cited for: {', '.join(lost)}"
        right = str(case.metadata.get(self.source) or "")
        held = [passages[number - 1] for _, numbers in parts for number in numbers if 0 < number <= len(passages)]
        if right and not any(solid(right) in solid(passage) for passage in held):
            yield f"{right} is not cited"


def _cited(text: str) -> Iterator[tuple[str, list[int]]]:
    """Each part of a text with the numbers that are cited for it; none where it cites nothing."""
    open_parts: list[str] = []
    for sentence in (BEFORE if CITED.match(text.lstrip()) else BEHIND).findall(text):
        groups = list(CITED.finditer(sentence))
        if groups and LISTED.match(CITED.sub("", sentence)):
            yield " ".join(open_parts), [number for group in groups for number in _numbers(group[0])]
            open_parts = []
        elif len(groups) > 1 and sentence[: groups[0].start()].strip():
            starts = [0, *(group.end() for group in groups[:-1])]
            ends = [*(group.start() for group in groups[:-1]), len(sentence)]
            yield from (
                (sentence[start:end], _numbers(group[0]))
                for start, end, group in zip(starts, ends, groups, strict=True)
            )
        elif groups:
            yield sentence, [number for group in groups for number in _numbers(group[0])]
        else:
            open_parts.append(sentence)
    yield from ((part, []) for part in open_parts)


def _numbers(citation: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", citation)]


def _fault(said: str, numbers: Sequence[int], passages: Sequence[str], question: str) -> Iterator[str]:
    numbers = list(dict.fromkeys(numbers))
    named = "".join(f"[{number}]" for number in numbers)
    if strange := [number for number in numbers if not 0 < number <= len(passages)]:
        yield f"there is no passage [{strange[0]}]"
        return
    cited = [_said(passages[number - 1]) for number in numbers]
    if lost := unfounded(said, "\n".join([*cited, question])):
        yield f"{named} does not hold: {', '.join(lost)}"
    elif 2 * max(_shared(said, one) for one in cited) < max(_shared(said, one) for one in passages):
        yield f"another passage than {named} speaks of it"


def _shared(said: str, passage: str) -> int:
    """How many pieces two texts have in common."""
    return len(shingles(fold(said)) & shingles(fold(passage)))

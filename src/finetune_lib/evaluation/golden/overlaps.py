"""Cases that ask what another case or the training data asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from finetune_lib.data.diagnostics import place_name
from finetune_lib.data.together import Relation
from finetune_lib.records import Case, Example
from finetune_lib.rows.exchange import as_json, spoken
from finetune_lib.rows.messages import fields_of, items_of
from finetune_lib.texts import fold, jaccard, shingles

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Contamination:
    """A case whose answer a training example tells.

    Attributes:
        case: The case's id.
        question: What it asks.
        training: The place of the training example, as `faq.jsonl:12`.
        training_question: What that one asks; of a dialogue the question that comes nearest.
        similarity: The share of pieces that both questions have in common; 1.0 where they differ in script, width,
            case or punctuation at most.
        reason: How the example tells the answer, in the words of `finetune_lib.relation`.
    """

    case: str
    question: str
    training: str
    training_question: str
    similarity: float
    reason: str = ""

    def __str__(self) -> str:
        how = "equal" if self.similarity == 1 else self.reason or f"{self.similarity:.2f}"
        return f"{self.case}: {short(self.question)!r} ~ {self.training}: {short(self.training_question)!r} ({how})"


def contaminations(
    cases: Sequence[Case], training: Sequence[Example], known: Mapping[int, tuple[int, Relation]]
) -> Iterator[Contamination]:
    """The cases that are known from training by the relation, each with an example that tells its answer.

    Every turn that training learns counts: a question in the middle of a conversation is known as well.
    """
    for place, (one, relation) in known.items():
        case, example = cases[place], training[one]
        asked = [text for role, text in spoken(example).turns if role == "user"] or [example.prompt]
        similarity, said = max(((_similarity(text, case.prompt), text) for text in asked), key=itemgetter(0))
        yield Contamination(case.id, case.prompt, place_name(example.origin), said, similarity, relation.reason)


def _similarity(one: str, other: str) -> float:
    folded = fold(one), fold(other)
    return 1.0 if folded[0] == folded[1] else jaccard(*map(shingles, folded))


@dataclass(frozen=True, slots=True)
class Repeated:
    """Cases that ask the same.

    Attributes:
        cases: Their ids.
        question: What they ask.
        answers: The different right answers; more than one is a contradiction.
    """

    cases: tuple[str, ...]
    question: str
    answers: tuple[str, ...]

    def __str__(self) -> str:
        told = " / ".join(repr(short(answer)) for answer in self.answers) if len(self.answers) > 1 else ""
        return f"{', '.join(self.cases)}: {short(self.question)!r}{': ' if told else ''}{told}"


def repeated(cases: Sequence[Case]) -> Iterator[Repeated]:
    """Groups of cases with the same question under the same instructions, whatever its script, width and case."""
    groups: defaultdict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        groups[tuple(f"{m.role}\n{fold(m.text)}\n{_rest(m.model_dump())}" for m in case.messages)].append(case)
    for group in groups.values():
        if len(group) > 1:
            answers = {
                key: text for case in reversed(group) if (key := _expected(case)[0]) for text in [_expected(case)[1]]
            }
            yield Repeated(tuple(case.id for case in group), group[0].prompt, tuple(reversed(answers.values())))


def _rest(message: Mapping[str, object]) -> str:
    """What a message says beside its text: pictures, calls."""
    parts = [part for part in items_of(message.get("content")) if "text" not in fields_of(part)]
    return as_json([parts, message.get("tool_calls")]) if parts or message.get("tool_calls") else ""


def _expected(case: Case) -> tuple[str, str]:
    """The right answer as it is compared, and as it is shown; both empty where there is none."""
    calls = [f"{call.name}({call.arguments})" for call in case.expected_calls]
    shown = "\n".join([*([case.expected] if case.expected else []), *calls])
    return fold(shown), shown


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"

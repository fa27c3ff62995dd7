"""Cases that ask what another case or the training data asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from finetune_lib.data.diagnostics import place_name
from finetune_lib.records import Case, Example
from finetune_lib.rows.exchange import as_json, texts_of, turns_of
from finetune_lib.rows.messages import INSTRUCTIONS, fields_of, items_of
from finetune_lib.texts import fold
from finetune_lib.texts.neighbours.between import nearest_between

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Contamination:
    """A case and the training example that asks the same, or nearly so.

    Attributes:
        case: The case's id.
        question: What it asks.
        training: The place of the training example, as `faq.jsonl:12`.
        training_question: What that one asks.
        similarity: The share of pieces that both have in common; 1.0 where they differ in script, width, case or
            punctuation at most.
    """

    case: str
    question: str
    training: str
    training_question: str
    similarity: float

    def __str__(self) -> str:
        how = "equal" if self.similarity == 1 else f"{self.similarity:.2f}"
        return f"{self.case}: {short(self.question)!r} ~ {self.training}: {short(self.training_question)!r} ({how})"


def contaminations(cases: Sequence[Case], training: Sequence[Example], *, near: float) -> Iterator[Contamination]:
    """Of each case the nearest training example that is near enough; each pair is verified exactly.

    Every turn that training learns counts: a question in the middle of a conversation is known as well.
    """
    asked = {place: text for place, case in enumerate(cases) if (text := _folded(case))}
    learnt = [(place, text) for place, example in enumerate(training) for text in _learnt(example)]
    held = list(asked)
    pairs = nearest_between([text for _, text in learnt], list(asked.values()), threshold=near)
    for pair in sorted(pairs, key=lambda pair: pair.b):
        case, example = cases[held[pair.b]], training[learnt[pair.a][0]]
        asking = turns_of(example)
        said = asking.question if asking else example.prompt
        yield Contamination(case.id, case.prompt, place_name(example.origin), said, pair.similarity)


def _folded(case: Case) -> str:
    """The conversation of a case in the form in which that of an example is compared."""
    return "\n".join(fold(message.text) for message in case.messages if message.role not in INSTRUCTIONS)


def _learnt(example: Example) -> Iterator[str]:
    """The conversation up to each answer, folded; all of it where there is none, as reinforcement has it."""
    turns = turns_of(example)
    texts = turns.prompt if turns else texts_of(example)
    roles = [message.role for message in example.messages if message.role not in INSTRUCTIONS]
    folded = [fold(text) for text in texts]
    ends = [place for place, role in enumerate(roles[: len(folded)]) if role == "assistant"]
    for end in dict.fromkeys([*ends, len(folded)]):
        if any(folded[:end]):
            yield "\n".join(folded[:end])


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

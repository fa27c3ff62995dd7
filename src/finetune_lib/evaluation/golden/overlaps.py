"""Cases that ask what another case or the training data asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from finetune_lib.data.diagnostics import place_name
from finetune_lib.data.together import Relation
from finetune_lib.data.together.links import asking_alike
from finetune_lib.data.together.wording import plain
from finetune_lib.records import Case, Example, ToolCall
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
        answers: The different right answers to one of the questions; more than one is a contradiction.
        reworded: Whether each asks in words of its own, so that none stands twice.
    """

    cases: tuple[str, ...]
    question: str
    answers: tuple[str, ...]
    reworded: bool = False

    def __str__(self) -> str:
        told = " / ".join(repr(short(answer)) for answer in self.answers) if len(self.answers) > 1 else ""
        return f"{', '.join(self.cases)}: {short(self.question)!r}{': ' if told else ''}{told}"


def repeated(cases: Sequence[Case]) -> Iterator[Repeated]:
    """Groups of cases that ask the same under the same instructions, be it in other words; none without a question."""
    asking = [case for case in cases if case.messages]
    for places in asking_alike(asking):
        group = [asking[place] for place in places]
        questions: defaultdict[tuple[str, ...], list[Case]] = defaultdict(list)
        for case in group:
            questions[tuple(f"{m.role}\n{plain(m.text)}\n{_rest(m.model_dump())}" for m in case.messages)].append(case)
        several = [answers for same in questions.values() if len(answers := _answers(same)) > 1]
        answers = dict.fromkeys(answer for found in several or [_answers(group)[:1]] for answer in found)
        yield Repeated(tuple(case.id for case in group), group[0].prompt, tuple(answers), len(questions) == len(group))


def _answers(cases: Sequence[Case]) -> list[str]:
    """The different right answers as they are shown; those that differ in wording are one, and none is no answer."""
    shown = ["\n".join([c.expected, *map(_called, c.expected_calls)]).strip() for c in cases]
    return list({plain(text): text for text in reversed(shown) if text}.values())[::-1]


def _called(call: ToolCall) -> str:
    return f"{call.name}({call.arguments})"


def grouped(cases: Sequence[Case], groups: Iterable[Repeated]) -> tuple[Case, ...]:
    """The same cases, with one cluster for all that are joined by a cluster of their own or by asking the same."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for case in cases:
        if case.cluster:
            parents[root(f"case {case.id}")] = root(f"cluster {case.cluster}")
    for group in groups:
        for id in group.cases[1:]:
            parents[root(f"case {id}")] = root(f"case {group.cases[0]}")
    names = [root(f"case {case.id}") if f"case {case.id}" in parents else None for case in cases]
    return tuple(replace(case, cluster=name) for case, name in zip(cases, names, strict=True))


def _rest(message: Mapping[str, object]) -> str:
    """What a message says beside its text: pictures, calls."""
    parts = [part for part in items_of(message.get("content")) if "text" not in fields_of(part)]
    return as_json([parts, message.get("tool_calls")]) if parts or message.get("tool_calls") else ""


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"

"""OpenAI's hosted Evals as they were saved: `eval`, `eval.run` and `eval.run.output_item`, in either dialect."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.errors import DataError
from finetune_lib.evaluation.candidates import Recorded
from finetune_lib.evaluation.golden import GoldenSet
from finetune_lib.evaluation.importing.imported import Imported, RecordedScores
from finetune_lib.evaluation.scorers import from_openai
from finetune_lib.evaluation.scorers.scorer import AsksGrader
from finetune_lib.records import Answer, Case, Message, Usage
from finetune_lib.rows.messages import fields_of, is_object, items_of

EVAL, RUN, ITEM = "eval", "eval.run", "eval.run.output_item"
ENDINGS = (".json", ".jsonl", ".ndjson")
COMPARED = frozenset({"string_check", "text_similarity"})
OF_ITEM = re.compile(r"\{\{\s*item\.(\w+)\s*\}\}")
ASKED = ("query", "question", "input", "prompt")
Object = Mapping[str, Any]


def import_evals(path: str | PathLike[str]) -> tuple[Imported, ...]:
    """Hosted Evals that were saved: one value for each eval, and one more where runs asked other questions.

    All JSON and JSONL files of the folder are read, list pages as well as single objects, as `to_dict()` and
    `model_dump()` write them. Case ids are `datasource_item_id`. The right answer is the one field of the row that a
    string check or a text similarity compares the answer with; where there are several, there is none.

    Args:
        path: The folder, or one file that holds all of it.

    Raises:
        DataError: There are no output items, or a file is no JSON; it is named.
    """
    found = _Found()
    where = Path(path)
    files = [where] if where.is_file() else sorted(one for one in where.rglob("*") if one.suffix in ENDINGS)
    for file in files:
        for one in _objects(file):
            found.take(one)
    if not found.items:
        raise DataError(f"{where} holds no {ITEM}: without the saved items there are neither questions nor answers")
    for item in found.items.values():
        run = found.runs.setdefault(str(item.get("run_id")), {"id": item.get("run_id"), "eval_id": item.get("eval_id")})
        found.evals.setdefault(str(run.get("eval_id")), {"id": run.get("eval_id")})
    return tuple(one for told in found.evals.values() for one in _imported(told, found))


@dataclass
class _Found:
    evals: dict[str, Object] = field(default_factory=dict[str, Object])
    runs: dict[str, Object] = field(default_factory=dict[str, Object])
    items: dict[str, Object] = field(default_factory=dict[str, Object])

    def take(self, one: Object) -> None:
        kinds = {EVAL: self.evals, RUN: self.runs, ITEM: self.items}
        if (kind := kinds.get(str(one.get("object")))) is not None and one.get("id"):
            kind[f"{one.get('run_id')} {one['id']}" if kind is self.items else str(one["id"])] = one

    def runs_of(self, id: str) -> list[tuple[Object, list[Object]]]:
        runs = [run for run in self.runs.values() if str(run.get("eval_id")) == id]
        return [(run, [i for i in self.items.values() if str(i.get("run_id")) == str(run["id"])]) for run in runs]


def _objects(file: Path) -> Iterator[Object]:
    text = file.read_text(encoding="utf-8-sig")
    try:
        values = [json.loads(text)]
    except ValueError:
        try:
            values = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            told = "it is what Python prints of an object" if re.match(r"\w+\(", text.lstrip()) else str(error)
            raise DataError(f"{file} is no JSON ({told}): objects are saved by .to_json()") from error
    for value in values:
        yield from _flat(value)


def _flat(value: Any) -> Iterator[Object]:
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _flat(one)
    elif is_object(value):
        one = fields_of(value)
        yield from _flat(one["data"]) if isinstance(one.get("data"), list) else iter([one])


def _imported(told: Object, found: _Found) -> Iterator[Imported]:
    name = str(told.get("name") or told.get("id"))
    runs = [(run, items) for run, items in found.runs_of(str(told.get("id"))) if items]
    for number, group in enumerate(_alike(runs), start=1):
        yield _Eval(told, name if number == 1 else f"{name} ({number})", group).imported()


Run = tuple[Object, list[Object]]


def _alike(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs on the same questions together: other data files count their rows from 0 again."""
    groups: list[tuple[dict[str, Any], list[Run]]] = []
    for run, items in runs:
        asked = {_id(item): item.get("datasource_item") for item in items}
        for known, group in groups:
            if all(known.get(id, row) == row for id, row in asked.items()):
                known |= asked
                group.append((run, items))
                break
        else:
            groups.append((asked, [(run, items)]))
    return [group for _, group in groups]


def _id(item: Object) -> str:
    return str(item.get("datasource_item_id"))


@dataclass
class _Eval:
    told: Object
    name: str
    runs: list[Run]
    notes: list[str] = field(default_factory=list[str])

    def imported(self) -> Imported:
        criteria = [fields_of(one) for one in items_of(self.told.get("testing_criteria"))]
        right = self._right(criteria)
        cases: dict[str, Case] = {}
        for run, items in self.runs:
            self._count(run, items)
            for item in items:
                if _id(item) not in cases and (case := self._case(item, right)):
                    cases[case.id] = case
        free, paid = self._scorers(criteria)
        ordered = sorted(cases.values(), key=lambda case: (not case.id.isdigit(), case.id.zfill(20)))
        return Imported(
            GoldenSet(tuple(ordered), name=self.name),
            scorers=tuple(free),
            paid=tuple(paid),
            candidates=tuple(self._candidates()),
            recorded=tuple(self._recorded(criteria)),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    def _right(self, criteria: Sequence[Object]) -> str | None:
        compared = [str(one.get("reference")) for one in criteria if one.get("type") in COMPARED]
        names = dict.fromkeys(name for text in compared for name in OF_ITEM.findall(text))
        if len(names) == 1:
            return next(iter(names))
        told = f"several fields are compared with ({', '.join(names)})" if names else "no criterion names one"
        self.notes.append(f"no right answers: {told}")
        return None

    def _count(self, run: Object, items: Sequence[Object]) -> None:
        """A page has 20 items: whoever saved one page has no more, and should know."""
        total = fields_of(run.get("result_counts")).get("total")
        if isinstance(total, int) and total != len(items):
            self.notes.append(f"run {run['id']}: {len(items)} of {total} items were saved; the others are missing here")

    def _case(self, item: Object, right: str | None) -> Case | None:
        row = fields_of(item.get("datasource_item"))
        asked = items_of(fields_of(item.get("sample")).get("input"))
        turns = [fields_of(one) for one in asked] or [
            {"role": "user", "content": row[name]} for name in ASKED if isinstance(row.get(name), str)
        ][:1]
        if not turns:
            self.notes.append(f"item {_id(item)}: no question was saved with it")
            return None
        messages = tuple(Message(role=_role(turn), content=_text(turn.get("content"))) for turn in turns)
        value = row.get(right) if right else None
        expected = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        return Case(_id(item), messages, expected, metadata=row)

    def _scorers(self, criteria: Sequence[Object]) -> tuple[list[Any], list[Any]]:
        free: list[Any] = []
        paid: list[Any] = []
        for one in criteria:
            try:
                scorer = from_openai({name: value for name, value in one.items() if name != "id" and value is not None})
            except DataError as error:
                told = " ".join(str(error).split("\n")[1:]).strip() or str(error)
                self.notes.append(
                    f"criterion {one.get('name')} ({one.get('type')}): its scores are kept, not it: {told}"
                )
                continue
            (paid if isinstance(scorer, AsksGrader) else free).append(scorer)
        return free, paid

    def _candidates(self) -> Iterator[Recorded]:
        used: set[str] = set()
        for run, items in self.runs:
            models = dict.fromkeys(fields_of(item.get("sample")).get("model") for item in items)
            name = str(next(filter(None, models), None) or run.get("model") or run.get("name") or run["id"])
            if name in used:
                name = f"{name} ({run.get('name') or run['id']})"
            used.add(name)
            answers = {_id(item): answer for item in items if (answer := _answer(item))}
            if answers:
                yield Recorded(answers, name=name)

    def _recorded(self, criteria: Sequence[Object]) -> Iterator[RecordedScores]:
        scores: defaultdict[str, dict[tuple[str, str], float]] = defaultdict(dict)
        for _, items in self.runs:
            for item in items:
                answer = _answer(item)
                if answer is None or answer.error is not None:
                    continue
                for result in map(fields_of, items_of(item.get("results"))):
                    if isinstance(result.get("score"), int | float):
                        scores[_criterion(str(result.get("name")), criteria)][_id(item), answer.text] = result["score"]
        scales = {str(one.get("name")): items_of(one.get("range")) for one in criteria}
        for name, given in scores.items():
            ends = scales.get(name) or [min(0.0, *given.values()), max(1.0, *given.values())]
            yield RecordedScores(given, name=f"{name} (saved)", range=(float(ends[0]), float(ends[1])))


def _criterion(name: str, criteria: Sequence[Object]) -> str:
    """The criterion of a result, which is called by its name and an id that nothing documents."""
    for one in criteria:
        if name in (one.get("id"), one.get("name")):
            return str(one.get("name"))
    return next((str(one["name"]) for one in criteria if one.get("name") and name.startswith(f"{one['name']}-")), name)


def _role(turn: Object) -> Any:
    return "system" if turn.get("role") == "developer" else turn.get("role") or "user"


def _text(content: Any) -> str:
    """One text, one part, or a list of them."""
    if isinstance(content, list):
        return "\n".join(map(_text, cast("list[Any]", content)))
    return str(fields_of(content).get("text") or "") if is_object(content) else str(content or "")


def _answer(item: Object) -> Answer | None:
    """What was answered; of runs over answers that were there before, what the row has."""
    sample = fields_of(item.get("sample"))
    if not sample:
        text = fields_of(item.get("datasource_item")).get("sample.output_text")
        return Answer(text) if isinstance(text, str) else None
    if error := sample.get("error"):
        return Answer(error=str(fields_of(error).get("message") or error))
    usage = fields_of(sample.get("usage"))
    used = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
    turns = [fields_of(one) for one in items_of(sample.get("output"))]
    text = "\n".join(_text(turn.get("content")) for turn in turns if turn.get("role") in ("assistant", None))
    if item.get("status") == "error" and not text:
        return Answer(error="the run has an error and no answer")
    return Answer(text, usage=used, finish_reason=sample.get("finish_reason"))

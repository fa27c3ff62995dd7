"""`predict`: a table in, the same table with a model's answers out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from finetune_lib.cli.codes import CLEAN, ERRORS, INTERRUPTED
from finetune_lib.cli.reading import STANDARD, Columns, on_disk
from finetune_lib.cli.where import Where, named_model, print_json

if TYPE_CHECKING:
    from finetune_lib.evaluation.candidates import ChatModel
    from finetune_lib.records import Answer, Case

AT_ONCE = 64  # rows under way; the session paces the calls themselves
_HERE = Where()


def predict(
    file: Path,
    /,
    *,
    model: str,
    where: Where = _HERE,
    columns: Columns | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    system: str | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    column: str = "answer",
    temperature: float = 0.0,
    max_tokens: int | None = None,
    budget: float | None = None,
    force: bool = False,
    json: bool = False,
) -> int:
    """Answer each row of a table, and write the same table with the answers.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        model: a model, or the id of the job that made it
        where: the platform
        columns: which column asks, as input=問題
        sheet: of a workbook
        encoding: of a text file, where it cannot be told
        system: the system message of rows that have none; best the one of the training data
        output: the table with the answers (default: FILE.answered.csv, or as FILE ends)
        column: the name of the new column (default: answer)
        temperature: 0 for repeatable answers (default: 0)
        max_tokens: tokens of an answer at most (default: the platform's limit)
        budget: US dollars at most; rows that it does not reach are left without an answer
        force: replace a file that is there
        json: print what was done as one JSON object
    """
    from finetune_lib.concurrency import in_own_loop
    from finetune_lib.data.saving import written as as_its_ending_says
    from finetune_lib.evaluation.candidates import ChatModel

    written = output or _beside(file)
    if written.exists() and not force:
        raise ValueError(f"{written} exists and is left as it is: add --force to replace it, or another --output")
    _ = as_its_ending_says(written, ())  # a kind of file that is not written is refused before a call is paid
    with on_disk(file) as path:
        rows, cases = _read(path, columns, sheet=sheet, encoding=encoding, system=system)
    if taken := next((name for name in (column, f"{column}_error") for row in rows if name in row), None):
        raise ValueError(f"{file.name} has a column {taken!r} already: name the new one with --column")
    platform = where.connect()
    asked = ChatModel(named_model(model, platform), temperature=temperature, max_tokens=max_tokens, platform=platform)
    try:
        answers = in_own_loop(_answers(asked, cases, budget))
    except KeyboardInterrupt:
        print("\nThe answers until now are kept: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    _save(written, rows, answers, column, force=force)
    return _told(written, answers, json=json)


def _beside(file: Path) -> Path:
    """Where the answers go by default: a file of the same kind, as far as it is one that is written."""
    if file == STANDARD:
        return Path("answered.jsonl")
    bare = file.with_suffix("") if file.suffix in {".gz", ".zst"} else file
    ending = bare.suffix.lower() if bare.suffix.lower() in {".csv", ".tsv", ".xlsx", ".json", ".parquet"} else ".jsonl"
    return bare.with_suffix(f".answered{ending}")


def _read(
    path: Path, columns: Mapping[str, str] | None, *, sheet: str | None, encoding: str | None, system: str | None
) -> tuple[list[Mapping[str, Any]], Sequence[Case]]:
    """Each row as it stands, and what it asks."""
    from finetune_lib.data.reading.options import Options
    from finetune_lib.evaluation.golden import GoldenSet
    from finetune_lib.evaluation.golden.rows import read_rows

    cases = GoldenSet.load(path, columns=columns, sheet=sheet, encoding=encoding, system=system)
    found = read_rows(path, Options(encoding, sheet, columns))
    blank = dict.fromkeys(found.names, "")  # cells without a text, in the order of the table
    return [{**blank, **row.data} for row in found.rows], cases.cases


async def _answers(model: ChatModel, cases: Sequence[Case], budget: float | None) -> list[Answer]:
    """What the model says to each case, each kept at once; a call that failed has its reason."""
    from finetune_lib.concurrency import together
    from finetune_lib.errors import FinetuneError
    from finetune_lib.pages.bar import drawing
    from finetune_lib.platforms.asking import NotAskedError, Session, UnreadableAnswerError, within
    from finetune_lib.records import Answer

    answers: dict[str, Answer] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def answer(case: Case, tell: Callable[..., object] | None) -> None:
        async with gate:
            try:
                answers[case.id] = await model(case)
            except (FinetuneError, NotAskedError, UnreadableAnswerError) as error:
                answers[case.id] = Answer(error=str(error))
        if tell:
            tell(len(answers), len(cases))

    with drawing(None, progress=True, title="predict") as tell:
        async with within(Session(platform=model.platform, budget=budget)) as session:
            await session.prepare([model])
            await together(answer(case, tell) for case in cases)
            if session.hopeless and all(said.error for said in answers.values()):
                raise session.hopeless
    return [answers[case.id] for case in cases]


def _save(
    path: Path, rows: Sequence[Mapping[str, Any]], answers: Sequence[Answer], column: str, *, force: bool
) -> None:
    from finetune_lib.data.saving import written as as_its_ending_says
    from finetune_lib.files import write_atomically

    failed = {f"{column}_error"} if any(answer.error for answer in answers) else set[str]()
    more = ({column: a.text, **dict.fromkeys(failed, a.error or "")} for a in answers)
    whole = ({**row, **beside} for row, beside in zip(rows, more, strict=True))
    write_atomically(path, as_its_ending_says(path, whole), overwrite=force)


def _told(path: Path, answers: Sequence[Answer], *, json: bool) -> int:
    failed = [answer for answer in answers if answer.error]
    cut = sum(answer.cut for answer in answers)
    costs = [answer.cost for answer in answers if not answer.error]
    cost = None if None in costs else sum(cost for cost in costs if cost)
    if json:
        told = {"output": str(path), "rows": len(answers), "answered": len(answers) - len(failed), "cut": cut}
        print_json({**told, "cost": cost, "failed": [answer.error for answer in failed]})
    else:
        print(f"{len(answers) - len(failed)} of {len(answers)} rows answered, written to {path}")
    if cut and not json:
        print(f"{cut} answers were cut off by the limit of tokens: raise --max-tokens")
    if failed:
        print(f"finetune-lib: {len(failed)} rows have no answer; the first reason: {failed[0].error}", file=sys.stderr)
        print("The same command with --force asks these alone again; the others are kept.", file=sys.stderr)
    return ERRORS if failed else CLEAN

"""`demo` and `init`: the way in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from string import Template
from typing import get_args

from finetune_lib.cli.choices import Aim, Demo
from finetune_lib.cli.codes import CLEAN, UNUSABLE
from finetune_lib.cli.data import check
from finetune_lib.cli.reading import Columns, Options

QUESTIONS = {
    "file": "Which table or JSONL file has your examples? (Enter takes a sample)",
    "aim": "What shall the model learn: answers, labels or style? (Enter: answers)",
    "model": "Which base? (Enter: tiny, a toy that trains here in seconds)",
}
# What decides whether a candidate is better, by the aim.
SCORERS = {
    "answers": "ft.ChrF()  # how much of the right answer's characters an answer shares; a judge sees the meaning",
    "labels": "ft.ExactMatch()  # the label, and nothing else",
    "style": 'ft.ChrF()  # add judge=ft.PairwiseJudge("MODEL") below: style is nothing that characters show',
}


def demo(name: Demo = "sentiment", /, *, folder: Path = Path()) -> int:
    """Copy sample data here.

    Args:
        name: which one (default: sentiment)
        folder: where to (default: here)
    """
    from finetune_lib.demo import demo_file

    path = demo_file(name, folder=folder)
    print(f"{path}\nlook at it: finetune-lib check {quote(str(path))}")
    return CLEAN


def init(
    file: Path | None = None,
    /,
    *,
    folder: Path = Path("finetune"),
    aim: Aim | None = None,
    model: str | None = None,
    platform: str | None = None,
    system: str | None = None,
    sheet: str | None = None,
    columns: Columns | None = None,
) -> int:
    """Write a small commented project, and check its data.

    Args:
        file: the table or JSONL file with your examples (default: asked at a terminal, else a sample)
        folder: where the project goes (default: finetune)
        aim: what the model shall learn (default: answers)
        model: the base (default: tiny, a toy that trains on this machine in seconds)
        platform: openai, azure, local or an address (default: local for tiny, else as the environment says)
        system: the system message of examples that have none
        sheet: of a workbook
        columns: as prompt=問題,completion=答案
    """
    script = folder / "train.py"
    if script.exists():
        raise ValueError(f"{script} exists and is left as it is: name another --folder")
    asks = sys.stdin.isatty()
    file = file or _path(_asked("file", asks=asks and file is None))
    aim = aim or _aim(_asked("aim", asks=asks))
    model = model or _asked("model", asks=asks) or "tiny"
    if file is None:
        from finetune_lib.demo import demo_file

        file = demo_file("complaints" if aim == "labels" else "airport", folder=folder)
    if not file.is_file():
        raise ValueError(f"there is no file {file}")
    how = {"system": system, "sheet": sheet, "columns": columns}
    _write(script, file, {name: value for name, value in how.items() if value}, aim=aim, model=model, platform=platform)
    print(f"{script} is written; it uses {file}\n")
    code = check(file, options=Options(model=model, system=system, sheet=sheet, columns=columns))
    print(f"\nnext: {'mend what the check says, then ' if code else ''}python {quote(str(script))}")
    return CLEAN if code != UNUSABLE else UNUSABLE


def _asked(question: str, *, asks: bool) -> str:
    if not asks:
        return ""
    print(f"{QUESTIONS[question]} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _aim(text: str) -> Aim:
    if known := next((aim for aim in get_args(Aim) if aim == text), None):
        return known
    if text:
        raise ValueError(f"the aim is {', '.join(get_args(Aim))}, not {text!r}")
    return "answers"


def _write(script: Path, file: Path, how: Mapping[str, object], *, aim: Aim, model: str, platform: str | None) -> None:
    from finetune_lib.files import packaged_text, write_atomically

    where = platform or ("local" if model == "tiny" else None)
    text = Template(packaged_text("finetune_lib.demo", "project.txt")).substitute(
        file=repr(str(file.absolute())),
        how="".join(f", {name}={value!r}" for name, value in how.items()),
        model=repr(model),
        where=repr(where) if where else "",
        scorer=SCORERS[aim],
    )
    write_atomically(script, [text.encode()], overwrite=False)

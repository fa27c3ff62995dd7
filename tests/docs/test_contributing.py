"""What docs/contributing.md tells a newcomer to do is done in a copy of the package, section by section."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs.test_docs import Fence, fences, matches
from tests.files import ROOT

PAGE = ROOT / "docs" / "contributing.md"
PLACE = re.compile(r"# ([\w/-]+\.(?:py|pyi|toml))(?:, (new|at the end))?\n")
OPENED = {
    "A diagnostic": {
        "data/checks/quality/__init__.py",
        "data/diagnostics/codes/Q9_quality.toml",
        "data/diagnostics/codes/examples/Q9_quality.toml",
        "data/diagnostics/codes/zh-Hans/Q9_quality.toml",
        "data/diagnostics/codes/zh-Hant/Q9_quality.toml",
    },
    "A row format": {"data/formats/known.py", "data/formats/nova.py"},
    "A scorer": {"__init__.pyi", "evaluation/scorers/__init__.py", "evaluation/scorers/brevity.py"},
    "A candidate": {"__init__.pyi", "evaluation/candidates/__init__.py", "evaluation/candidates/echo.py"},
    "An augmenter": {"__init__.pyi", "data/augmenters/__init__.py", "data/augmenters/polite.py"},
    "A platform": {"platforms/kinds.py"},
    "A command": {"cli/app.py", "cli/data.py"},
}


@dataclass(frozen=True)
class Section:
    """What a section opens, runs and shows."""

    edits: list[tuple[str, str, str]]  # the file, where in it, the text
    proof: str
    shown: str


def sections() -> dict[str, Section]:
    headings = [
        (line, text[3:].strip()) for line, text in enumerate(PAGE.read_text().splitlines(), 1) if text[:3] == "## "
    ]
    found: dict[str, list[Fence]] = {name: [] for _, name in headings}
    for fence in fences(PAGE):
        found[[name for line, name in headings if line < fence.line][-1]].append(fence)
    return {name: section(blocks) for name, blocks in found.items()}


def section(blocks: list[Fence]) -> Section:
    placed = [(PLACE.match(block.text), block) for block in blocks]
    edits = [(at[1], at[2] or "", block.text[at.end() :]) for at, block in placed if at]
    proofs = [block.text for at, block in placed if not at and block.tag == "{.no-run}"]
    shown = [block.text for at, block in placed if not at and block.language == "text"]
    return Section(edits, proofs[-1], shown[-1])


def hunks(text: str) -> Iterator[tuple[str, str]]:
    """What goes and what comes in its place, of lines that begin with `-` and `+`."""
    for found in re.finditer(r"((?:^-.*\n)+)((?:^\+.*\n)+)", text, re.MULTILINE):
        yield tuple("\n".join(line[2:] for line in part.splitlines()) for part in found.groups())  # pyright: ignore[reportReturnType]


def edit(path: Path, where: str, text: str) -> None:
    if where == "new":
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8")
    if where == "at the end":
        after = f"{before}\n{text}"
    else:
        after = before
        for old, new in hunks(text):
            assert after.count(old) == 1, f"{path.name} has {after.count(old)} of {old}"
            after = after.replace(old, new)
    assert after != before
    path.write_text(after, encoding="utf-8")


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python in a folder whose copy of the package is imported."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "FINETUNE_LIB_HOME": str(folder / "home")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


def test_each_task_of_the_page_is_followed():
    assert sections().keys() == OPENED.keys()


@pytest.mark.parametrize("name", OPENED)
def test_a_newcomer_opens_what_the_page_says_and_no_more(name: str, tmp_path: Path) -> None:
    package = tmp_path / "finetune_lib"
    shutil.copytree(ROOT / "src" / "finetune_lib", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    told = sections()[name]
    for file, where, text in told.edits:
        edit(package / file, where, text)
    assert {file for file, *_ in told.edits} == OPENED[name]
    done = run(told.proof, tmp_path)
    assert done.returncode == 0, done.stderr
    assert matches(done.stdout, told.shown), done.stdout


def test_the_example_of_the_new_finding_is_one(tmp_path: Path) -> None:
    """The suite holds each code's example against the checks; the page's is held so, too."""
    package = tmp_path / "finetune_lib"
    shutil.copytree(ROOT / "src" / "finetune_lib", package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, where, text in sections()["A diagnostic"].edits:
        edit(package / file, where, text)
    code = """
import sys
from pathlib import Path
import finetune_lib as ft
from finetune_lib.data.diagnostics.catalogue import catalogue, code_example
example = code_example("Q999")
for text in (example.failing, example.fixed):
    Path(example.file).write_text(text.lstrip())
    print([(f.origin.line, f.path) for f in ft.Dataset.load(example.file).validate().diagnostics if f.code == "Q999"])
print(all(catalogue(lang)["Q999"].message != catalogue("en")["Q999"].message for lang in ("zh-Hant", "zh-Hans")))
"""
    done = run(code, tmp_path)
    assert done.stdout.splitlines() == ["[(1, '/messages/1/content')]", "[]", "True"], done.stdout + done.stderr

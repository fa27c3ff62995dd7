"""Type checkers see the names as they are: the typed program and the README pass, a misspelt name does not."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.files import ROOT

BIN = Path(sys.executable).parent
MISSPELT = """\
import finetune_lib as ft

platform = ft.connect("local")
evaluator = ft.Evaluatr(scorers=[ft.ExactMatch()])
ft.scorers.ExactMach()
"""
WRONG = [("misspelt.py", 4, "Evaluatr"), ("misspelt.py", 5, "ExactMach")]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "misspelt.py").write_text(MISSPELT)
    (folder / "api.py").write_text((ROOT / "tests/typing/api.py").read_text(encoding="utf-8"), encoding="utf-8")
    code = "\n".join(FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert "ft.Evaluator(" in code
    (folder / "readme.py").write_text(code, encoding="utf-8")
    return folder


def test_mypy_finds_what_is_misspelt_and_nothing_else(programs):
    options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--output=json"]
    command = [BIN / "mypy", *options, f"--cache-dir={programs / 'cache'}", "."]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=programs, env=environment, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found, done.stderr
    assert {(one["file"], one["line"]) for one in found} == {(file, line) for file, line, _ in WRONG}, done.stdout
    assert all(name in done.stdout for _, _, name in WRONG)


def test_pyright_finds_what_is_misspelt_and_nothing_else(programs):
    settings = {"include": ["."], "strict": ["."], "extraPaths": [str(ROOT / "src")], "reportMissingTypeStubs": False}
    (programs / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [BIN / "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    places = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in found}
    assert places == {(file, line) for file, line, _ in WRONG}, done.stdout
    assert all(name in done.stdout for _, _, name in WRONG)

"""The house holds: imports point downward, the root stays light, functions and files stay short."""

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from statistics import median

import grimp
import pytest
from tests.files import ROOT

import finetune_lib

SOURCE = ROOT / "src" / "finetune_lib"
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = ("openai", "torch", "pandas", "rich", "scipy", "numpy", "transformers", "starlette", "pydantic", "tiktoken")
LARGEST_CIRCLE = 3


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_imports_point_downward_only():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_only_a_value_and_its_faces_import_each_other():
    """Types and imports inside functions count; what starts the embedded platform is the one way up."""
    graph = grimp.build_graph("finetune_lib", cache_dir=None)
    graph.remove_import(importer="finetune_lib.platforms.connect", imported="finetune_lib.local")
    circles = {
        frozenset({name} | graph.find_upstream_modules(name) & graph.find_downstream_modules(name))
        for name in graph.modules
    }
    assert not [sorted(circle) for circle in circles if len(circle) > LARGEST_CIRCLE]


def test_importing_the_library_loads_nothing_heavy():
    loaded = python("import sys, finetune_lib; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize(
    "module", ["finetune_lib.local", "finetune_lib.cli", "finetune_lib.jobs.job", "finetune_lib.evaluation.evaluator"]
)
def test_rooms_load_the_training_stack_only_when_used(module):
    loaded = python(f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})").split()
    assert not {"torch", "transformers", "trl", "openai", "scipy", "pandas"} & set(loaded)


def test_each_public_name_is_said_once():
    """The stub says them, to type checkers and to the package, which reads it by lines."""
    tree = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8"))
    said = [(node.module, alias) for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    names = [alias.name for _, alias in said]
    assert names == [alias.asname for _, alias in said]
    assert len(names) == len(set(names))
    assert sorted([*names, "__version__"]) == dir(finetune_lib)
    for home, alias in said:
        given = getattr(finetune_lib, alias.name)
        assert getattr(importlib.import_module(home), alias.name) is given


def test_only_public_names_are_shown_before_and_after_they_are_used():
    shown = "import finetune_lib as ft; before = dir(ft); [getattr(ft, name) for name in before]; "
    assert python(shown + "print(before == dir(ft), len(before) == len(set(before)), 'importlib' in before)") == (
        "True True False\n"
    )
    completed = "import rlcompleter, finetune_lib as ft; c = rlcompleter.Completer({'ft': ft}); "
    found = python(completed + "print(*(c.complete('ft.', n).strip('()') for n in range(len(dir(ft)) - 1)))").split()
    assert found == [f"ft.{name}" for name in finetune_lib.__dir__() if name != "__version__"]


def test_a_star_import_gives_the_classes_and_functions():
    names: dict[str, object] = {}
    exec("from finetune_lib import *", names)  # noqa: S102 - the import is the test
    assert set(names) - {"__builtins__"} == set(finetune_lib.__all__)
    assert {"Dataset", "connect"} <= set(names)
    assert not {"statistics", "local"} & set(names)


def test_what_is_named_at_the_door_can_be_pickled():
    assert pickle.loads(pickle.dumps(finetune_lib.ExactMatch)) is finetune_lib.ExactMatch


def test_the_package_runs_as_the_command_line():
    done = subprocess.run([sys.executable, "-m", "finetune_lib", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "finetune-lib" in done.stdout


def test_an_unknown_name_is_an_ordinary_error():
    with pytest.raises(AttributeError, match="Trainer"):
        finetune_lib.Trainer  # noqa: B018 - the access is the test


def lengths() -> list[int]:
    functions = (
        node
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [code_lines(function) for function in functions]


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = function.body[1:] if documented else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short():
    found = lengths()
    assert median(found) <= 8
    assert sum(length > 30 for length in found) <= len(found) * 0.05


def test_files_are_short():
    """Docstrings are the reference manual: they do not count."""
    sizes = {file.relative_to(SOURCE): lines_of(file) for file in FILES}
    assert median(sizes.values()) <= 120
    assert not {name: size for name, size in sizes.items() if size > 400}


def lines_of(file):
    text = file.read_text(encoding="utf-8")
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented) and ast.get_docstring(node)]
    return len(text.splitlines()) - sum(node.body[0].end_lineno - node.body[0].lineno + 1 for node in nodes)

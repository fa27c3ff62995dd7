"""OpenAI's `python` grader: a function of your own, in a process of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import ClassVar

from finetune_lib.evaluation.scorers.graders.sandbox import Sandbox
from finetune_lib.evaluation.scorers.graders.templates import Material
from finetune_lib.records import Answer, Case, Score

LARGEST = 256 * 1024  # bytes; OpenAI's limit for a source
TIMEOUT = 120.0  # seconds; OpenAI's limit for a call


@dataclass(frozen=True)
class PythonGrader:
    """What the function `grade(sample, item)` of a Python source gives.

    The source runs in a process of its own with your interpreter and its packages, an empty environment, an empty
    folder, and what it prints thrown away. One process serves all calls, one after another, so that what the source
    keeps in global variables lasts. A call has `timeout` seconds, 2 GiB of memory and files of at most 16 MiB (the
    last two where the operating system limits processes: not on Windows, memory not on macOS).

    What it protects from: endless loops, memory without end, a grader that reaches for the network, starts programs,
    changes your files or reads your keys from the environment. The network is cut off by a namespace of its own where
    Linux allows that; there and elsewhere, sockets, programs and files outside its folder and Python's own are refused
    by Python's audit hooks. What it does not protect from: code that was written to break out. Audit hooks can be
    passed by native code, and the process runs as you. Run graders that you do not trust in a container or a virtual
    machine.

    Raises:
        ValueError: When called: `grade` raised an error or gave no finite number; the score is missing.
        TimeoutError: When called: it took too long.
        RuntimeError: When called: its process ended.
    """

    whole_answer: ClassVar[bool] = True

    source: str
    _: KW_ONLY
    timeout: float = TIMEOUT
    name: str = "python"

    def __call__(self, answer: Answer | str, case: Case, /) -> Score:
        """Score one answer."""
        material = Material.of(answer, case)
        return Score(self._sandbox.grade(material.sample, material.item))

    @cached_property
    def _sandbox(self) -> Sandbox:
        return Sandbox(self.source, seconds=self.timeout)


def problems(source: str) -> Iterator[str]:
    """What keeps a source from being a grader."""
    if len(source.encode("utf-8", "replace")) > LARGEST:
        yield f"it is larger than {LARGEST // 1024} KiB"
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        yield f"it is no Python: {getattr(error, 'msg', None) or error}{place}"
        return
    if not any(_is_grade(node) for node in tree.body):
        yield "it has no function grade(sample, item) at its top level"


def _is_grade(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == "grade"
    targets = node.targets if isinstance(node, ast.Assign) else []
    imported = node.names if isinstance(node, ast.ImportFrom) else []
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return "grade" in (*names, *(alias.asname or alias.name for alias in imported))

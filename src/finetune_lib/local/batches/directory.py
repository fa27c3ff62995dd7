"""A batch as a directory, as long as it is open.

input.jsonl     the requests, copied: who deletes the file harms no batch
answers.jsonl   one whole line for each answered request, on the disk before the next is asked
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.local.batches.requests import parsed
from finetune_lib.local.objects import Object


@dataclass(frozen=True, slots=True)
class BatchDirectory:
    """The directory of one batch."""

    path: Path

    @property
    def input(self) -> Path:
        """The requests."""
        return self.path / "input.jsonl"

    @property
    def _answers(self) -> Path:
        return self.path / "answers.jsonl"

    def accept(self, blob: Path) -> None:
        """Copy the input."""
        self.path.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blob, self.input)

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests of an input that was found right."""
        with self.input.open("rb") as file:
            yield from (request for line in file if (request := parsed(line)))

    def append(self, answer: Object) -> None:
        """Keep an answer for good."""
        with self._answers.open("ab") as file:
            file.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def repair(self) -> None:
        """Cut the half line of a killed server or a full disk."""
        if self._answers.exists():
            with self._answers.open("r+b") as file:
                file.truncate(sum(len(line) for line in file if line.endswith(b"\n")))

    def answers(self) -> Iterator[tuple[bytes, Object]]:
        """The answers so far: each line, and what it says."""
        if self._answers.exists():
            with self._answers.open("rb") as file:
                yield from ((line, json.loads(line)) for line in file)

    def remove(self) -> None:
        """Nothing here is needed any more."""
        shutil.rmtree(self.path, ignore_errors=True)

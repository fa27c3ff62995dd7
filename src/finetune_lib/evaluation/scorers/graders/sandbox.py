"""A process of its own for a Python grader, kept warm for many calls."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")
MEMORY = 2 * 1024**3  # bytes of address space, as OpenAI's graders have
FILE = 16 * 1024**2  # bytes of the largest file that may be written
LONGEST_REPLY = 8192
# More threads than one would each reserve memory of their own; Windows needs its system folder.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
INHERITED = ("SYSTEMROOT",)


class Sandbox:
    """Runs the `grade` function of a source; one call at a time, in a process that ends with this object.

    Args:
        source: The Python source.
        seconds: What one call may take, and the import of the source together with the first one.
    """

    def __init__(self, source: str, *, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def grade(self, sample: Mapping[str, Any], item: Mapping[str, Any]) -> float:
        """The score that the function gives.

        Raises:
            ValueError: It raised an error or gave no number.
            TimeoutError: It took too long; the next call has a new process.
            RuntimeError: Its process ended, as for want of memory.
        """
        line = json.dumps({"sample": sample, "item": item}, default=str).encode()
        with self._lock:
            self._child = self._child or _Child(self._source, seconds=self._seconds)
            try:
                reply = self._child.ask(line)
            except BaseException:
                self._child.end()
                self._child = None
                raise
        if "error" in reply:
            raise ValueError(f"the grader failed: {reply['error']}")
        return reply["value"]


class _Child:
    """The process and its folder; both go with it."""

    def __init__(self, source: str, *, seconds: float) -> None:
        self._seconds = seconds
        folder = tempfile.TemporaryDirectory(prefix="finetune_lib-grader-", ignore_cleanup_errors=True)
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", "-X", "utf8", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder.name,
            env={**inherited, **ENVIRONMENT},
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _end, self._process, folder)
        settings = {"source": source, "memory": MEMORY, "file": FILE, "seconds": seconds}
        with contextlib.suppress(BrokenPipeError):  # `ask` tells
            self._write(json.dumps(settings).encode())

    def ask(self, line: bytes) -> dict[str, Any]:
        """The reply to one call; the process is killed when time is up, which ends the waiting."""
        late = threading.Event()
        timer = threading.Timer(self._seconds, _stop, [self._process, late])
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                self._write(line)
            reply = self._process.stdout.readline(LONGEST_REPLY) if self._process.stdout else b""
        finally:
            timer.cancel()
        if reply.endswith(b"\n"):
            return json.loads(reply)
        if late.is_set():
            raise TimeoutError(f"the grader took more than {self._seconds:g} s")
        raise RuntimeError("the grader's process ended: it left, was killed, or ran out of memory")

    def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        if stdin:
            stdin.write(line + b"\n")
            stdin.flush()


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process, and on POSIX whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    _kill(process)
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream:
                stream.close()
    folder.cleanup()

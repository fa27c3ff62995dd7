"""The process that runs a Python grader: it reads one call a line and writes one reply a line.

It is started by its path, in isolated mode, and imports nothing of the package: only what it needs is in its memory.
"""

import contextlib
import ctypes
import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST_ERROR = 500
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # of Linux's unshare(2)
# Audit events (PEP 578) of what a grader has no business with; a socket tells by the beginning of the name.
REFUSED = ("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.kill", "socket.")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.truncate", "os.chmod", "os.link", "os.symlink", "os.mkdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what the grader prints is nobody's
        os.dup2(nothing, stream)
    settings = json.loads(calls.readline())
    limit(settings)
    without_network()
    guard(os.path.realpath(Path.cwd()))
    known: dict[str, Any] = {"__name__": "grader"}
    reply = run(lambda: exec(compile(settings["source"], "grader", "exec"), known))  # noqa: S102
    while line := calls.readline():
        if "error" not in reply:
            call = json.loads(line)
            spend(settings["seconds"])
            replies.write(said(run(lambda: known["grade"](call["sample"], call["item"]))))  # noqa: B023
        else:
            replies.write(said(reply))
        replies.flush()


def run(work: Callable[[], Any]) -> dict[str, Any]:
    """The value of some work, or the error that it ended in."""
    try:
        return {"value": work()}
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too, are the grader's
        places = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "grader"]
        place = f" (line {places[-1]})" if places else ""
        return {"error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR] + place}


def said(reply: dict[str, Any]) -> bytes:
    """A reply as a line; a value that is no finite number is an error."""
    if "error" not in reply:
        try:
            number = float(reply["value"])
            if isinstance(reply["value"], str) or not math.isfinite(number):
                raise ValueError
            reply = {"value": number}
        except (TypeError, ValueError, OverflowError):
            shown = f"{reply['value']!r}"[:LONGEST_ERROR]
            reply = {"error": f"grade gives a finite number, not {shown}"}
    return json.dumps(reply).encode() + b"\n"


def limit(settings: dict[str, Any]) -> None:
    """What the operating system holds the process to; Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    limits: dict[str, int] = {"AS": settings["memory"], "FSIZE": settings["file"], "NOFILE": 64, "CORE": 0}
    for name, most in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def spend(seconds: float) -> None:
    """Processor time for one call: a grader whose parent was killed does not run for ever."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used + seconds) + 1, hard))


def without_network() -> None:
    """A network namespace of its own, where Linux gives one to everybody: nothing is reachable from it."""
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)


def guard(folder: str) -> None:
    """Refuse what a grader has no business with, as far as Python itself does it."""
    readable = tuple({os.path.realpath(path) for path in (*sys.path, sys.prefix, sys.base_prefix) if path})
    devices = (os.devnull, "/dev/urandom", "/usr/share/zoneinfo")

    def inside(path: Any, roots: tuple[str, ...]) -> bool:
        full = os.path.realpath(os.fsdecode(path))
        return any(full == root or full.startswith(root + os.sep) for root in roots)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(REFUSED):
            raise PermissionError(f"a grader may not use {event}")
        if event == "open" and not isinstance(args[0], int) and args[0] is not None:
            writing = isinstance(args[2], int) and args[2] & WRITING
            if not inside(args[0], (folder, os.devnull) if writing else (folder, *devices, *readable)):
                raise PermissionError(f"a grader may not open {os.fsdecode(args[0])}")
        if event.startswith(CHANGES) and not inside(args[0], (folder,)):
            raise PermissionError(f"a grader may not use {event} outside its own folder")

    sys.addaudithook(hook)


if __name__ == "__main__":
    main()

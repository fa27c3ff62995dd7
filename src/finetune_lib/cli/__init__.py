"""The command line: thin over the library.

Exit codes: 0 clean, 1 errors in the data, a claim that is not shown or a job that failed, 2 wrong usage, an unreadable
file or a platform that refuses; 130 after Ctrl-C, and 141 where the reader of a pipe left before all was said.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper

from finetune_lib.cli.codes import CLOSED, INTERRUPTED, PROBLEMS, UNUSABLE
from finetune_lib.extras import require


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal of another encoding shows escapes, never a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        require("cyclopts", extra="cli", feature="The command line")
        from finetune_lib.cli.app import run

        with warnings.catch_warnings():
            warnings.showwarning = _warned
            code = run(sys.argv[1:] if arguments is None else arguments)
        print(end="", flush=True)  # a pipe that is closed is met here, not at the end of the process
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except PROBLEMS as error:
        print(f"finetune-lib: {error}", file=sys.stderr)
        return UNUSABLE
    return code


def _warned(message: Warning | str, *_: object) -> None:
    """A warning as one line, in words of the shell."""
    print(f"finetune-lib: {message}".replace("allow_duplicate=True", "--allow-duplicate"), file=sys.stderr)

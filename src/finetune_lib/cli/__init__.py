"""The command line: thin over the library.

Exit codes: 0 clean, 1 errors in the data or a claim that is not shown, 2 wrong usage or an unreadable file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from finetune_lib.cli.codes import CLEAN, UNUSABLE
from finetune_lib.cli.data import add_check, add_explain, add_fix
from finetune_lib.cli.evaluation import add_compare, add_review
from finetune_lib.cli.serving import add_serve
from finetune_lib.errors import FinetuneError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal of another encoding shows escapes, never a traceback
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except (FinetuneError, ValueError, OSError, OverflowError) as error:
        print(f"finetune-lib: {error}", file=sys.stderr)
        return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="finetune-lib", description="Fine-tune language models, and prove that it helped."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_check(commands.add_parser("check", help="find every problem of a training file"))
    add_fix(commands.add_parser("fix", help="write a mended copy of a training file"))
    add_explain(commands.add_parser("explain", help="what a code of a finding means, with an example"))
    add_compare(commands.add_parser("compare", help="show the report of an evaluation, and test a claim on it"))
    add_review(commands.add_parser("review", help="serve a page for experts, and keep their votes"))
    add_serve(commands.add_parser("serve", help="run the local platform"))
    return parser

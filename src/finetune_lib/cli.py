"""The command line: thin over the library.

Exit codes: 0 clean, 1 errors in the data, 2 wrong usage or an unreadable file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from finetune_lib.diagnostics import ValidationReport
from finetune_lib.errors import FinetuneError, ReadError

CLEAN, ERRORS, UNUSABLE = 0, 1, 2


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
    _add_check(commands.add_parser("check", help="find every problem of a training file"))
    _add_serve(commands.add_parser("serve", help="run the local platform"))
    return parser


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="JSONL, JSON, CSV or Excel")
    parser.add_argument("--target", choices=["openai", "compatible", "local"], help="whose rules (default: openai)")
    parser.add_argument("--method", choices=["supervised", "dpo", "reinforcement"], default="supervised")
    parser.add_argument("--model", help="count this model's tokens and check its limits")
    parser.add_argument("--columns", type=_columns, metavar="FIELD=NAME,…", help="as prompt=問題,completion=答案")
    parser.add_argument("--system", help="the system message of examples that have none; turns pairs into chats")
    parser.add_argument("--encoding", default="utf-8", help="of a text file (default: utf-8)")
    parser.add_argument("--sheet", help="of a workbook")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_check)


def _columns(text: str) -> dict[str, str]:
    """From `prompt=問題,completion=答案` to a mapping."""
    try:
        return dict(pair.split("=", 1) for pair in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"write it as prompt=問題,completion=答案, not {text!r}") from error


def _check(options: argparse.Namespace) -> int:
    report = _report(options)
    print(report.to_json() if options.json else report)
    return CLEAN if report.ok else ERRORS


def _report(options: argparse.Namespace) -> ValidationReport:
    """The report; a file that is readable but no dataset has one with that finding alone."""
    from finetune_lib.dataset import Dataset

    try:
        data = Dataset.load(
            options.file,
            system=options.system,
            columns=options.columns,
            sheet=options.sheet,
            encoding=options.encoding,
        )
    except ReadError as error:
        if error.diagnostic is None:
            raise
        return ValidationReport(options.file.name, 0, (error.diagnostic,))
    return data.validate(model=options.model, target=options.target, method=options.method)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", type=Path, help="folder of files, jobs and models (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--token", help="what clients must send (default: FINETUNE_LIB_TOKEN, else a random one)")
    parser.add_argument("--until-idle", action="store_true", help="stop after 15 minutes without a job or a call")
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from finetune_lib.local.connection import home, require_platform

    require_platform()
    from finetune_lib.local.server import serve

    token = cast("str | None", options.token or os.environ.get("FINETUNE_LIB_TOKEN"))
    root = (options.root or home()).absolute()
    serve(root, host=options.host, port=options.port, token=token, until_idle=options.until_idle)
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())

"""The command line: thin over the library.

Exit codes: 0 clean, 1 errors in the data, 2 wrong usage or an unreadable file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from finetune_lib.checks.rules import Target
from finetune_lib.diagnostics import Language, ValidationReport, counted, explain
from finetune_lib.errors import FinetuneError, ReadError
from finetune_lib.records import Method

if TYPE_CHECKING:
    from finetune_lib.dataset import Dataset

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
    _add_fix(commands.add_parser("fix", help="write a mended copy of a training file"))
    _add_explain(commands.add_parser("explain", help="what a code of a finding means, with an example"))
    _add_serve(commands.add_parser("serve", help="run the local platform"))
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    """What tells how a file is read, and whose rules it is held against."""
    parser.add_argument("file", type=Path, help="JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst")
    parser.add_argument(
        "--target", choices=get_args(Target), help="whose rules (default: the model's platform, or openai)"
    )
    parser.add_argument("--method", choices=get_args(Method), default="supervised")
    parser.add_argument("--model", help="count this model's tokens and check its limits")
    parser.add_argument("--columns", type=_columns, metavar="FIELD=NAME,…", help="as prompt=問題,completion=答案")
    parser.add_argument("--system", help="the system message of examples that have none; turns pairs into chats")
    parser.add_argument("--encoding", help="of a text file, where it cannot be told")
    parser.add_argument("--sheet", help="of a workbook")


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="CODE", help="do not report it; may be repeated"
    )
    parser.add_argument("--lang", choices=get_args(Language), help="language of the messages (default: the locale's)")
    parser.add_argument("--baseline", type=Path, help="an earlier --json output: report only what is new since")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print one JSON object")
    form.add_argument("--sarif", dest="form", action="store_const", const="sarif", help="print SARIF 2.1.0")
    form.add_argument("--html", dest="form", action="store_const", const="html", help="print a page")
    form.add_argument("--diff", dest="form", action="store_const", const="diff", help="print what `fix` would change")
    parser.set_defaults(run=_check)


def _add_fix(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("-o", "--output", type=Path, help="the mended file (default: FILE.fixed.jsonl)")
    parser.add_argument("--unsafe", action="store_true", help="also drop what stays wrong and merge exact copies")
    parser.set_defaults(run=_fix)


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="as J202 or curly-quotes")
    parser.add_argument("--lang", choices=get_args(Language))
    parser.set_defaults(run=_explain)


def _columns(text: str) -> dict[str, str]:
    """From `prompt=問題,completion=答案` to a mapping."""
    try:
        return dict(pair.split("=", 1) for pair in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"write it as prompt=問題,completion=答案, not {text!r}") from error


def _check(options: argparse.Namespace) -> int:
    report = _report(options)
    if options.baseline:
        report = replace(report, diagnostics=report.new_since(options.baseline), tally={})
    print(_formatted(report, options))
    return CLEAN if report.ok else ERRORS


def _formatted(report: ValidationReport, options: argparse.Namespace) -> str:
    match options.form:
        case "json":
            return report.to_json(lang=options.lang)
        case "sarif":
            return report.to_sarif()
        case "html":
            return report.to_html(lang=options.lang)
        case "diff":
            return report.diff().rstrip("\n") or f"{report.source}: nothing to fix"
        case _:
            return report.text(lang=options.lang, color=sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def _load(options: argparse.Namespace) -> Dataset:
    from finetune_lib.dataset import Dataset

    return Dataset.load(
        options.file, system=options.system, columns=options.columns, sheet=options.sheet, encoding=options.encoding
    )


def _report(options: argparse.Namespace) -> ValidationReport:
    """The report; a file that is readable but no dataset has one with that finding alone."""
    try:
        data = _load(options)
    except ReadError as error:
        if error.diagnostic is None:
            raise
        return ValidationReport(options.file.name, 0, (error.diagnostic,))
    return data.validate(model=options.model, target=options.target, method=options.method, ignore=options.ignore)


def _fix(options: argparse.Namespace) -> int:
    output = options.output or options.file.with_suffix(".fixed.jsonl")
    rejects = output.with_suffix(".rejects.jsonl") if options.unsafe else None
    rules = {"model": options.model, "target": options.target, "method": options.method}
    data = _load(options).fix(safe_only=not options.unsafe, rejects=rejects, **rules)
    print(data.account)
    data.save(output)
    told = f", left out rows in {rejects}" if data.account.dropped else ""
    print(f"{counted(len(data.changes), 'row')} mended; wrote {output}{told}")
    report = data.validate(**rules, content=False)
    if not report.ok:
        print(f"{counted(report.count('error'), 'error')} left: run finetune-lib check {output}, or fix with --unsafe")
    return CLEAN if report.ok else ERRORS


def _explain(options: argparse.Namespace) -> int:
    print(explain(options.code, lang=options.lang))
    return CLEAN


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

"""`check`, `fix` and `explain`: training files."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.data.checks.rules import Target
from finetune_lib.data.diagnostics import ValidationReport, counted, explain
from finetune_lib.data.reading import ReadError
from finetune_lib.records import Method
from finetune_lib.texts.languages import Language

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset


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


def add_check(parser: argparse.ArgumentParser) -> None:
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


def add_fix(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("-o", "--output", type=Path, help="the mended file (default: FILE.fixed.jsonl)")
    parser.add_argument("--unsafe", action="store_true", help="also drop what stays wrong and merge exact copies")
    parser.set_defaults(run=_fix)


def add_explain(parser: argparse.ArgumentParser) -> None:
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
    from finetune_lib.data.dataset import Dataset

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

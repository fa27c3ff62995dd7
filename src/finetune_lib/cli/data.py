"""`check` and `explain`: what is wrong with training files."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter, validators

from finetune_lib.cli.choices import Language
from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.reading import STANDARD, Options, each

if TYPE_CHECKING:
    from finetune_lib.data.diagnostics import Severity, ValidationReport
    from finetune_lib.records import Origin

_ONE_FORM = Group(validator=validators.MutuallyExclusive())
_DEFAULTS = Options()


def check(
    file: Path,
    /,
    *files: Path,
    options: Options = _DEFAULTS,
    ignore: Annotated[Sequence[str], Parameter(metavar="CODE")] = (),
    near: bool = False,
    baseline: Path | None = None,
    mark: Path | None = None,
    json: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    sarif: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    html: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    diff: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
) -> int:
    """Find every problem of training files.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        files: more of them
        options: how they are read, and whose rules count
        ignore: do not report it; may be repeated
        near: look for near duplicates in large files, too
        baseline: an earlier --json output: report only what is new since
        mark: write a copy of the workbook there, with each finding as a note in its cell
        json: print one JSON object
        sarif: print SARIF 2.1.0
        html: print a page
        diff: print what `fix` would change
    """
    from finetune_lib.data.diagnostics import known_codes

    known_codes(ignore)
    if (baseline or mark) and files:
        raise ValueError("--baseline and --mark are about one file: give one file")
    reports: list[ValidationReport] = []

    def look(named: Path, path: Path) -> int:
        report = _report(path, options, ignore, near=near)
        if baseline:
            report = replace(report, diagnostics=report.new_since(baseline), tally={})
        if mark:
            report.mark(path, output=mark, lang=options.lang)
        if diff:
            print(report.diff().rstrip("\n") or f"{report.source}: nothing to fix")
        elif json or sarif or html:
            reports.append(_at(report, named.as_posix()) if named != STANDARD and sarif else report)
        else:
            print(report.text(lang=options.lang, color=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
        return CLEAN if report.ok else ERRORS

    code = each((file, *files), look)
    if reports:
        print(_in_form(reports, options.lang, json=json, sarif=sarif))
    return code


def _in_form(reports: Sequence[ValidationReport], lang: Language | None, *, json: bool, sarif: bool) -> str:
    if json:
        return _json(reports, lang)
    report = _together(reports)
    return report.to_sarif(lang=lang) if sarif else report.to_html(lang=lang)


def _report(file: Path, options: Options, ignore: Sequence[str], *, near: bool) -> ValidationReport:
    """The report; a file that is readable but no dataset has one with that finding alone."""
    from finetune_lib.data.diagnostics import InvalidDatasetError

    try:
        data = options.load(file)
    except InvalidDatasetError as error:
        return error.report
    model, target, method = options.model, options.target, options.method
    report = data.validate(model=model, target=target, method=method, ignore=ignore, near=near or None)
    return report.for_shell()


def _json(reports: Sequence[ValidationReport], lang: Language | None) -> str:
    """The report, or several with their files; characters that the terminal lacks stand as JSON's own escapes."""
    from finetune_lib.files import json_text

    told: list[dict[str, Any]] = [report.to_dict(lang=lang) for report in reports]
    if len(told) > 1:
        files = [{"file": report.source, **one} for report, one in zip(reports, told, strict=True)]
        told = [{"ok": all(report.ok for report in reports), "files": files}]
    return json_text(told[0], encoding=sys.stdout.encoding or "utf-8")


def _together(reports: Sequence[ValidationReport]) -> ValidationReport:
    """What was found in all files, as one report."""
    tally: Counter[tuple[str, Severity]] = Counter()
    for report in reports:
        tally.update(report.tally)
    return replace(
        reports[0],
        source=", ".join(report.source for report in reports),
        examples=sum(report.examples for report in reports),
        diagnostics=tuple(found for report in reports for found in report.diagnostics),
        tokens=reports[0].tokens if len(reports) == 1 else None,
        tally=tally,
    )


def _at(report: ValidationReport, path: str) -> ValidationReport:
    """The report with the path of its file as the command named it, by which code hosts find it."""

    def placed(origin: Origin) -> Origin:
        return replace(origin, source=path) if origin.source == report.source else origin

    found = (replace(d, origin=placed(d.origin), related=tuple(map(placed, d.related))) for d in report.diagnostics)
    return replace(report, source=path, diagnostics=tuple(found))


def explain(code: str | None = None, /, *, lang: Language | None = None, json: bool = False) -> int:
    """What a code of a finding means, with an example; without a code, all of them.

    Args:
        code: as J202 or curly-quotes
        lang: language of the text (default: the locale's)
        json: print what the catalogue says, as JSON
    """
    from finetune_lib.data.diagnostics.catalogue import catalogue
    from finetune_lib.data.diagnostics.explaining import code_of, explanation, plain
    from finetune_lib.files import json_text
    from finetune_lib.pages.wording import chosen

    lang = chosen(lang)
    if not json and code:
        print(explanation(code, lang=lang, at_shell=True))
        return CLEAN
    found = [code_of(code, lang)] if code else catalogue(lang).values()
    if json:
        told = [{"code": c.code, "slug": c.slug, "severity": c.severity, "message": plain(c.message)} for c in found]
        print(json_text(told[0] if code else told, encoding=sys.stdout.encoding or "utf-8"))
    else:
        print("\n".join(f"{one.code}  {one.severity:<7}  {one.slug:<34}  {plain(one.message)}" for one in found))
    return CLEAN

"""`check`, `fix` and `explain`: training files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter, Token, validators

from finetune_lib.cli.choices import Language, Method, Target
from finetune_lib.cli.codes import CLEAN, ERRORS

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset
    from finetune_lib.data.diagnostics import ValidationReport

_ONE_FORM = Group(validator=validators.MutuallyExclusive())


def _columns(_: object, tokens: Sequence[Token]) -> dict[str, str]:
    """From `prompt=問題,completion=答案` to a mapping."""
    text = tokens[0].value
    try:
        return dict(pair.split("=", 1) for pair in text.split(","))
    except ValueError as error:
        raise ValueError(f"write it as prompt=問題,completion=答案, not {text!r}") from error


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """What tells how a file is read, and whose rules it is held against.

    Attributes:
        target: whose rules (default: the model's platform, or openai)
        method: the training method that the data is for (default: supervised)
        model: count this model's tokens and check its limits
        columns: as prompt=問題,completion=答案
        system: the system message of examples that have none; turns pairs into chats
        encoding: of a text file, where it cannot be told
        sheet: of a workbook
    """

    target: Target | None = None
    method: Method = "supervised"
    model: str | None = None
    columns: Annotated[
        dict[str, str] | None,
        Parameter(converter=_columns, n_tokens=1, accepts_keys=False, metavar="FIELD=NAME,…"),
    ] = None
    system: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def load(self, file: Path) -> Dataset:
        from finetune_lib.data.dataset import Dataset

        return Dataset.load(file, system=self.system, columns=self.columns, sheet=self.sheet, encoding=self.encoding)


_DEFAULTS = Options()


def check(
    file: Path,
    /,
    *,
    options: Options = _DEFAULTS,
    ignore: Annotated[Sequence[str], Parameter(metavar="CODE")] = (),
    lang: Language | None = None,
    baseline: Path | None = None,
    json: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    sarif: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    html: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    diff: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
) -> int:
    """Find every problem of a training file.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst
        options: how it is read, and whose rules count
        ignore: do not report it; may be repeated
        lang: language of the messages (default: the locale's)
        baseline: an earlier --json output: report only what is new since
        json: print one JSON object
        sarif: print SARIF 2.1.0
        html: print a page
        diff: print what `fix` would change
    """
    report = _report(file, options, ignore)
    if baseline:
        report = replace(report, diagnostics=report.new_since(baseline), tally={})
    if json:
        print(report.to_json(lang=lang))
    elif sarif:
        print(report.to_sarif())
    elif html:
        print(report.to_html(lang=lang))
    elif diff:
        print(report.diff().rstrip("\n") or f"{report.source}: nothing to fix")
    else:
        print(report.text(lang=lang, color=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    return CLEAN if report.ok else ERRORS


def _report(file: Path, options: Options, ignore: Sequence[str]) -> ValidationReport:
    """The report; a file that is readable but no dataset has one with that finding alone."""
    from finetune_lib.data.diagnostics import ValidationReport
    from finetune_lib.data.reading import ReadError

    try:
        data = options.load(file)
    except ReadError as error:
        if error.diagnostic is None:
            raise
        return ValidationReport(file.name, 0, (error.diagnostic,))
    return data.validate(model=options.model, target=options.target, method=options.method, ignore=ignore)


def fix(
    file: Path,
    /,
    *,
    options: Options = _DEFAULTS,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    unsafe: bool = False,
) -> int:
    """Write a mended copy of a training file.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst
        options: how it is read, and whose rules count
        output: the mended file (default: FILE.fixed.jsonl)
        unsafe: also drop what stays wrong and merge exact copies
    """
    from finetune_lib.data.diagnostics import counted

    output = output or file.with_suffix(".fixed.jsonl")
    rejects = output.with_suffix(".rejects.jsonl") if unsafe else None
    model, target, method = options.model, options.target, options.method
    data = options.load(file)
    data = data.fix(safe_only=not unsafe, rejects=rejects, model=model, target=target, method=method)
    print(data.account)
    data.save(output)
    told = f", left out rows in {rejects}" if data.account.dropped else ""
    print(f"{counted(len(data.changes), 'row')} mended; wrote {output}{told}")
    report = data.validate(model=model, target=target, method=method, content=False)
    if not report.ok:
        print(f"{counted(report.count('error'), 'error')} left: run finetune-lib check {output}, or fix with --unsafe")
    return CLEAN if report.ok else ERRORS


def explain(code: str, /, *, lang: Language | None = None) -> int:
    """What a code of a finding means, with an example.

    Args:
        code: as J202 or curly-quotes
        lang: language of the text (default: the locale's)
    """
    from finetune_lib.data.diagnostics import explain as explanation

    print(explanation(code, lang=lang))
    return CLEAN

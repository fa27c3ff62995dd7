"""`fix`: mended copies of training files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.reading import STANDARD, Options, each
from finetune_lib.cli.where import print_json

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset
    from finetune_lib.data.diagnostics import ValidationReport

_DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the mended rows go, and those that were left out."""

    mended: Path
    rejects: Path | None
    force: bool

    def require(self, *, rejects: bool) -> None:
        """Refuse before anything is read, where something could not be written."""
        if rejects and not self.rejects:
            raise ValueError("rows that --unsafe leaves out need a place: add --rejects FILE, or --output FILE")
        for path in (self.mended, self.rejects if rejects else None):
            if path and path != STANDARD and path.exists() and not self.force:
                raise ValueError(f"{path} exists and is left as it is: add --force to replace it, or another --output")

    def write(self, data: Dataset, fixed: Dataset) -> None:
        """Both files, or neither; the one for rejects only where there are some."""
        from finetune_lib.data.fixing.fixing import rejects
        from finetune_lib.files import write_atomically

        kept = self.rejects if fixed.rejected else None
        if kept:
            write_atomically(kept, rejects(fixed.rejected), overwrite=self.force)
        try:
            if self.mended == STANDARD:
                sys.stdout.buffer.writelines(data.lines())
            else:
                data.save(self.mended, overwrite=self.force)
        except BaseException:
            if kept:
                kept.unlink(missing_ok=True)
            raise


def fix(
    file: Path,
    /,
    *files: Path,
    options: Options = _DEFAULTS,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    rejects: Path | None = None,
    unsafe: bool = False,
    redact: bool = False,
    force: bool = False,
    json: bool = False,
) -> int:
    """Write a mended copy of training files.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        files: more of them
        options: how they are read, and whose rules count
        output: the mended file, - for standard output (default: FILE.fixed.jsonl, of standard input -)
        rejects: the rows that --unsafe leaves out (default: OUTPUT.rejects.jsonl)
        unsafe: also drop what stays wrong and merge exact copies
        redact: put placeholders in the place of personal data and secrets
        force: replace files that are there
        json: print a JSON array of what was done to each file
    """
    if files and (output or rejects):
        raise ValueError("--output and --rejects name one file: give one file to fix")

    outputs = {named: _outputs(named, output, rejects, force=force) for named in (file, *files)}
    for out in outputs.values():
        out.require(rejects=unsafe)
        if json and out.mended == STANDARD:
            raise ValueError("--json and the mended rows both want standard output: add --output FILE")
    accounts: list[dict[str, Any]] = []

    def mend(named: Path, path: Path) -> int:
        out = outputs[named]
        model, target, method = options.model, options.target, options.method
        fixed = options.load(path).fix(safe_only=not unsafe, model=model, target=target, method=method)
        options.require_whole(fixed)
        data = fixed.redact() if redact else fixed
        out.write(data, fixed)
        report = data.validate(model=model, target=target, method=method, content=False)
        accounts.append(_account(named, fixed, report, out))
        for line in () if json else _told(fixed, report, out, options, unsafe=unsafe):
            print(line, file=sys.stderr if out.mended == STANDARD else sys.stdout)
        return CLEAN if report.ok else ERRORS

    code = each(tuple(outputs), mend)
    if json:
        print_json(accounts)
    return code


def _account(named: Path, fixed: Dataset, report: ValidationReport, out: Outputs) -> dict[str, Any]:
    rejects = str(out.rejects) if fixed.rejected else None
    written = {"file": str(named), "output": str(out.mended), "rejects": rejects, "mended": len(fixed.changes)}
    counts = {name: getattr(fixed.account, name) for name in ("read", "kept", "dropped", "merged")}
    return {**written, **counts, "ok": report.ok, "errors_left": report.count("error")}


def _outputs(named: Path, output: Path | None, rejects: Path | None, *, force: bool) -> Outputs:
    """Where what is given in the command goes, and by default beside the file."""
    mended = output or (STANDARD if named == STANDARD else named.with_suffix(".fixed.jsonl"))
    beside = None if mended == STANDARD else mended.with_suffix(".rejects.jsonl")
    return Outputs(mended, rejects or beside, force)


def _told(fixed: Dataset, report: ValidationReport, out: Outputs, options: Options, *, unsafe: bool) -> Iterator[str]:
    """What was done, and what is left to do."""
    from finetune_lib.pages.wording import chosen, number_of, words

    said = words(chosen(options.lang))
    account, written = fixed.account, {"output": out.mended, "rejects": out.rejects}
    yield said["account"].format(read=account.read, kept=account.kept, dropped=account.dropped, merged=account.merged)
    places = [said["written"], *([said["rejects_written"]] if fixed.rejected else [])]
    yield said["written_and"].join([number_of(said, "mended_counted", len(fixed.changes)), *places]).format_map(written)
    if not report.ok:
        errors = number_of(said, "errors_counted", report.count("error"))
        way = "" if unsafe else said["or_unsafe"]
        yield said["errors_left"].format(errors=errors, command=_check_of(out.mended, options), way=way)


def _check_of(path: Path, options: Options) -> str:
    """The command that shows what is left."""
    given = {"target": options.target, "method": options.method, "model": options.model}
    rules = [f"--{name} {quote(value)}" for name, value in given.items() if value and value != _DEFAULTS.method]
    return " ".join(["finetune-lib check", quote(str(path)), *rules])

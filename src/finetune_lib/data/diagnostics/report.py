"""The report of a validation: printing it shows everything, `raise_for_errors()` stops a script on errors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from finetune_lib.data.diagnostics.changes import unified_diff
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.result import ValidationResult
from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.files import json_text, write_atomically
from finetune_lib.pages.unseen import visible
from finetune_lib.pages.wording import chosen
from finetune_lib.texts.languages import Language

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]


@dataclass(frozen=True, slots=True)
class ValidationReport(ValidationResult):
    """All findings about a dataset; printing it shows them, `raise_for_errors()` stops a script on errors.

    Of each code the first 1,000 findings are kept in full, so that a million of them cost little; `tally` counts
    all.

    Attributes:
        source: What was checked.
        examples: How many examples were read.
        diagnostics: The findings: those about the file as a whole, then by row.
        tokens: Token counts, where they were asked for.
        tally: How many findings there are of each code and severity.
    """

    def raise_for_errors(self) -> ValidationReport:
        """Return the report itself, or raise with all findings in the message.

        Raises:
            InvalidDatasetError: At least one finding is an error.
        """
        if not self.ok:
            raise InvalidDatasetError(str(self), report=self)
        return self

    def __str__(self) -> str:
        return self.text()

    def text(self, *, lang: Language | None = None, color: bool = False) -> str:
        """The report for a terminal, in `en`, `zh-Hant` or `zh-Hans`; by default in the language of the locale."""
        from finetune_lib.data.diagnostics.summary import runs_of, summary_of
        from finetune_lib.data.diagnostics.terminal import lines_of

        lang = chosen(lang)
        return "\n".join([*lines_of(runs_of(self), lang=lang, color=color), visible(summary_of(self, lang))])

    def for_shell(self) -> ValidationReport:
        """The same report for users of the command line: its hints name options of `finetune-lib`, not Python."""
        return replace(self, diagnostics=tuple(replace(found, at_shell=True) for found in self.diagnostics))

    def diff(self) -> str:
        """What `Dataset.fix()` would change, as a unified diff; nothing is changed yet."""
        return unified_diff(self.source, self.changes() if self.changes else ())

    def new_since(self, baseline: str | PathLike[str]) -> tuple[Diagnostic, ...]:
        """The findings that an earlier report, saved by `save_json` or `check --json`, does not have.

        Findings are matched by code, path and message, not by line: moving a row makes nothing new. The language
        of the earlier report does not matter.

        Raises:
            DataError: The file is no such report.
        """
        try:
            saved = json.loads(Path(baseline).read_text(encoding="utf-8"))["diagnostics"]
            known = Counter((d["code"], d["path"], d["message"] if d["row"] else "") for d in saved)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{baseline} is no report of one file, as check --json or save_json writes it") from error
        new: list[Diagnostic] = []
        for finding in self.diagnostics:
            said = [finding.texts(lang).message for lang in get_args(Language)] if finding.origin.row else [""]
            key = next((key for text in said if known[key := (finding.code, finding.path, text)] > 0), None)
            if key:
                known[key] -= 1
            else:
                new.append(finding)
        return tuple(new)

    def to_dict(self, *, lang: Language | None = None) -> dict[str, Any]:
        """The report as plain JSON values, in the shape of `finetune-lib check --json`."""
        found = [diagnostic.to_dict(lang=lang) for diagnostic in self.diagnostics]
        return {"ok": self.ok, "examples": self.examples, "diagnostics": found, **self._left_out()}

    def _left_out(self) -> dict[str, Any]:
        """Of codes with more findings than are kept in full: how many more there are."""
        kept = Counter(d.code for d in self.diagnostics)
        more = {code: self.count(code) - number for code, number in kept.items()}
        left = {code: number for code, number in more.items() if number}
        return {"left_out": left} if left else {}

    def to_json(self, *, lang: Language | None = None) -> str:
        """The report as one JSON object."""
        return json_text(self.to_dict(lang=lang))

    def save_json(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the report as JSON, in English; `new_since` compares a later one with it."""
        return write_atomically(Path(path), [self.to_json(lang="en").encode()], overwrite=overwrite)

    def mark(
        self,
        workbook: str | PathLike[str],
        *,
        output: str | PathLike[str] | None = None,
        overwrite: bool = False,
        lang: Language | None = None,
    ) -> Path:
        """Write a copy of the user's own workbook with each finding as a note in its cell and a sheet of all findings.

        Whoever keeps the workbook can mend it there, without Python. Formulas, formats and widths stay as they are;
        what a copy cannot carry, as some charts, is named in the sheet of findings.

        Args:
            workbook: The `.xlsx` or `.xlsm` that was loaded.
            output: The copy; by default beside it, `faq.marked.xlsx` of `faq.xlsx`.
            overwrite: Whether an existing file is replaced; with the workbook itself as `output`, the original.
            lang: The language of the notes; by default that of the locale.

        Raises:
            ValueError: It is no such workbook, as a CSV file, or not the one that the report is about.
            DataError: It cannot be opened.
            FileExistsError: The output is there; pass `overwrite=True` to replace it.
            MissingExtraError: openpyxl is not installed.
        """
        from finetune_lib.data.diagnostics.marking import marked

        path = Path(workbook)
        to = path.with_suffix(f".marked{path.suffix}") if output is None else Path(output)
        return marked(self, path, to, overwrite=overwrite, lang=chosen(lang))

    def to_sarif(self, *, lang: Language | None = None) -> str:
        """The report as SARIF 2.1.0, which code hosts show beside the lines of a change."""
        from finetune_lib.data.diagnostics.sarif import sarif

        return sarif(self, lang=lang)

    def to_html(self, *, lang: Language | None = None) -> str:
        """The report as one HTML page that needs no network."""
        from finetune_lib.data.diagnostics.page import validation_page

        return validation_page(self, lang=lang)

    def to_pandas(self) -> pd.DataFrame:
        """The findings as a frame: one row each, columns as in `to_dict`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = require("pandas", extra="frames", feature="to_pandas")
        rows: Sequence[Mapping[str, Any]] = [diagnostic.to_dict() for diagnostic in self.diagnostics]
        return pandas.DataFrame(rows)

    def _repr_html_(self) -> str:
        from finetune_lib.data.diagnostics.page import validation_html

        return validation_html(self)


class InvalidDatasetError(DataError):
    """The examples do not pass the checks.

    Attributes:
        report: Every finding; printing it shows them all with their places.
    """

    def __init__(self, message: str, *, report: ValidationReport) -> None:
        super().__init__(message)
        self.report = report

"""Findings about data: a stable code, a place, a message, a hint, perhaps a fix; and the report that gathers them."""

from finetune_lib.data.diagnostics.catalogue import (
    Code,
    CodeExample,
    catalogue,
    code_example,
    explain,
)
from finetune_lib.data.diagnostics.finding import (
    Diagnostic,
    Quote,
    Severity,
    counted,
    diagnose,
    is_error,
    is_loss,
    name_of,
    place_name,
    quote,
)
from finetune_lib.data.diagnostics.gathering import KEPT_PER_CODE, Findings
from finetune_lib.data.diagnostics.report import Change, InvalidDatasetError, TokenCount, ValidationReport

__all__ = [
    "KEPT_PER_CODE",
    "Change",
    "Code",
    "CodeExample",
    "Diagnostic",
    "Findings",
    "InvalidDatasetError",
    "Quote",
    "Severity",
    "TokenCount",
    "ValidationReport",
    "catalogue",
    "code_example",
    "counted",
    "diagnose",
    "explain",
    "is_error",
    "is_loss",
    "name_of",
    "place_name",
    "quote",
]

"""Findings about data: a stable code, a place, a message, a hint, perhaps a fix; and the report that gathers them."""

from finetune_lib.data.diagnostics.catalogue import Code, CodeExample, catalogue, code_example
from finetune_lib.data.diagnostics.changes import Change
from finetune_lib.data.diagnostics.explaining import explain, known_codes
from finetune_lib.data.diagnostics.finding import (
    Diagnostic,
    Severity,
    counted,
    diagnose,
    is_error,
    is_loss,
    name_of,
    place_name,
)
from finetune_lib.data.diagnostics.gathering import KEPT_PER_CODE, Findings
from finetune_lib.data.diagnostics.quoting import Quote, quote
from finetune_lib.data.diagnostics.report import InvalidDatasetError, ValidationReport
from finetune_lib.data.diagnostics.result import TokenCount

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
    "known_codes",
    "name_of",
    "place_name",
    "quote",
]

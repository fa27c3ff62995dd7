"""Checks of examples: one file a family; each is a plain function from an example to its findings, or a survey."""

from finetune_lib.data.checks.examination import Plan
from finetune_lib.data.checks.form.rows import first_error
from finetune_lib.data.checks.rules import Rules, Target
from finetune_lib.data.checks.validation import validate

__all__ = ["Plan", "Rules", "Target", "first_error", "validate"]

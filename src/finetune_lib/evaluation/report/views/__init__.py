"""An evaluation's report as a page, as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from finetune_lib.evaluation.report.views.markdown import report_markdown
from finetune_lib.evaluation.report.views.page import report_page
from finetune_lib.evaluation.report.views.summary import summary_page
from finetune_lib.evaluation.report.views.text import report_text

__all__ = ["report_markdown", "report_page", "report_text", "summary_page"]

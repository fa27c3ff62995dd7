"""An evaluation's report as a page, as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from finetune_lib.rendering.report.markdown import report_markdown
from finetune_lib.rendering.report.page import report_page
from finetune_lib.rendering.report.text import report_text

__all__ = ["report_markdown", "report_page", "report_text"]

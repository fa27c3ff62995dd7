"""A page shown in the user's browser."""

from __future__ import annotations

import re
import tempfile
import webbrowser
from pathlib import Path

_UNFIT = re.compile(r"[^\w.-]+")  # for the name of a file


def shown_in_browser(page: str, *, name: str) -> Path:
    """Write a page to a temporary file, open it, and tell where it is."""
    folder = Path(tempfile.mkdtemp(prefix="finetune_lib-"))
    path = folder / f"{_UNFIT.sub('_', Path(name).stem)[:80] or 'page'}.html"
    path.write_text(page, encoding="utf-8")
    webbrowser.open(path.as_uri())
    return path

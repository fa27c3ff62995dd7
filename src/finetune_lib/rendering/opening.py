"""A page shown in the user's browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path


def shown_in_browser(page: str, *, name: str) -> Path:
    """Write a page to a temporary file, open it, and tell where it is."""
    folder = Path(tempfile.mkdtemp(prefix="finetune_lib-"))
    path = folder / f"{Path(name).stem or 'page'}.html"
    path.write_text(page, encoding="utf-8")
    webbrowser.open(path.as_uri())
    return path

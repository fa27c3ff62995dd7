"""The pictures of the statistics pages are what the functions say today."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/explanation" / name for name in ("statistics.md", "looking-again.md", "small-sets.md")]


def test_they_are_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "docs/draw.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "docs/images").glob("*.svg")), ids=lambda path: path.stem)
def test_each_has_a_title_both_colours_and_a_place(path):
    picture = path.read_text(encoding="utf-8")
    assert picture.count("<title>") == 1
    assert picture.rstrip().endswith("</svg>")
    assert "prefers-color-scheme: dark" in picture
    assert any(f"images/{path.name})" in page.read_text(encoding="utf-8") for page in PAGES)

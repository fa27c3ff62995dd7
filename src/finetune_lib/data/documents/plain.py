"""Text and Markdown: sections begin at headings, those inside of fenced code are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from finetune_lib.data.documents.section import Place, Section

HEADING = re.compile(r"#{1,6}\s+(\S.*?)(?:\s+#+)?\s*$")
FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")


def plain_sections(path: Path, text: str) -> Iterator[Section]:
    """The sections of a text, in its order; one without headings is one section."""
    heading, lines, fence = "", list[str](), ""
    for line in text.splitlines():
        if mark := FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        elif not fence and (found := HEADING.match(line)):
            yield from _section(path, heading, lines)
            heading, lines = found[1], []
            continue
        lines.append(line)
    yield from _section(path, heading, lines)


def _section(path: Path, heading: str, lines: list[str]) -> Iterator[Section]:
    if text := "\n".join(lines).strip():
        yield Section(Place(path, heading=heading), text)

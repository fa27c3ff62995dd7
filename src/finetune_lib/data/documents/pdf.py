"""PDF: the text of its pages, its lines joined to paragraphs; what stands on each page is left out."""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from finetune_lib.data.documents.section import Place, Section
from finetune_lib.data.reading.options import ReadError
from finetune_lib.extras import require
from finetune_lib.pages.terminal import width
from finetune_lib.texts.folding import CJK
from finetune_lib.texts.radicals import USUAL
from finetune_lib.warned import warn

EDGE = 2  # lines at the top and the bottom of a page where its header and footer stand
EVERYWHERE, ENOUGH_PAGES = 0.6, 3
FULL, NARROW = (
    0.7,
    30,
)  # a line under this share of the widest, or under so many letters (a Han character is two), ends its paragraph
END = re.compile(r"[。！？!?：:；;.]\s*$")
LISTED = re.compile(r"\s*(?:[-•‧●○▪◦*]|\(?\d+[.)、]|[一二三四五六七八九十]+[、.])")
AMONG_CJK = re.compile(rf"[{CJK}，、。：；！？「」（）]$")
NUMBER = re.compile(r"\d+")


def pdf_sections(path: Path) -> Iterator[Section]:
    """The pages of a PDF, each under the title that its outline gives it.

    Raises:
        ReadError: It is protected by a password, or most of its pages are pictures of text.
        MissingExtraError: Without `pip install "finetune_lib[documents]"`.
    """
    pypdf: Any = require("pypdf", extra="documents", feature="Reading PDF")
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells of each oddity of a file that can be read
    reader = pypdf.PdfReader(str(path))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ReadError("it is protected by a password. Save a copy without one.")
    lines = [page.extract_text().translate(USUAL).splitlines() for page in reader.pages]
    _tell_of_pictures(path, reader.pages, lines)
    titles = sorted(_outlined(reader, reader.outline))
    for number, page in enumerate(_without_edges(lines), start=1):
        before = bisect_right(titles, (number, "\uffff")) - 1
        if text := paragraphs(page):
            yield Section(Place(path, page=number, heading=titles[before][1] if before >= 0 else ""), text)


def _tell_of_pictures(path: Path, pages: Sequence[Any], lines: Sequence[Sequence[str]]) -> None:
    """Scanned pages hold no text; a few of them, as a cover, are told, more are refused."""
    empty = [number for number, page in enumerate(lines, start=1) if not "".join(page).strip()]
    if not empty:
        return
    named = ", ".join(map(str, empty[:10])) + (", …" if len(empty) > 10 else "")
    if 2 * len(empty) > len(pages):
        raise ReadError(
            f"{len(empty)} of {len(pages)} pages hold no text (pages {named}): they are pictures, as a scanner makes "
            "them. Let a program for text recognition (OCR) add the text first, as `ocrmypdf in.pdf out.pdf`."
        )
    pictured = [number for number in empty if _pictured(pages[number - 1])]
    if pictured:
        told = ", ".join(map(str, pictured[:10]))
        warn(f"{path.name}: pages that are pictures hold no text and are left out: {told}")


def _pictured(page: Any) -> bool:
    with suppress(Exception):  # a damaged picture is no reason not to read the rest
        return len(page.images) > 0
    return True


def _outlined(reader: Any, outline: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """The pages at which the titles of the outline begin."""
    for entry in outline:
        if isinstance(entry, list):
            yield from _outlined(reader, entry)  # pyright: ignore[reportUnknownArgumentType]
            continue
        with suppress(Exception):  # an entry that leads nowhere
            yield reader.get_destination_page_number(entry) + 1, " ".join(str(entry.title).split())


def _without_edges(pages: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The pages; what most of them have at their edges, as a title and the number of the page, is told once."""
    edges = [_edges(page) for page in pages]
    counted = Counter(alike for edge in edges for alike in set(edge.values()))
    least = max(EVERYWHERE * len(pages), ENOUGH_PAGES)
    told = set[str]()
    for page, edge in zip(pages, edges, strict=True):
        common = {place: alike for place, alike in edge.items() if counted[alike] >= least}
        yield [line for place, line in enumerate(page) if common.get(place) not in told]
        told |= set(common.values())


def _edges(page: Sequence[str]) -> dict[int, str]:
    """The first and last lines that hold something, by their place; numbers count as equal."""
    filled = [place for place, line in enumerate(page) if line.strip()]
    return {place: NUMBER.sub("0", " ".join(page[place].split())) for place in (*filled[:EDGE], *filled[-EDGE:])}


def paragraphs(lines: Sequence[str]) -> str:
    """Lines of a page as paragraphs: one goes on where its line is full and does not end a sentence."""
    full = max(FULL * max(map(width, lines), default=0), NARROW)
    held = ""
    for before, line in zip(["", *lines], lines, strict=False):
        text = " ".join(line.split())
        if not text:
            held += "\n"
        elif not held or held.endswith("\n") or _ends(before, full) or LISTED.match(line):
            held += f"\n{text}" if held else text
        elif held.endswith("-") and text[0].islower():
            held = held[:-1] + text
        else:
            held += text if AMONG_CJK.search(held) else f" {text}"
    return re.sub(r"\n{3,}", "\n\n", held).strip()


def _ends(line: str, full: float) -> bool:
    return width(line.strip()) < full or END.search(line) is not None

"""A section of a document, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands.

    Attributes:
        path: The file.
        page: The page from 1; None where the kind of file has no pages.
        heading: The nearest heading above it.
        anchor: The name by which a link leads to the heading, where the document gives it one.
    """

    path: Path
    page: int | None = None
    heading: str = ""
    anchor: str = ""

    @property
    def link(self) -> str:
        """The address of the file, and of the page or heading in it: `file:///…/handbook.pdf#page=3`."""
        part = f"page={self.page}" if self.page else quote(self.anchor)
        return self.path.absolute().as_uri() + (f"#{part}" if part else "")

    def __str__(self) -> str:
        page = f"p. {self.page}" if self.page else ""
        return ", ".join(filter(None, [self.path.name, page, self.heading]))


@dataclass(frozen=True, slots=True)
class Section:
    """A text of a document that stands under one heading, on one page.

    Attributes:
        place: Where it stands.
        text: It, with blank lines between paragraphs.
    """

    place: Place
    text: str

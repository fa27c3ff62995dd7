"""The navigation of the site: what docs/index.md and the index pages of the reference list, in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parent
CONFIG = DOCS.parent / "mkdocs.yml"
MARK = "# Written by docs/generate.py from the index pages.\nnav:\n"
LINK = re.compile(r"[-|] \[([^\]]+)\]\(([^)#]+\.md)\)")
LANGUAGES = {"zh-Hant": "繁體中文", "zh-Hans": "简体中文"}
TABS = {"Learn it": "Learn", "Do something": "How to", "Understand it": "Understand", "Change it": "Contribute"}


def configured() -> str:
    """mkdocs.yml with the navigation of today."""
    head = CONFIG.read_text(encoding="utf-8").partition(MARK)[0]
    return head + MARK + "".join(f"{line}\n" for line in _navigation())


def _navigation() -> Iterator[str]:
    yield "  - Home: index.md"
    for line in (DOCS / "index.md").read_text(encoding="utf-8").split("\n## ")[0].splitlines():
        if line.startswith("**") and (title := line.strip("*").partition(":")[0]) in TABS:
            yield f"  - {TABS[title]}:"
        elif line.startswith("*") and line.endswith("*"):
            yield f"    - {_title(line.strip('*'))}:"
        elif found := LINK.match(line):
            title, page = found.groups()
            if page == "reference/index.md":
                yield "  - Look up:"
                yield f"    - {page}"
                yield from _reference()
            else:
                deeper = "  " * ("how-to/" in page)
                yield f"    {deeper}- {_title(title)}: {page}"
    for language, name in LANGUAGES.items():
        yield f"  - {_title(name)}:"
        for path in sorted((DOCS / language).rglob("*.md"), key=lambda path: (path.name != "index.md", path)):
            yield f"    - {path.relative_to(DOCS).as_posix()}"


def _reference() -> Iterator[str]:
    for line in (DOCS / "reference" / "index.md").read_text(encoding="utf-8").splitlines():
        if found := LINK.match(line):
            title, page = found.groups()
            if page.endswith("/index.md"):
                yield f"    - {_title(title)}:"
                yield f"      - reference/{page}"
                yield from _listed(page)
            else:
                yield f"    - {_title(title)}: reference/{page}"


def _listed(index: str) -> Iterator[str]:
    """The pages that an index page names, under its headings; a page that is named twice, once."""
    folder, seen, deeper = index.rpartition("/")[0], set[str](), ""
    for line in (DOCS / "reference" / index).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            deeper = "  "
            yield f"      - {_title(line[3:])}:"
        elif (found := LINK.match(line)) and found[2] not in seen:
            seen.add(found[2])
            yield f"      {deeper}- {_title(found[1])}: reference/{folder}/{found[2]}"


def _title(text: str) -> str:
    return json.dumps(text.replace("`", ""), ensure_ascii=False)

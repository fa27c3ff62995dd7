"""The site of the documents as `make site` builds it: found in both scripts, without anything from elsewhere."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.files import ROOT

SITE = ROOT / "out" / "site"
pytestmark = pytest.mark.skipif(not (SITE / "index.html").exists(), reason="`make site` has not been run")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("words", "page"),
    [("confidence interval", "explanation/statistics"), ("Big5", "how-to/load-a-spreadsheet"), ("退貨", "examples/")],
)
def test_search_finds(browser, address, words, page):
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(f"{address}/index.html?q={words}")
    opened.locator(".md-search-result__item a").first.wait_for()
    found = opened.locator(".md-search-result__item a").evaluate_all("links => links.map(link => link.href)")
    assert any(page in link for link in found)
    opened.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_ask_nothing_of_others_and_fit(browser, address, width):
    opened, asked = browser.new_page(viewport={"width": width, "height": 900}), list[str]()
    opened.on("request", lambda request: asked.append(request.url))
    for page in ("index.html", "how-to/load-a-spreadsheet.html", "reference/api/job.html"):
        opened.goto(f"{address}/{page}")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    opened.close()


def test_agents_find_each_page_as_markdown():
    told = (SITE / "llms.txt").read_text(encoding="utf-8")
    pages = [line.partition("](/")[2].partition(")")[0] for line in told.splitlines() if "](/" in line]
    assert {"tutorial.md", "how-to/load-a-spreadsheet.md", "reference/api/job.md"} <= set(pages)
    assert [page for page in pages if not Path(SITE / page).is_file()] == []

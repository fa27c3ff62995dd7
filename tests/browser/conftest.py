"""One Chromium for all pages; without one, the tests of pages are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # A browser is no Python package: `make test` installs one where it may, and elsewhere the other tests still run.
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def told() -> Callable[[Locator], str]:
    """What a card shows: one that is out of sight is not laid out, and has no text, until it is scrolled to."""

    def read(card: Locator) -> str:
        card.scroll_into_view_if_needed()
        card.page.wait_for_function("card => card.innerText", arg=card.element_handle())
        return card.inner_text()

    return read

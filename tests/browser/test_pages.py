"""The report as people see it: in a real browser, from disk, without a network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import finetune_lib as ft
from finetune_lib.metrics import Metrics, Step

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
HOSTILE = "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    texts = ["這部鐵達尼號真棒。", HOSTILE, "很長的問題" * 200]
    cases = [ft.Case(str(i), (ft.Message(role="user", content=t),), expected="1") for i, t in enumerate(texts * 4)]

    def base(case):
        return HOSTILE if case.prompt == HOSTILE else "0"

    def tuned(case):
        return "1"

    report = ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[base, tuned])
    metrics = Metrics(tuple(Step(n, 5 / n, valid_loss=6 / n if n % 5 == 0 else None) for n in range(1, 30)))
    return report.save_html(tmp_path_factory.mktemp("page") / "report.html", metrics=metrics)


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_opens_from_disk_without_a_request_an_error_or_a_sideways_scroll(browser, page_file, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_file.as_uri())
    assert requests == [page_file.as_uri()]
    assert errors == []
    assert page.title() == "Evaluation report"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_text("Tuned is better than base").is_visible()
    assert page.get_by_text("這部鐵達尼號真棒。").first.is_visible()
    assert page.locator("svg polyline").count() == 2
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, page_file, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.goto(page_file.as_uri())
    for selector in ("h1", ".soft", "td", "thead th"):
        assert contrast(page, selector) >= 4.5, selector
    page.close()


def contrast(page, selector: str) -> float:
    """The WCAG 2.2 contrast of an element's text with the page."""
    script = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    colours = page.locator(selector).first.evaluate(script)
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

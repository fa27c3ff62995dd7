"""What a notebook shows is readable in the light and the dark theme of each notebook, whatever the desktop prefers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import finetune_lib as ft

READABLE = 4.5  # WCAG 2.2, 1.4.3
# How each tells its theme: JupyterLab 4 and nbconvert, VS Code's webview, Colab, the pages of Sphinx.
CONTEXTS = {
    "jupyter": ("<html><body data-jp-theme-light='{light}' data-jp-theme-name='JupyterLab'>", "true", "false"),
    "vscode": ("<html><body class='vscode-{light}'>", "light", "dark"),
    "vscode high contrast": ("<html><body class='{light}'>", "vscode-high-contrast vscode-high-contrast-light",
                             "vscode-high-contrast"),
    "colab": ("<html theme='{light}'><body>", "light", "dark"),
    "sphinx": ("<html data-theme='{light}'><body>", "light", "dark"),
}  # fmt: skip
COLOURS = """node => { const own = getComputedStyle(node); let ground = node;
  while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
  return [own.color, getComputedStyle(ground).backgroundColor]; }"""


def shown() -> str:
    data = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "起飛前 <b>30</b> 分鐘。"}, {"prompt": "空的"}])
    case = ft.Case("1", (), expected="七點", category="登機")
    return "\n".join(
        value._repr_html_() for value in (data, data.validate(), data.stats(), case, data.split(seed=1)[0])
    )


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("desktop", ["light", "dark"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("notebook", CONTEXTS)
def test_texts_are_readable_and_the_ground_is_that_of_the_theme(
    notebook: str, theme: str, desktop: str, browser: Browser, tmp_path: Path
):
    opened, light, dark = CONTEXTS[notebook]
    file = tmp_path / "cell.html"
    file.write_text(f"<!doctype html>{opened.format(light=light if theme == 'light' else dark)}{shown()}", "utf-8")
    page = browser.new_page(color_scheme=desktop, viewport={"width": 760, "height": 900})  # type: ignore[arg-type]
    page.goto(file.as_uri())
    found = [node.evaluate(COLOURS) for node in page.locator(".ftl :is(p, th, td, b, code, summary, pre)").all()]
    page.close()
    assert len(found) > 20
    for ink, ground in found:
        assert (luminance(ground) > 0.5) == (theme == "light"), ground
        high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= READABLE, (ink, ground)


def test_a_page_of_no_notebook_follows_the_desktop(browser: Browser, tmp_path: Path):
    file = tmp_path / "cell.html"
    file.write_text(f"<!doctype html><html><body>{shown()}", "utf-8")
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(file.as_uri())
        _, ground = page.locator(".ftl p").first.evaluate(COLOURS)
        page.close()
        assert (luminance(ground) > 0.5) == (scheme == "light")

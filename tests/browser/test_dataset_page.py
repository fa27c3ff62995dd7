"""The page of a data set as people use it: in a real browser, from disk, with filters and keys, without a network."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

import finetune_lib as ft
from finetune_lib.data.browsing.browser import dataset_page
from finetune_lib.records import Example, Origin

OWNED = "document.title='owned'"
HOSTILE = (
    f'</script><script>{OWNED}</script><img src=http://127.0.0.1:9/x onerror="{OWNED}"><svg onload="{OWNED}"> '
    f"<a href=\"javascript:{OWNED}\">x</a> <meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'> "
    "\u202egnp.exe\u202c"
)
IMAGE = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/a.png"}}


def chat(question, answer, **extra):
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages, **extra}


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"台北"}'}}
ROWS = [
    chat("退貨期限是幾天？", "七天。"),
    chat("退貨期限是幾天？", "八天。"),
    chat(HOSTILE, "好的"),
    chat("ＡＢＣ 請問 zero\u200bwidth", "x" * 80),
    chat("", "這裡沒有問題"),
    chat([{"type": "text", "text": "這是哪裡？"}, IMAGE], "機場"),
    {"messages": [{"role": "user", "content": "天氣？"}, {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
    chat("很長的問題" * 400, "短"),
    {
        "input": {"messages": [{"role": "user", "content": "選一個"}]},
        "preferred_output": [{"role": "assistant", "content": "好" * 60}],
        "non_preferred_output": [{"role": "assistant", "content": "差" * 60}],
    },
    *(chat(f"第 {n} 個問題", f"第 {n} 個回答" * n) for n in range(1, 6)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The pages: of the examples in each language, of the report, and of many examples."""
    place = tmp_path_factory.mktemp("pages")
    labels = ["退稅", '行李 (A) "B"', None]
    examples = [Example(r, Origin("faq.jsonl", n, n), labels[n % 3]) for n, r in enumerate(ROWS, start=1)]
    data = ft.Dataset(examples, name="faq.jsonl")
    report = data.validate()
    for lang in ("en", "zh-Hant", "zh-Hans"):
        page = dataset_page(data.name, data, report, limit=2000, lang=lang)
        (place / f"{lang}.html").write_text(page, encoding="utf-8")
    (place / "report.html").write_text(report.to_html(lang="en"), encoding="utf-8")
    many = [Example(chat(f"第 {n} 個問題：" + "登機門怎麼走？" * 20, f"往左走 {n} 公尺。" * 20)) for n in range(2000)]
    (place / "many.html").write_text(dataset_page("many", many, None, limit=2000, lang="en"), encoding="utf-8")
    return place


@pytest.fixture
def page(browser, folder) -> Iterator[Page]:
    """The English page on a desktop."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto((folder / "en.html").as_uri())
    yield opened
    opened.close()


def shown(page) -> list[str]:
    return page.eval_on_selector_all("article:not([hidden])", "cards => cards.map(card => card.id.slice(8))")


def search(page, text):
    page.fill("#search", text)
    page.wait_for_timeout(250)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["en", "zh-Hant", "report"])
def test_pages_open_without_a_request_an_error_or_a_sideways_scroll(browser, folder, name, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    address = (folder / f"{name}.html").as_uri()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(address)
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    page.eval_on_selector_all("article", "all => all.forEach(one => { one.scrollIntoView(); })")
    page.wait_for_timeout(200)
    assert requests == [address]
    assert errors == []
    assert page.title() == "faq.jsonl"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_what_got_into_the_page_could_not_act_either(page):
    """Were markup of the data to slip through, the policy still stops it."""
    stopped: list[str | None] = []
    page.on("requestfailed", lambda request: stopped.append(request.failure))
    page.on("response", lambda response: stopped.append(f"answered: {response.url}"))
    with page.expect_event("requestfailed"):
        page.evaluate(
            "html => { document.body.insertAdjacentHTML('beforeend', html);"
            " const script = document.createElement('script'); script.textContent = 'document.title = 1';"
            " document.body.append(script); }",
            f'<img src="http://127.0.0.1:9/y" onerror="{OWNED}"><iframe src="http://127.0.0.1:9/z"></iframe>',
        )
    page.wait_for_timeout(300)
    assert set(stopped) == {"csp"}
    assert page.title() == "faq.jsonl"


def test_the_direction_of_the_text_is_not_turned(page, told):
    text = told(page.locator("#example-3"))
    assert "U+202E" in text
    assert "gnp.exe" in text
    assert "\u202e" not in text


def test_each_filter_keeps_what_it_says_and_counts_it(page):
    count = page.locator("#count")
    assert count.inner_text() == "14 of 14 shown"
    page.select_option("#finding", "D804")
    assert shown(page) == ["2"]
    assert count.inner_text() == "1 of 14 shown"
    page.select_option("#finding", "none")
    page.select_option("#category", '=行李 (A) "B"')
    assert set(shown(page)) <= {"1", "4", "7", "10", "13"}
    assert shown(page)
    page.click("#clear")
    assert len(shown(page)) == 14
    page.fill("#least", "1000")
    assert shown(page) == ["8"]
    page.fill("#most", "1500")
    assert shown(page) == []
    assert page.locator("#none").is_visible()


def test_the_search_finds_other_widths_and_what_an_invisible_character_parts(page):
    for text, numbers in {"abc": ["4"], "zerowidth": ["4"], "八天": ["2"], "S310": [], "weather": ["7"]}.items():
        search(page, text)
        assert shown(page) == numbers, text
    search(page, "")
    assert len(shown(page)) == 14


def test_hits_are_painted_without_a_change_of_the_page(page):
    before = page.inner_html("#example-5")
    search(page, "沒有問題")
    assert page.evaluate("CSS.highlights.get('hit').size") == 1
    assert page.inner_html("#example-5") == before
    search(page, "")
    assert not page.evaluate("CSS.highlights.has('hit')")


@pytest.mark.parametrize(("order", "backwards"), [("short", False), ("long", True)])
def test_examples_are_put_in_the_order_of_their_length(page, order, backwards):
    page.select_option("#order", order)
    lengths = page.eval_on_selector_all("article", "cards => cards.map(card => Number(card.dataset.length))")
    assert lengths == sorted(lengths, reverse=backwards)
    page.select_option("#order", "")
    assert shown(page) == [str(n) for n in range(1, 15)]


def test_the_gravest_examples_come_first_when_asked(page):
    page.select_option("#order", "grave")
    weights = page.eval_on_selector_all("article", "cards => cards.map(card => Number(card.dataset.weight))")
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[-1]


def current(page):
    return page.evaluate("document.querySelector('.example.current')?.id")


def test_j_and_k_go_from_example_to_example(page):
    walked = []
    for key in "jjkjjjk":
        page.keyboard.press(key)
        walked.append(current(page))
    assert walked == [f"example-{n}" for n in (1, 2, 1, 2, 3, 4, 3)]
    box = page.locator("#example-3").bounding_box()
    bar = page.locator(".filters").bounding_box()
    assert bar["y"] + bar["height"] <= box["y"] + 1 < 900


def test_j_leaves_out_what_is_filtered(page):
    page.select_option("#finding", "none")
    page.locator("#finding").blur()
    visible = shown(page)
    for number in visible[:3]:
        page.keyboard.press("j")
        assert current(page) == f"example-{number}"


CURRENT = "[...document.querySelectorAll('.finding')].indexOf(document.querySelector('.finding.current'))"


def test_n_and_p_go_from_finding_to_finding_and_round(page):
    total = page.locator("article .finding").count()
    seen = []
    for _ in range(total + 1):
        page.keyboard.press("n")
        seen.append(page.evaluate(CURRENT))
        assert page.locator(".finding.current").is_visible()
    assert len(set(seen)) == total > 3
    assert seen[-1] == seen[0]
    page.keyboard.press("p")
    assert page.evaluate(CURRENT) == seen[-2]


def test_the_slash_searches_and_letters_typed_there_are_no_keys(page):
    page.keyboard.press("/")
    page.keyboard.type("jn?")
    assert page.input_value("#search") == "jn?"
    assert current(page) is None
    assert not page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_the_question_mark_lists_the_keys(page):
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert page.locator("#help kbd").all_inner_texts() == ["j", "k", "n", "p", "x", "/", "Esc", "?"]
    page.keyboard.press("j")
    assert current(page) is None
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def test_a_link_leads_to_its_example_even_where_a_filter_hides_it(page):
    page.select_option("#finding", "D804")
    page.locator("#example-2 .twin a").click()
    assert current(page) == "example-1"
    assert page.locator("#example-1").is_visible()


def test_a_long_text_unfolds_and_folds_again(page):
    page.locator("#example-8").scroll_into_view_if_needed()
    folded, button = page.locator("#example-8 .folded"), page.locator("#example-8 .unfold")
    low = folded.bounding_box()["height"]
    button.click()
    assert folded.bounding_box()["height"] > low
    assert button.inner_text() == "Show less"
    button.click()
    assert folded.bounding_box()["height"] == low


@pytest.mark.parametrize("width", [1280, 390])
def test_findings_stand_beside_their_turn_or_below_it_on_a_phone(browser, folder, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((folder / "zh-Hant.html").as_uri())
    page.locator("#example-2").scroll_into_view_if_needed()
    turn = page.locator("#example-2 .line.warning .turn").bounding_box()
    note = page.locator("#example-2 .line.warning aside").bounding_box()
    if width == 390:
        assert note["y"] >= turn["y"] + turn["height"] - 1
    else:
        assert note["x"] >= turn["x"] + turn["width"] - 1
        assert abs(note["y"] - turn["y"]) < 8
    page.close()


def test_two_outputs_and_two_contradicting_examples_stand_in_two_columns(page):
    for selector in ("#example-9 .column", "#example-2 .pair .side:not(.same)"):
        page.locator(selector).first.scroll_into_view_if_needed()
        left, right = (page.locator(selector).nth(n).bounding_box() for n in (0, 1))
        assert abs(left["y"] - right["y"]) < 2
        assert right["x"] >= left["x"] + left["width"]


def test_chinese_is_set_in_the_forms_of_its_readers(browser, folder):
    fonts = {}
    for lang in ("zh-Hant", "zh-Hans"):
        page = browser.new_page()
        page.goto((folder / f"{lang}.html").as_uri())
        fonts[lang] = page.evaluate("getComputedStyle(document.body).fontFamily")
        assert page.evaluate("document.documentElement.lang") == lang
        page.close()
    assert "TC" in fonts["zh-Hant"]
    assert "TC" not in fonts["zh-Hans"]


def test_on_paper_everything_is_open_and_no_control_is_left(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".filters").is_visible()
    assert page.locator("#example-8 .folded").evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_two_thousand_examples_answer_at_once(browser, folder):
    page = browser.new_page()
    page.goto((folder / "many.html").as_uri())
    script = """text => { const begin = performance.now(); document.getElementById('search').value = text; show();
        document.body.offsetHeight; return performance.now() - begin; }"""
    first = page.evaluate(script, "第 1999 個問題")
    assert shown(page) == ["2000"]
    again = page.evaluate(script, "問題")
    assert len(shown(page)) == 2000
    assert first < 3000  # the slowest machine of a test farm, not of a reader
    assert again < 1500
    page.close()


def test_the_report_hides_severities_that_are_not_asked_for(browser, folder):
    page = browser.new_page()
    page.goto((folder / "report.html").as_uri())
    assert page.locator(".group.warning").first.is_visible()
    page.locator(".show-warning").uncheck()
    assert not page.locator(".group.warning:visible").count()
    assert page.locator(".group.error:visible").count()
    page.close()


TEXTS = {
    "en": "h1, .soft, .who b, .said, .finding p, .finding .severity, .slug, .badge, .unseen, mark, summary, .number, "
    "a, legend, output, button, select, pre, code, h4, .side.same .said",
    "report": "h1, .card, .severity, .slug, .soft, .place, mark, summary, a, .badge, pre",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_stands_out_from_its_ground(browser, folder, name, scheme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    page = browser.new_page(color_scheme=scheme)
    page.goto((folder / f"{name}.html").as_uri())
    found = page.eval_on_selector_all(TEXTS[name], GROUNDS)
    kinds = {(tuple(colours(ink)), tuple(colours(ground))): what for what, ink, ground in found}
    assert len(kinds) > 4
    for (ink, ground), what in kinds.items():
        light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (what, ink, ground)
    page.close()


GROUNDS = """all => all.map(element => {
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
  const [ink, below] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
  return [element.className || element.tagName, ink, below];
})"""


def colours(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def luminance(colour) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_what_is_left_out_is_remembered_saved_and_taken_out(browser, tmp_path):
    rows = [{"prompt": f"第{n}題？", "completion": f"第{n}答。"} for n in (1, 2, 3, 2)]
    data = ft.Dataset.from_rows(rows, name="faq.xlsx")
    path = tmp_path / "faq.html"
    path.write_text(data.to_html(lang="zh-Hant"), encoding="utf-8")
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert not page.locator("#save").is_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator("#example-4 .leave").click()
    page.locator("#example-3 .leave").click()
    page.locator("#example-3 .leave").click()
    assert page.locator("#save").inner_text() == "儲存清單（2 筆不採用）"
    assert page.locator(".left-out").count() == 2
    page.reload()
    assert page.locator(".left-out header .number").all_inner_texts() == ["1", "4"]
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / download.value.suggested_filename)
    context.close()
    kept = data.leave_out(tmp_path / "faq.xlsx.left-out.json")
    assert [row.answer for row in kept] == ["第2答。", "第3答。"]

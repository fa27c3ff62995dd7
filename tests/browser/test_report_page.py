"""The page of an evaluation as people use it: in a real browser, from disk, without a network."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.evaluation.report.views.evaluations import OWNED, always, many, report, rich

import finetune_lib as ft
from finetune_lib.evaluation.report.views import report_page
from finetune_lib.jobs.metrics import Metrics, Step

CURVE = Metrics(tuple(Step(n, 5 / n, valid_loss=6 / n if n % 5 == 0 else None) for n in range(1, 30))).plot().svg


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("reports")
    pages = {lang: report_page(rich(), curve=CURVE, lang=lang) for lang in ("en", "zh-Hant", "zh-Hans")}
    pages["many"] = report_page(many(2000, 5), lang="en")
    pages["alone"] = report_page(report(("base",), (always,)), lang="en")
    pages["fragment"] = f"<!doctype html><meta charset=utf-8>{report_page(rich(), fragment=True, lang='zh-Hant')}"
    for name, text in pages.items():
        (place / f"{name}.html").write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def page(browser, folder) -> Iterator[Page]:
    """The English page on a desktop."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto((folder / "en.html").as_uri())
    yield opened
    opened.close()


def shown(page) -> list[int]:
    """The numbers of the cases that are built."""
    return page.eval_on_selector_all(".case", "cards => cards.map(card => Number(card.id.slice(5)))")


def count(page) -> str:
    return page.locator("#count").inner_text()


def choose(page, name: str, value: str) -> None:
    page.select_option(f"#choose-{name}", value)


def search(page, text: str) -> None:
    page.fill("#search", text)
    page.wait_for_timeout(250)


def look_everywhere(page) -> None:
    """Open what is folded and scroll to the end, so that everything is built that can be."""
    for _ in range(2):
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(200)
    page.evaluate("document.querySelectorAll('.case').forEach(one => one.scrollIntoView())")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["en", "zh-Hant", "alone", "fragment"])
def test_nothing_is_fetched_nothing_fails_and_nothing_runs_sideways(browser, folder, name, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    address = (folder / f"{name}.html").as_uri()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.goto(address)
    title = page.title()
    look_everywhere(page)
    assert requests == [address]
    assert errors == []
    assert page.title() == title != "owned"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_what_is_hostile_is_text_wherever_it_stands(page, told):
    look_everywhere(page)
    choose(page, "differences", "with_expected")
    look_everywhere(page)
    text = told(page.locator("#case-2"))
    assert text.count("</script><script>") >= 5  # question, answer, reasons of the judge, comment of an expert
    assert "U+202E" in text
    assert "\u202e" not in text
    assert page.locator("main img, main iframe, main .case svg, main script:not(#data)").count() == 0
    assert page.locator(".case a:not([href^='#'])").count() == 0
    assert page.title() == "Evaluation report"


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
    assert page.title() == "Evaluation report"


def test_outcomes_filter_for_the_chosen_candidate_and_count_as_the_verdict_does(page):
    found = rich()
    for measure in found.measures:
        choose(page, "candidate", "tuned")
        choose(page, "measure", measure)
        verdict = found.verdict("tuned", baseline="base", scorer=measure)
        for outcome, number in (("win", verdict.wins), ("loss", verdict.losses), ("tie", verdict.ties)):
            choose(page, "outcome", outcome)
            assert count(page) == f"{number} of 24 cases", (measure, outcome)


def test_missing_failed_and_contaminated_cases_are_found(page):
    choose(page, "candidate", "rag")
    for outcome, numbers in {"missing": [4], "failed": [4, 24], "contaminated": [8]}.items():
        choose(page, "outcome", outcome)
        assert shown(page) == numbers, outcome
    assert "in the training data" in page.locator("#case-8").text_content()


def test_categories_and_search_filter_too(page):
    choose(page, "category", "=退稅")
    assert count(page) == "8 of 24 cases"
    search(page, "第 10 個")
    assert shown(page) == [11]
    search(page, "旅客須知第 4 條")
    choose(page, "category", "")
    assert shown(page) == [5]  # in a source that nobody has unfolded
    search(page, "nowhere")
    assert page.locator("#no-match").is_visible()
    page.click("#clear")
    assert count(page) == "24 of 24 cases"


def test_other_widths_of_a_letter_are_found_and_hits_are_painted(page):
    before = page.inner_html("#case-5")
    search(page, "ＲＡＧ 說")
    assert len(shown(page)) > 10
    search(page, "20 公斤")
    assert page.evaluate("CSS.highlights.get('hit').size") > 20
    search(page, "")
    assert page.inner_html("#case-5") == before


def test_the_worst_and_the_best_come_first_when_asked(page):
    choose(page, "candidate", "rag")
    choose(page, "order", "worst_first")
    differences = "order => { const m = chosenMeasure(); return fitting.map(p => DATA.cases[p].differences[m][2]); }"
    known = [d for d in page.evaluate(differences) if d is not None]
    assert known == sorted(known)
    assert page.evaluate(differences)[-1] is None
    choose(page, "order", "best_first")
    known = [d for d in page.evaluate(differences) if d is not None]
    assert known == sorted(known, reverse=True)
    choose(page, "order", "longest_first")
    assert shown(page)[0] == 5


def test_a_number_of_the_verdict_leads_to_its_cases(page):
    verdict = rich().verdict("rag", baseline="base")
    link = page.locator(".cards .pick.win[data-candidate=rag]")
    assert link.inner_text() == f"▲ {verdict.wins} wins"
    search(page, "something else")
    link.click()
    assert count(page) == f"{verdict.wins} of 24 cases"
    assert page.input_value("#choose-candidate") == "rag"
    page.locator("#categories .pick[data-category=行李]").first.click()
    assert count(page) == "8 of 24 cases"


def test_a_failure_leads_to_its_case(page, told):
    choose(page, "outcome", "win")
    page.locator("#failures a", has_text="q3").first.click()
    page.locator("#case-4.current").wait_for()
    assert "no answer: TimeoutError" in told(page.locator("#case-4"))


def test_differences_are_marked_on_demand(page):
    card = page.locator("#case-6 .answer-column").first
    assert card.locator("ins, del").count() == 0
    choose(page, "differences", "with_expected")
    assert card.locator("ins").count()
    assert "underline" in card.locator("ins").first.evaluate("e => getComputedStyle(e).textDecorationLine")
    kept = page.evaluate("([a, b]) => changes(a, b)", ["票價 150 元，36 分鐘。", "票價 180 元，36 分鐘。"])
    assert kept == [["same", "票價 "], ["del", "150"], ["ins", "180"], ["same", " 元，36 分鐘。"]]
    choose(page, "differences", "with_baseline")
    assert card.locator("ins, del").count() == 0
    assert page.locator("#case-6 .answer-column").nth(1).locator("ins, del").count()


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", "abc"), ("abc", ""), ("a b c", "a b c"), ("甲乙丙丁", "甲丙丁戊")])
def test_differences_give_both_texts_back(page, a, b):
    found = page.evaluate("([a, b]) => changes(a, b)", [a, b])
    assert "".join(piece for kind, piece in found if kind != "del") == b
    rest = "".join(piece for kind, piece in found if kind != "ins")
    assert rest in (a, "")


def test_attempts_are_looked_at_one_after_the_other(page):
    column = page.locator("#case-7 .answer-column").nth(1)
    assert "第 1 次" in column.text_content()
    column.get_by_label("attempt 2").click()
    assert "第 2 次" in column.text_content()
    assert "✗ correct 0" in column.text_content()
    assert column.locator("[aria-pressed=true]").inner_text() == "2"


def test_calls_sources_judgments_and_votes_stand_with_their_answer(page):
    assert "book" in page.locator("#case-3 .answer-column").nth(2).locator(".call").text_content()
    assert "expected calls" in page.locator("#case-3 .asked").text_content()
    page.locator("#case-5 summary", has_text="Sources (2)").click()
    assert "旅客須知第 4 條" in page.locator("#case-5 .source").first.inner_text()
    judged = page.locator("#case-6 .judged li").all_text_contents()
    assert judged[0] == "gpt (saw it first): much better — 答案較正確。"
    assert judged[1] == "gpt (saw it second): slightly better — 答案較正確。"
    assert "Lin base against tuned: much worse" in page.locator("#case-2 .voted").text_content()


def test_answers_can_be_hidden(page):
    page.locator("#columns").get_by_label("rag").uncheck()
    assert page.locator("#case-1 .answer-column").count() == 2
    page.click("#clear")
    assert page.locator("#case-1 .answer-column").count() == 3


def test_a_long_answer_is_folded_and_a_huge_one_cut_with_a_note(page):
    card = page.locator("#case-5")
    folded, button = card.locator(".folded").first, card.locator(".unfold").first
    card.scroll_into_view_if_needed()
    low = folded.bounding_box()["height"]
    button.click()
    assert folded.bounding_box()["height"] > low
    assert "20,000 more characters are not on this page." in card.inner_text()
    assert "ended: length" in card.inner_text()


def test_keys_go_from_case_to_case_and_search(page):
    walked = []
    for key in "jjkj":
        page.keyboard.press(key)
        walked.append(page.evaluate("document.querySelector('.case.current').id"))
    assert walked == ["case-1", "case-2", "case-1", "case-2"]
    box, bar = page.locator("#case-2").bounding_box(), page.locator(".filters").bounding_box()
    assert bar["y"] + bar["height"] <= box["y"] + 1 < 900
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.input_value("#search") == "jk"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_a_link_to_a_case_finds_it_though_it_is_not_built(browser, folder):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((folder / "many.html").as_uri() + "#case-150")
    assert page.locator("#case-150").is_visible()
    assert page.evaluate("document.querySelector('.case.current').id") == "case-150"
    choose(page, "outcome", "win")
    page.evaluate("location.hash = '#case-1'")
    page.locator("#case-1.current").wait_for()
    page.close()


def test_two_thousand_cases_of_five_candidates_answer_at_once(browser, folder):
    page = browser.new_page()
    page.goto((folder / "many.html").as_uri())
    assert len(shown(page)) < 100  # built as they are looked at
    script = """text => { const begin = performance.now(); document.getElementById('search').value = text; show();
        document.body.offsetHeight; return performance.now() - begin; }"""
    first = page.evaluate(script, "第 1999 個問題")
    assert shown(page) == [2000]
    again = page.evaluate(script, "問題")
    assert count(page) == "2,000 of 2,000 cases"
    assert first < 3000  # the slowest machine of a test farm, not of a reader
    assert again < 1500
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("() => document.querySelectorAll('.case').length > 20")
    assert len(shown(page)) < 200
    page.close()


def test_without_a_script_the_first_cases_are_there(browser, folder):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((folder / "en.html").as_uri())
    assert page.get_by_text("tuned 說 0：20 公斤。").is_visible()
    assert page.get_by_text("The first 20 of 24 cases.").is_visible()
    assert not page.locator("#tools").is_visible()
    page.close()


def test_on_paper_there_are_cases_and_no_controls(page):
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(page)) == 24
    assert not page.locator(".filters").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 10_000


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


def test_controls_have_names_and_headings_step_down_one_at_a_time(page):
    unnamed = "all => all.filter(one => !one.ariaLabel && !one.labels?.length).map(one => one.outerHTML)"
    assert page.eval_on_selector_all("select, input", unnamed) == []
    assert page.eval_on_selector_all("svg[role=img]", "all => all.filter(one => !one.ariaLabel).length") == 0
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 or (before, after) == (2, 4) for before, after in pairwise(levels))


TEXTS = (
    "h1, h2, h3, h4, .soft, .outcome, .hero small, .card li, td, th, caption, .shares a, .badge, .checks li, .mark, "
    ".chip, .outcome-mark, .score, .meta, .reasons li, .no-answer, ins, del, dd, a, button, select, summary, .unseen, "
    "code"
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser, folder, scheme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    page = browser.new_page(color_scheme=scheme)
    page.goto((folder / "en.html").as_uri())
    page.select_option("#choose-differences", "with_expected")
    look_everywhere(page)
    found = page.eval_on_selector_all(TEXTS, GROUNDS)
    assert len({(tuple(ink), tuple(ground)) for _, ink, ground in found}) > 8
    for what, ink, ground in found:
        light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (what, ink, ground)
    page.close()


# The colours as they are painted: shades of the confusion matrix let the ground through.
GROUNDS = """all => all.map(element => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const layers = [];
  for (let one = element; one; one = one.parentElement) layers.unshift(getComputedStyle(one).backgroundColor);
  const painted = (colours) => {
    paint.clearRect(0, 0, 1, 1);
    for (const colour of ['#fff', ...colours]) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return [element.className || element.tagName, painted([...layers, getComputedStyle(element).color]), painted(layers)];
})"""


def luminance(colour) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_passage_of_a_document_leads_to_its_file_and_no_other_link_is_one(browser, tmp_path):
    links = ("file:///C:/docs/handbook.pdf#page=3", "javascript:alert(1)")
    given = ft.Answer("b", sources=("handbook.pdf, p. 3\n<b>要先申請。", "a.md\nx"), links=links)
    cases = [ft.Case("1", (ft.Message(role="user", content="q"),), "b")]
    report = ft.Evaluator([ft.ExactMatch()], store=":memory:").run(cases, candidates=[ft.Recorded([given], ids=["1"])])
    (tmp_path / "linked.html").write_text(report_page(report, lang="en"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "linked.html").as_uri())
    look_everywhere(page)
    look_everywhere(page)
    found = page.eval_on_selector_all(".source a", "all => all.map(one => [one.getAttribute('href'), one.textContent])")
    assert found == [[links[0], "handbook.pdf, p. 3"]]
    assert page.locator(".source").first.inner_text() == "handbook.pdf, p. 3\n<b>要先申請。"
    page.close()

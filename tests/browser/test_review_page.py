"""The review page as experts use it: a real browser, from disk, with the network off; one part for each requirement."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from finetune_lib.evaluation.review import Beside, Practice, ReviewServer, collect_votes, write_review
from finetune_lib.evaluation.review.keys import load_key
from finetune_lib.evaluation.review.states import read_states
from finetune_lib.records import Message

OURS, BASE = "zq-tuned", "zq-base"
OWNED = "document.title='owned'"
HOSTILE = (
    f'</script><script>{OWNED}</script><img src=http://127.0.0.1:9/x onerror="{OWNED}"><svg onload="{OWNED}">'
    f"\n\n![secret](http://127.0.0.1:9/pixel.png) [click](javascript:{OWNED}) [go](http://127.0.0.1:9/)\n\n"
    f"<iframe srcdoc='<script>{OWNED}</script>'></iframe> \u2028 \u2029 <!-- ]]> &lt;b&gt; `<b>` **<i>bold</i>**"
)
LONG = "\n\n".join(f"第 {n} 段：登機前請先確認行李的重量與證件。" * 4 for n in range(30))
STRUCTURED = (
    "# Steps\n\n1. Go to **desk 4**\n2. Show `ticket`\n   - and passport\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx < 1\n```"
)


def beside(number: int, **more) -> Beside:
    answers = {OURS: f"答案 {number}：七個工作天，手續費一千元。", BASE: f"答案 {number}：大約七天，手續費另計。"}
    return Beside(
        f"case-{number}", f"問題 {number}：退票要多久？", more.pop("answers", answers), category="zq-refund", **more
    )


@pytest.fixture(scope="module")
def make(tmp_path_factory) -> Callable[..., Path]:
    def write(items, **options) -> Path:
        return write_review(tmp_path_factory.mktemp("review") / "review.html", items, **options)

    return write


@pytest.fixture(scope="module")
def plain(make) -> Path:
    """30 items, two of them with identical answers, in English."""
    items = [beside(n, expected="參考：七個工作天。", context="票價規定") for n in range(28)]
    same = [Beside(f"same-{n}", f"一樣嗎 {n}", {OURS: "一樣", BASE: "一樣\n"}) for n in range(2)]
    return make(
        [*items, *same], language="en", reviewers=["Dr. Lin", "Dr. Chen"], rubric=["Correct", "Polite"], practice=()
    )


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    """One expert's browser: storage lasts as long as it, the network is off."""
    opened = browser.new_context(
        viewport={"width": 1280, "height": 900}, offline=True, locale="en-US", accept_downloads=True
    )
    yield opened
    opened.close()


def visit(context: BrowserContext, path: Path) -> Page:
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("request", lambda request: page.problems.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return page


def start(context: BrowserContext, path: Path, rater: str = "Dr. Lin") -> Page:
    page = visit(context, path)
    page.fill("#rater", rater)
    page.keyboard.press("Enter")
    page.wait_for_selector("#work:not([hidden])")
    return page


def leave(page: Page) -> None:
    """Close the page once another one sees what it stored: the browser keeps that in a process of its own."""
    stored = page.evaluate("Object.entries(localStorage)")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function("stored => stored.every(([key, value]) => localStorage[key] === value)", arg=stored)
    other.close()
    page.close()


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def heading(page: Page) -> str:
    return page.inner_text("#heading")


def kept(page: Page) -> dict:
    """What the browser has kept."""
    return page.evaluate(
        "JSON.parse(localStorage.getItem(Object.keys(localStorage).find(k => /^review:[0-9a-f]{24}:/.test(k))))"
    )


def export(page: Page, folder: Path, name: str = "votes.json") -> Path:
    if not page.locator("#end").is_visible():
        keys(page, "p")
    with page.expect_download() as download:
        page.click("#end [data-act=save-file]")
    download.value.save_as(folder / name)
    return folder / name


def key_of(path: Path, home: Path):
    return load_key(home / "reviews" / f"{data_of(path)['set']}.json")


def data_of(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])


# 1. Blind


def test_1_neither_page_nor_export_tells_who_is_who(context, plain, home, tmp_path):
    page = start(context, plain)
    keys(page, *("1", "Enter") * 28)
    text = plain.read_text(encoding="utf-8") + export(page, tmp_path).read_text(encoding="utf-8") + page.content()
    for name in (OURS, BASE, "zq-", "case-", "same-", "refund", "finetune"):
        assert name not in text
    slots = [item.slots[0] for item in key_of(plain, home).items.values()]
    assert 4 < slots.count(OURS) < 24
    assert [item["id"] for item in data_of(plain)["items"]] == sorted(key_of(plain, home).items)
    assert page.problems == []


def test_1_identical_answers_are_ties_that_nobody_sees(context, plain, tmp_path):
    page = start(context, plain)
    keys(page, "l")
    assert page.locator("#items li").count() == 28 + 2  # and two repetitions
    keys(page, "Escape")
    assert "一樣嗎" not in plain.read_text(encoding="utf-8")
    keys(page, "5")
    votes = collect_votes(export(page, tmp_path))
    assert len(votes.identical) == 2
    assert votes.preferences(OURS, BASE)["same-0"] == {"Dr. Lin": 0.0}


# 2. Sides


@pytest.fixture(scope="module")
def walked(browser, plain, tmp_path_factory) -> dict[str, dict]:
    """What three raters exported who looked at everything."""
    folder = tmp_path_factory.mktemp("walked")
    found = {}
    for rater in ("Dr. Lin", "Dr. Chen", "王小姐"):
        with browser.new_context(offline=True, locale="en-US") as own:
            page = start(own, plain, rater)
            keys(page, *("3", "Enter") * 30)
            found[rater] = json.loads(export(page, folder, f"{rater}.json").read_text(encoding="utf-8"))
    return found


def test_2_each_candidate_is_on_the_left_as_often_as_on_the_right(walked, plain, home):
    items = key_of(plain, home).items
    for state in walked.values():
        votes = state["votes"]
        lefts = [items[vote["item"]].slots[vote["left"]] for vote in votes]
        first = [left for left, vote in zip(lefts, votes, strict=True) if vote["showing"] == 1]
        assert len(first) == 28
        assert abs(first.count(OURS) - 14) <= 1
        assert abs(lefts.count(OURS) - len(lefts) / 2) <= 1


def test_2_sides_differ_between_raters_and_are_kept_with_the_vote(walked):
    sides = [{v["item"]: v["left"] for v in state["votes"] if v["showing"] == 1} for state in walked.values()]
    assert all(one.keys() == sides[0].keys() for one in sides)
    assert sides[0] != sides[1] != sides[2] != sides[0]


def test_2_what_is_on_the_left_is_what_the_export_says(context, plain):
    page = start(context, plain)
    keys(page, "1")
    vote = kept(page)["votes"][0]
    shown = next(item for item in data_of(plain)["items"] if item["id"] == vote["item"])
    assert page.inner_text("#left .body") == shown["answers"][vote["left"]]["text"]
    assert page.inner_text("#right .body") == shown["answers"][1 - vote["left"]]["text"]


# 3. Order


def test_3_the_order_is_the_raters_own_with_a_common_core_first(walked, plain):
    orders = []
    for state in walked.values():
        first = [v["item"] for v in sorted(state["votes"], key=lambda v: v["position"]) if v["showing"] == 1]
        orders.append(first)
    core = data_of(plain)["core"]
    assert core == 20
    assert len({frozenset(order[:core]) for order in orders}) == 1
    assert len({tuple(order[:core]) for order in orders}) == 3
    assert len({tuple(order[core:]) for order in orders}) == 3


def test_3_repetitions_come_later_with_the_sides_swapped(walked):
    for state in walked.values():
        again = [vote for vote in state["votes"] if vote["showing"] == 2]
        assert len(again) == 2
        for vote in again:
            first = next(v for v in state["votes"] if v["item"] == vote["item"] and v["showing"] == 1)
            assert vote["position"] - first["position"] > 10
            assert vote["left"] == 1 - first["left"]


# 4. Choices

CHOICES = {
    "1": "left_much", "2": "left", "3": "same", "4": "right", "5": "right_much",
    "g": "both_good", "b": "both_bad", "s": "skip", "q": "wrong_question",
}  # fmt: skip


def test_4_every_choice_has_a_button_and_a_key(context, plain):
    page = start(context, plain)
    for key, choice in CHOICES.items():
        keys(page, key)
        assert page.is_checked(f"#choices input[value={choice}]")
        assert page.inner_text(f".choice.{choice} kbd").lower() == key
        page.click(".choice.same" if choice != "same" else ".choice.left")
        page.click(f".choice.{choice}")
        assert kept(page)["votes"][0]["choice"] == choice
    assert page.locator("#choices input:checked").count() == 1


def test_4_tags_a_comment_and_points_go_with_the_vote(context, plain, tmp_path):
    page = start(context, plain)
    assert not page.locator("#criteria").is_visible()
    keys(page, "1")
    page.get_by_label("Wrong fact").check()
    page.get_by_label("Too long").check()
    page.fill("#comment", "少了手續費 🙂")
    page.click("#rubric summary")
    page.locator("#criteria fieldset").nth(1).get_by_label("Right").check()
    keys(page, "Enter", "2")
    first, second = (page_vote for page_vote in kept(page)["votes"])
    assert first["reasons"] == ["wrong_fact", "too_long"]
    assert first["comment"] == "少了手續費 🙂"
    assert first["rubric"] == {"Polite": "right"}
    assert (second["reasons"], second["comment"], second["rubric"]) == ([], "", {})
    votes = collect_votes(export(page, tmp_path))
    (quote,) = votes.quotes(votes.votes[0].right)["wrong_fact"]
    assert quote.comment == "少了手續費 🙂"


# 5. Keyboard

PRESS = "options => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...options}))"


def test_5_twenty_votes_without_a_mouse_closed_resumed_exported_collected(context, plain, tmp_path):
    page = visit(context, plain)
    keys(page, *["Tab"] * 6)
    page.keyboard.type("Dr. Wu")
    keys(page, "Enter")
    said = ["1", "2", "3", "4", "5", "g", "b", "s", "1", "2", "4"]
    for key in said:
        keys(page, key, "Enter")
    leave(page)
    page = visit(context, plain)
    assert page.inner_text("#welcome") == "Welcome back. Continue at item 12?"
    keys(page, *["Tab"] * 7)
    assert page.evaluate("document.activeElement.id") == "rater"
    keys(page, "Enter")
    assert heading(page) == "Item 12 of 30"
    for key in ["5", "4", "2", "1", "q", "3", "1", "2", "4"]:
        keys(page, key, "Enter")
    keys(page, "p", "Tab")
    with page.expect_download() as download:
        keys(page, "Enter")
    download.value.save_as(tmp_path / "votes.json")
    votes = collect_votes(tmp_path / "votes.json")
    assert votes.raters == ("Dr. Wu",)
    assert len(votes.votes) == 20
    assert [v.choice for v in votes.votes][:4] == ["left_much", "left", "same", "right"]
    assert len(votes.skipped) == len(votes.flagged) == 1
    assert votes.verdict(OURS, BASE).missing <= 2
    assert page.problems == []


def test_5_no_key_acts_while_somebody_types(context, plain):
    page = start(context, plain)
    keys(page, "c")
    page.keyboard.type("1b?sq")
    keys(page, "Enter", "Backspace", "ArrowLeft", "ArrowRight", "Control+z")
    assert heading(page) == "Item 1 of 30"
    assert page.locator("#choices input:checked").count() == 0
    keys(page, "Escape", "1")
    assert page.is_checked("#choices input[value=left_much]")


def test_5_no_key_acts_while_an_input_method_puts_characters_together(context, plain):
    page = start(context, plain)
    for options in (
        {"key": "1", "code": "Digit1", "isComposing": True},
        {"key": "Process", "code": "Digit1", "keyCode": 229},
        {"key": "b", "code": "KeyB", "keyCode": 229},
        {"key": "Enter", "code": "Enter", "isComposing": True},
    ):
        page.evaluate(PRESS, options)
        assert page.locator("#choices input:checked").count() == 0
    page.evaluate(PRESS, {"key": "1", "code": "Digit1"})
    assert page.is_checked("#choices input[value=left_much]")


def test_5_a_composition_in_the_comment_is_only_text(context, plain):
    page = start(context, plain)
    keys(page, "c")
    session = context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "ㄅ1", "selectionStart": 2, "selectionEnd": 2})
    keys(page, "1", "2", "Enter", "Escape")
    session.send("Input.insertText", {"text": "病"})
    assert page.locator("#choices input:checked").count() == 0
    assert heading(page) == "Item 1 of 30"
    assert "病" in page.input_value("#comment")


def test_5_digits_and_letters_work_on_other_boards(context, plain):
    page = start(context, plain)
    page.evaluate(PRESS, {"key": "&", "code": "Digit1"})
    assert page.is_checked("#choices input[value=left_much]")
    page.evaluate(PRESS, {"key": "и", "code": "KeyB"})
    assert page.is_checked("#choices input[value=both_bad]")
    page.evaluate(PRESS, {"key": "5", "code": "Numpad5"})
    assert page.is_checked("#choices input[value=right_much]")


def test_5_arrows_move_and_help_lists_every_key(context, plain):
    page = start(context, plain)
    keys(page, "ArrowRight", "ArrowRight")
    assert heading(page) == "Item 3 of 30"
    page.click(".choice.left")
    keys(page, "ArrowLeft")
    assert heading(page) == "Item 2 of 30"
    keys(page, "?")
    listed = " ".join(page.locator("#keys-list kbd").all_inner_texts())
    shown = [text for text in page.locator("button kbd, .choice kbd, label kbd").all_inner_texts() if text]
    assert all(key in listed or key in "12345⌫←" for key in shown)
    keys(page, "1")
    assert page.locator("#choices input:checked").count() == 0
    keys(page, "Escape", "1")
    assert page.is_checked("#choices input[value=left_much]")


def test_5_single_keys_can_be_turned_off(context, plain):
    """WCAG 2.2, 2.1.4."""
    page = start(context, plain)
    keys(page, "?")
    page.uncheck("#keys-on")
    keys(page, "Escape", "1", "b")
    assert page.locator("#choices input:checked").count() == 0
    page.click(".choice.same")
    keys(page, "Enter")
    assert heading(page) == "Item 2 of 30"


# 6. Undo and revise


def test_6_the_last_vote_is_undone_with_one_key_and_history_stays(context, plain, tmp_path):
    page = start(context, plain)
    keys(page, "1", "Enter", "2", "Enter")
    keys(page, "Backspace")
    assert heading(page) == "Item 2 of 30"
    assert page.locator("#choices input:checked").count() == 0
    expect(page.locator("#status")).to_have_text("The vote on item 2 is undone.")
    keys(page, "Control+z")
    assert heading(page) == "Item 1 of 30"
    keys(page, "5", "4")
    assert [step["choice"] for step in kept(page)["votes"][0]["history"]] == ["left_much", None, "right_much", "right"]
    keys(page, "Backspace")
    assert page.is_checked("#choices input[value=right_much]")
    (vote,) = collect_votes(export(page, tmp_path)).votes
    assert vote.history == ("left_much", None, "right_much", "right", "right_much")
    assert vote.choice == "right_much"


def test_6_undo_works_after_the_page_was_opened_again(context, plain):
    page = start(context, plain)
    keys(page, "1", "Enter", "2", "Enter")
    leave(page)
    page = start(context, plain)
    keys(page, "Backspace")
    assert heading(page) == "Item 2 of 30"


def test_6_any_item_is_reached_from_the_list(context, plain):
    page = start(context, plain)
    keys(page, "1", "Enter", "s", "Enter", "3")
    page.fill("#comment", "hm")
    keys(page, "Escape", "l")
    texts = page.locator("#items button").all_inner_texts()
    assert "done" in texts[0]
    assert "skipped" in texts[1]
    assert "with a comment" in texts[2]
    assert "you are here" in texts[2]
    assert "open" in texts[3]
    page.locator("#items button").first.click()
    assert heading(page) == "Item 1 of 30"
    assert page.is_checked("#choices input[value=left_much]")
    keys(page, "2", "Enter", "Enter")
    assert page.input_value("#comment") == "hm"


# 7. Progress


def test_7_progress_tells_the_time_left_at_the_raters_own_pace(context, plain):
    page = context.new_page()
    page.clock.install()
    page.goto(plain.as_uri())
    page.fill("#rater", "Dr. Lin")
    keys(page, "Enter")
    assert page.inner_text("#progress-text") == "0 of 30 done"
    for seconds in (50, 60, 600):
        page.clock.run_for(seconds * 1000)
        keys(page, "2", "Enter")
    assert page.inner_text("#progress-text") == "3 of 30 done, about 27 min left"
    assert page.locator("#progress").evaluate("e => e.value") == pytest.approx(0.1)
    assert [round(vote["seconds"]) for vote in kept(page)["votes"]] == [50, 60, 600]


def test_7_a_break_is_suggested_and_never_forced(context, plain):
    page = context.new_page()
    page.clock.install()
    page.goto(plain.as_uri())
    page.fill("#rater", "Dr. Lin")
    keys(page, "Enter")
    page.clock.run_for(26 * 60 * 1000)
    assert not page.locator("#break").is_visible()
    keys(page, "2", "Enter")
    assert page.locator("#break").is_visible()
    keys(page, "2", "Enter")
    assert not page.locator("#break").is_visible()
    assert heading(page) == "Item 3 of 30"


def test_7_one_can_stop_at_any_time_and_go_on(context, plain):
    page = start(context, plain)
    keys(page, "1", "Enter")
    page.click("[data-act=stop]")
    assert page.inner_text("#end-counts") == "1 items done, 29 still open."
    page.click("[data-act=go-on]")
    assert heading(page) == "Item 2 of 30"


def test_7_behind_the_last_item_come_those_that_are_open_then_thanks(context, plain):
    page = start(context, plain)
    keys(page, "ArrowRight", *("3", "Enter") * 29)
    assert heading(page) == "Item 1 of 30"
    keys(page, "Enter")
    assert heading(page) == "Item 1 of 30"
    keys(page, "3", "Enter")
    assert page.inner_text("#end-title") == "Thank you, that is all."


# 8. Resume


def test_8_several_raters_share_one_computer(context, plain):
    page = start(context, plain, "A")
    keys(page, "1", "Enter", "1", "Enter")
    leave(page)
    page = start(context, plain, "  B  ")
    assert heading(page) == "Item 1 of 30"
    leave(page)
    page = visit(context, plain)
    names = page.locator("#names button")
    assert {"A", "Dr. Lin", "Dr. Chen"} <= set(names.all_inner_texts())
    names.get_by_text("A", exact=True).click()
    assert page.inner_text("#begin") == "Continue at item 3"


def test_8_a_comment_alone_is_kept_when_the_page_is_closed(context, plain):
    page = start(context, plain)
    other = visit(context, plain)
    page.fill("#comment", "noch nicht fertig")
    page.close(run_before_unload=True)
    is_kept = "() => Object.values(localStorage).some(kept => kept.includes('noch nicht fertig'))"
    for _ in range(100):  # waiting inside the page would be stopped by its own policy
        if other.evaluate(is_kept):
            break
        other.wait_for_timeout(50)
    page = start(context, plain)
    assert page.input_value("#comment") == "noch nicht fertig"


FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"


def test_8_a_browser_that_keeps_nothing_says_so_at_once(context, plain, tmp_path):
    context.add_init_script(FULL)
    page = visit(context, plain)
    assert page.locator("#alert").is_visible()
    assert "cannot be kept" in page.inner_text("#alert")
    page.fill("#rater", "Dr. Lin")
    keys(page, "Enter", "1", "Enter", "2")
    assert len(collect_votes(export(page, tmp_path)).votes) == 2


def test_8_storage_that_fills_up_later_is_told_at_that_vote(context, plain):
    page = start(context, plain)
    keys(page, "1", "Enter")
    assert not page.locator("#alert").is_visible()
    page.evaluate(f"() => {{ {FULL} }}")
    keys(page, "2")
    assert page.locator("#alert").is_visible()
    with page.expect_download():
        page.click("#alert button")


def test_8_a_saved_file_goes_on_in_another_browser(browser, context, plain, tmp_path):
    page = start(context, plain)
    keys(page, "1", "Enter", "2", "Enter")
    file = export(page, tmp_path)
    with browser.new_context(offline=True, locale="en-US") as other:
        page = visit(other, plain)
        page.set_input_files(
            "#file", files=[{"name": "x.json", "mimeType": "application/json", "buffer": b'{"set": 1}'}]
        )
        expect(page.locator("#name-missing")).to_contain_text("belongs to other questions")
        page.set_input_files("#file", str(file))
        expect(page.locator("#heading")).to_have_text("Item 3 of 30")
        keys(page, "3")
        assert len(kept(page)["votes"]) == 3


def test_8_two_windows_of_one_rater_do_not_lose_votes(context, plain):
    one, other = start(context, plain), start(context, plain)
    keys(one, "1", "Enter", "2", "Enter")
    expect(other.locator("#progress-text")).to_have_text("2 of 30 done")
    keys(other, "ArrowRight", "ArrowRight", "4")
    assert len(kept(one)["votes"]) == 3


# 9. Offline, single file, hostile content


@pytest.fixture(scope="module")
def hostile(make) -> Path:
    items = [
        beside(n, answers={OURS: HOSTILE, BASE: "fine"}, expected=HOSTILE, context=HOSTILE, sources={OURS: HOSTILE})
        for n in range(2)
    ]
    asked = [Message(role="system", content=HOSTILE), Message(role="user", content=HOSTILE)]
    return make(
        [Beside(HOSTILE, asked, {OURS: "a", BASE: HOSTILE}), *items],
        title=HOSTILE, guidelines=HOSTILE, reasons=[HOSTILE], rubric=[HOSTILE], reviewers=[HOSTILE[:79]], language="en",
        practice=[Practice(HOSTILE, left=HOSTILE, right="b", choice="right", explanation=HOSTILE)],
    )  # fmt: skip


def test_9_hostile_answers_neither_run_nor_fetch(context, hostile, tmp_path):
    page = visit(context, hostile)
    page.locator("#names button").click()
    keys(page, "Enter", "h", "Escape", "4", "Enter")
    for _ in range(3):
        keys(page, "e", "d", "f", "d", "f", "1")
        page.get_by_label(HOSTILE[:30]).first.check()
        page.fill("#comment", HOSTILE)
        page.keyboard.press("Escape")
        keys(page, "Enter")
    keys(page, "p")
    page.wait_for_timeout(200)
    assert page.evaluate("document.title") != "owned"
    assert page.problems == []
    assert (
        page.evaluate(
            "[...document.querySelectorAll('img, iframe, svg, a, script:not([id]):not([type=module])')].length"
        )
        == 0
    )
    (vote, *_) = collect_votes(export(page, tmp_path)).comments
    assert vote.comment == HOSTILE.strip()


def test_9_hostile_text_is_shown_as_text(context, hostile):
    page = start(context, hostile, "x")
    keys(page, "4", "Enter")
    keys(page, "l")
    page.locator("#items button").nth(1).click()
    text = page.inner_text("#answers")
    assert "<img src=http://127.0.0.1:9/x" in text
    assert "secret (http://127.0.0.1:9/pixel.png)" in text
    assert "click (javascript:" in text


def test_9_what_got_into_the_page_could_not_act_either(context, plain):
    page = start(context, plain)
    stopped = []
    page.on("requestfailed", lambda request: stopped.append(request.failure))
    with page.expect_event("requestfailed"):
        page.evaluate(
            "html => { document.body.insertAdjacentHTML('beforeend', html);"
            " const script = document.createElement('script'); script.textContent = 'document.title = 1';"
            " document.body.append(script); fetch('http://127.0.0.1:9/').catch(() => {}); }",
            f'<img src="http://127.0.0.1:9/y" onerror="{OWNED}"><iframe src="http://127.0.0.1:9/z"></iframe>',
        )
    page.wait_for_timeout(300)
    assert set(stopped) == {"csp"}
    assert page.title() == "Which answer is better?"


def test_9_two_hundred_items_are_less_than_two_megabytes(make, context):
    answer = "請於登機前九十分鐘到櫃檯報到，並出示護照與簽證。" * 25
    path = make([beside(n, answers={OURS: f"{n}{answer}", BASE: f"{answer}{n}"}, expected=answer) for n in range(200)])
    assert path.stat().st_size < 2_000_000
    page = start(context, path)
    keys(page, "Escape")
    assert page.problems == []


def test_9_markdown_is_shown_by_nodes(make, context):
    path = make([beside(1, answers={OURS: STRUCTURED, BASE: "5 * 3 * 2 snake_case_name #tag\nnext line"})], practice=())
    page = start(context, path)
    assert page.locator(".answer .body").locator("ol > li").count() == 2
    assert page.locator(".answer .body").locator("ul > li").inner_text() == "and passport"
    assert page.locator(".answer .body strong").inner_text() == "desk 4"
    assert page.locator(".answer .body td").all_inner_texts() == ["1", "2"]
    assert page.locator(".answer .body pre").inner_text() == "x < 1"
    assert "5 * 3 * 2 snake_case_name #tag\nnext line" in page.locator("#answers").inner_text()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "*" * 50_000,
        "**a " * 20_000,
        "`" * 50_000,
        "| " * 20_000,
        "- " * 20_000,
        "> " * 9_000,
        "[a](" * 20_000,
    ],
)
def test_9_no_answer_makes_the_page_hang(make, context, text):
    path = make([beside(1, answers={OURS: text, BASE: "b"})], practice=())
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(path.as_uri())
    page.fill("#rater", "x")
    keys(page, "Enter")
    keys(page, "1")
    assert page.is_checked("#choices input[value=left_much]")


# 10. Export and import


def test_10_votes_are_copied_to_the_clipboard(context, plain):
    page = start(context, plain)
    keys(page, "1", "Enter", "p")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-act=copy]")
    expect(page.locator("#copied")).to_have_text("Copied. Paste it into an e-mail.")
    text = page.evaluate("navigator.clipboard.readText()")
    assert len(collect_votes([text]).votes) == 1


def test_10_raters_are_merged_and_repeats_measure_them(walked):
    votes = collect_votes(walked.values())
    assert votes.raters == ("Dr. Lin", "Dr. Chen", "王小姐")
    assert len(votes.votes) == 90
    assert {rater: found.share for rater, found in votes.self_consistency.items()} == dict.fromkeys(votes.raters, 1.0)
    assert votes.percent_agreement() == 1.0


def test_10_file_names_are_safe(context, plain, tmp_path):
    page = start(context, plain, "../Dr. <Lin>")
    keys(page, "1", "p")
    with page.expect_download() as download:
        page.click("#end [data-act=save-file]")
    assert re.fullmatch(r"review--?Dr-Lin-+[0-9a-f]{6}\.json", download.value.suggested_filename)


# 12. Chinese and fonts


def test_12_each_text_has_its_language_and_its_letters_room(make, context):
    answers = {OURS: "請於登機前九十分鐘到櫃檯辦理報到手續。", BASE: "请于登机前九十分钟到柜台办理报到手续。"}
    path = make([beside(1, answers=answers)], language="zh-Hant", practice=())
    page = start(context, path)
    style = (
        "e => { const s = getComputedStyle(e); const size = parseFloat(s.fontSize);"
        " return [e.lang, e.dir, s.fontFamily, parseFloat(s.lineHeight) / size, size]; }"
    )
    found = {body[0]: body for body in (page.locator(f"#{side} .body").evaluate(style) for side in ("left", "right"))}
    assert set(found) == {"zh-Hant", "zh-Hans"}
    for lang, (_, direction, font, height, size) in found.items():
        assert direction == "auto"
        assert height >= 1.7
        assert size >= 16
        assert ("TC" in font) == (lang == "zh-Hant")
    assert page.evaluate("document.documentElement.lang") == "zh-Hant"


def test_12_italics_are_not_slanted_in_chinese_and_right_to_left_reads_so(make, context):
    path = make([beside(1, answers={OURS: "這個*很重要*的們", BASE: "مرحبا بالعالم"})], practice=())
    page = start(context, path)
    assert page.locator("em").evaluate("e => getComputedStyle(e).fontStyle") == "normal"
    arabic = page.locator(".answer .body p", has_text="مرحبا")
    assert arabic.evaluate("e => getComputedStyle(e).direction") == "rtl"


@pytest.mark.parametrize(
    ("lang", "title"),
    [("en", "Which answer is better?"), ("zh-Hant", "哪一個回答比較好？"), ("zh-Hans", "哪一个回答更好？")],
)
def test_12_the_language_can_be_changed_at_any_place(context, plain, lang, title):
    page = start(context, plain)
    keys(page, "1", "Enter")
    page.fill("#comment", "stays")
    page.select_option("#language", lang)
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.title() == title
    assert page.input_value("#comment") == "stays"
    assert "2" in heading(page)
    leave(page)
    page = visit(context, plain)
    assert page.inner_text("#title") == title


@pytest.mark.parametrize(
    ("locale", "lang"), [("zh-TW", "zh-Hant"), ("zh-CN", "zh-Hans"), ("zh-Hant-HK", "zh-Hant"), ("de-DE", "en")]
)
def test_12_by_default_the_page_speaks_the_language_of_the_browser(browser, make, locale, lang):
    path = make([beside(1)])
    with browser.new_context(locale=locale) as own:
        page = visit(own, path)
        assert page.evaluate("document.documentElement.lang") == lang


# 13. Accessibility

TEXTS = (
    "h1, h2, p, button, label, legend, summary, kbd, .soft, .who, .face span, .symbol, .address, mark, code, td, li,"
    "option, dt, dd, textarea, .state"
)
GROUNDS = """all => all.filter(e => e.getClientRects().length).map(element => {
  let ground = element;
  while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
  let shown = 1;
  for (let above = element; above; above = above.parentElement) shown *= Number(getComputedStyle(above).opacity);
  const [ink, below] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
  return [element.className || element.tagName, ink, below, shown];
})"""


def luminance(colour) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(text: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", text)[:3]]


def contrasts(page: Page) -> dict[str, float]:
    found = {}
    for what, ink, ground, shown in page.eval_on_selector_all(TEXTS, GROUNDS):
        over = [i * shown + g * (1 - shown) for i, g in zip(colours(ink), colours(ground), strict=True)]
        light, dark = sorted((luminance(over), luminance(colours(ground))), reverse=True)
        found[f"{what} {ink} {ground}"] = (light + 0.05) / (dark + 0.05)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_13_every_text_stands_out_from_its_ground(browser, make, scheme):
    items = [
        beside(n, answers={OURS: STRUCTURED + "\n\n[a](http://b) > c", BASE: ""}, expected="x", sources={OURS: "s"})
        for n in range(3)
    ]
    path = make(items, guidelines="- guide", rubric=["r"], reviewers=["A"], language="en")
    with browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}) as own:
        page = visit(own, path)
        seen = contrasts(page)
        page.fill("#rater", "A")
        keys(page, "Enter", "1")
        seen |= contrasts(page)
        keys(page, "Enter", "1", "Enter", "4", "e", "d")
        seen |= contrasts(page)
        keys(page, "l")
        seen |= contrasts(page)
        keys(page, "Escape", "p")
        seen |= contrasts(page)
    assert len(seen) > 30
    assert {what: ratio for what, ratio in seen.items() if ratio < 4.5} == {}


def test_13_choices_are_a_radio_group_and_saving_is_announced(context, plain):
    page = start(context, plain)
    group = page.get_by_role("radiogroup", name="Which answer is better?")
    assert group.get_by_role("radio").count() == 9
    status = page.locator("#status")
    assert status.get_attribute("aria-live") == "polite"
    keys(page, "1")
    expect(status).to_have_text("Saved")
    group.get_by_role("radio").first.focus()
    keys(page, "ArrowRight")
    assert page.is_checked("#choices input[value=left]")
    assert heading(page) == "Item 1 of 30"
    keys(page, "Enter")
    assert heading(page) == "Item 2 of 30"


def test_13_enter_without_a_choice_tells_what_is_missing(context, plain):
    page = start(context, plain)
    keys(page, "Enter")
    expect(page.locator("#status")).to_have_text("Choose first, or skip this item.")
    assert heading(page) == "Item 1 of 30"
    assert page.locator("#hint").is_visible()


def test_13_focus_is_seen_wherever_it_goes(context, plain):
    page = start(context, plain)
    seen = set()
    for _ in range(40):
        keys(page, "Tab")
        name, outline = page.evaluate(
            "() => { const e = document.activeElement; const seen = e.matches('#choices input') ? e.nextSibling :"
            " e.matches('.tag input') ? e.parentElement : e; const s = getComputedStyle(seen);"
            " const outline = e === document.body ? 'body' : s.outlineStyle + parseFloat(s.outlineWidth);"
            " return [e.id || e.dataset.act || e.value || e.tagName, outline]; }"
        )
        if outline == "body":
            continue
        seen.add(name)
        assert outline.startswith(("solid", "auto")), name
    assert {"comment", "next", "list", "language"} <= seen


@pytest.mark.parametrize(("width", "height"), [(640, 450), (390, 844), (320, 600), (1280, 900)])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_13_nothing_scrolls_sideways_at_any_width_or_zoom(browser, make, width, height, lang):
    """640 pixels are a desktop at 200 %."""
    items = [beside(n, answers={OURS: STRUCTURED + "\n" + "x" * 300, BASE: LONG}) for n in range(2)]
    path = make(items, language=lang, guidelines="x" * 200)
    with browser.new_context(viewport={"width": width, "height": height}) as own:
        page = visit(own, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.fill("#rater", "A")
        keys(page, "Enter", "1", "Enter", "1", "Enter", "e")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        left, right = (page.locator(f"#{side}").bounding_box() for side in ("left", "right"))
        if width < 900:
            assert right["y"] >= left["y"] + left["height"]
        else:
            assert abs(right["y"] - left["y"]) < 1


def test_13_nothing_moves_and_no_choice_is_told_by_colour_alone(context, plain):
    page = start(context, plain)
    keys(page, "2")
    marks = page.eval_on_selector_all(".face", "all => all.map(e => getComputedStyle(e, '::before').content)")
    assert [mark != "none" for mark in marks] == [False, True] + [False] * 7
    moving = (
        "[...document.querySelectorAll('*')].some(e => { const s = getComputedStyle(e);"
        " return parseFloat(s.transitionDuration) || s.animationName !== 'none'; })"
    )
    assert not page.evaluate(moving)


def test_13_targets_are_large_enough(context, plain):
    """WCAG 2.2, 2.5.8: 24 by 24."""
    page = start(context, plain)
    sizes = page.eval_on_selector_all(
        "button, select, .choice, .tag, summary",
        "all => all.filter(e => e.getClientRects().length).map(e => [e.textContent, e.offsetWidth, e.offsetHeight])",
    )
    assert [size for size in sizes if min(size[1:]) < 24] == []


# 14. Reading aids


def test_14_reference_and_context_are_folded_until_asked_for(context, plain):
    page = start(context, plain)
    reference = page.get_by_text("參考：七個工作天。")
    assert not reference.is_visible()
    page.get_by_text("A reference answer").click()
    assert reference.is_visible()
    keys(page, "1", "Enter")
    assert not page.get_by_text("參考：七個工作天。").is_visible()


def test_14_sources_are_folded_on_both_sides_alike(make, context):
    path = make([beside(1, sources={OURS: "FAQ 3"})], language="en", practice=())
    page = start(context, path)
    folds = page.locator(".based details")
    assert folds.count() == 2
    assert len(set(folds.locator("summary").all_inner_texts())) == 1
    assert not page.get_by_text("FAQ 3").is_visible()
    keys(page, "e")
    assert page.get_by_text("FAQ 3").is_visible()
    assert page.get_by_text("Nothing is given.").is_visible()


def test_14_differences_are_marked_on_demand_and_only_for_this_item(context, plain):
    page = start(context, plain)
    assert page.locator("mark").count() == 0
    before = page.inner_text("#answers")
    keys(page, "d")
    marked = "".join(page.locator("mark").all_inner_texts())
    assert set("七大約一千元") & set(marked)
    assert "答案" not in marked
    assert page.inner_text("#answers") == before
    keys(page, "1", "Enter")
    assert page.locator("mark").count() == 0
    assert page.get_attribute("[data-act=differences]", "aria-pressed") == "false"


def test_14_answers_can_be_read_without_their_formatting(make, context):
    path = make([beside(1, answers={OURS: STRUCTURED, BASE: "plain"})], practice=())
    page = start(context, path)
    keys(page, "f")
    assert page.locator(".answer .body :is(ol, table, strong, code)").count() == 0
    assert "Go to desk 4" in page.inner_text("#answers")
    keys(page, "f")
    assert page.locator(".answer .body strong").count() == 1


def test_14_long_answers_scroll_alone_unless_asked_to_scroll_together(make, context):
    path = make([beside(1, answers={OURS: LONG, BASE: LONG + LONG})], practice=())
    page = start(context, path)
    left, right = page.locator("#left .body"), page.locator("#right .body")
    tops = lambda: (left.evaluate("e => e.scrollTop"), right.evaluate("e => e.scrollTop"))  # noqa: E731
    assert left.get_attribute("tabindex") == "0"
    left.evaluate("e => { e.scrollTop = 200; }")
    page.wait_for_timeout(100)
    assert tops() == (200, 0)
    left.evaluate("e => { e.scrollTop = 0; }")
    keys(page, "t")
    left.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    at_the_end = "e => e.scrollTop + e.clientHeight >= e.scrollHeight - 2"
    page.wait_for_function(at_the_end, arg=right.element_handle())
    keys(page, "e")
    assert left.evaluate("e => e.scrollHeight <= e.clientHeight + 1")


# 15. Time


def test_15_time_stands_with_the_vote_and_hasty_ones_are_told(context, plain, tmp_path):
    page = context.new_page()
    page.clock.install()
    page.goto(plain.as_uri())
    page.fill("#rater", "Dr. Lin")
    keys(page, "Enter")
    for seconds in (1, 5):
        page.clock.run_for(seconds * 1000)
        keys(page, "2", "Enter")
    votes = collect_votes(export(page, tmp_path))
    assert [round(vote.seconds) for vote in votes.votes] == [1, 5]
    assert votes.fast == (votes.votes[0],)


# 17. Practice, guidelines, words


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_17_practice_explains_and_does_not_count(make, context, lang):
    path = make([beside(n) for n in range(3)], language=lang, guidelines="**先看對錯**")
    page = visit(context, path)
    page.fill("#rater", "A")
    keys(page, "Enter")
    assert page.locator("#practice-note").is_visible()
    assert not page.locator("#verdict").is_visible()
    keys(page, "1")
    explained = page.inner_text("#verdict")
    assert explained
    keys(page, "5")
    assert page.inner_text("#verdict") != explained
    keys(page, "h")
    assert page.locator("#guidelines strong").inner_text() == "先看對錯"
    keys(page, "Escape", "Enter", "5", "Enter")
    assert not page.locator("#practice-note").is_visible()
    assert page.evaluate("Object.keys(localStorage).filter(k => /^review:[0-9a-f]{24}/.test(k)).length") == 0
    keys(page, "1")
    assert len(kept(page)["votes"]) == 1
    leave(page)
    page = start(context, path, "A")
    assert not page.locator("#practice-note").is_visible()


def test_17_practice_can_be_ones_own_or_left_out(make, context):
    own = [Practice("Q?", left="L", right="R", choice="both_bad", explanation="Because.")]
    page = start(context, make([beside(1)], practice=own, language="en"))
    keys(page, "1")
    assert page.inner_text("#verdict") == "We would choose: Both are bad. Because."
    page.click("[data-act=skip-practice]")
    assert heading(page) == "Item 1 of 1"


def test_17_no_word_of_the_page_is_of_the_trade(plain):
    words = json.dumps(data_of(plain)["texts"], ensure_ascii=False)
    assert not re.search(
        r"\b(model|run|sample|prompt|token|LLM|AI|baseline|candidate|evaluation)s?\b|模型|樣本|样本|提示詞",
        words,
        re.IGNORECASE,
    )


def test_17_a_name_is_asked_for(context, plain):
    page = visit(context, plain)
    page.click("#begin")
    assert page.inner_text("#name-missing") == "Please enter your name first."
    assert page.evaluate("document.activeElement.id") == "rater"


# Served on this machine


@pytest.fixture
def served(plain, tmp_path) -> Iterator[ReviewServer]:
    with ReviewServer(plain, database=tmp_path / "votes.db") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def rows(server: ReviewServer) -> dict[str, int]:
    states = read_states(server.database)[0]
    return {state.data["rater"]: sum(bool(vote["choice"]) for vote in state.data["votes"]) for state in states}


def test_serve_every_vote_is_in_the_database_at_once_and_resumed_in_another_browser(browser, served, until):
    for rater in ("Dr. Lin", "王小姐"):
        with browser.new_context(locale="en-US") as own:
            page = own.new_page()
            page.goto(served.url)
            page.fill("#rater", rater)
            keys(page, "Enter")
            expect(page.locator("#heading")).to_have_text("Item 1 of 30")
            for number in (1, 2, 3):
                keys(page, "2")
                until(lambda: rows(served).get(rater) == number, seconds=10)  # noqa: B023 - called at once
                keys(page, "Enter")
    with browser.new_context(locale="en-US") as other:
        page = other.new_page()
        page.goto(served.url)
        page.fill("#rater", "王小姐")
        keys(page, "Enter")
        expect(page.locator("#heading")).to_have_text("Item 4 of 30")
        keys(page, "5", "p")
        expect(page.locator("#end-how")).to_contain_text("have arrived")
    votes = collect_votes(served.database)
    assert sorted(vote.rater for vote in votes.votes) == ["Dr. Lin"] * 3 + ["王小姐"] * 4


def test_serve_says_so_at_once_when_votes_do_not_arrive(context, served):
    context.set_offline(False)
    page = context.new_page()
    page.goto(served.url)
    page.fill("#rater", "Dr. Lin")
    keys(page, "Enter")
    expect(page.locator("#heading")).to_have_text("Item 1 of 30")
    context.set_offline(True)
    keys(page, "2")
    expect(page.locator("#alert")).to_contain_text("did not reach")
    context.set_offline(False)
    keys(page, "3")
    expect(page.locator("#alert")).to_be_hidden()
    assert rows(served) == {"Dr. Lin": 1}
    assert collect_votes(served.database).votes[0].choice == "same"

"""The look of a data set: what the page of examples holds, where, and that nothing of the data acts in it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data.browsing.browser import dataset_page
from finetune_lib.data.browsing.marking import differences, span_of
from finetune_lib.data.diagnostics import diagnose, quote
from finetune_lib.pages.conversation import conversation_of, pretty, pretty_text
from finetune_lib.pages.unseen import UNSEEN, visible, visible_markup
from finetune_lib.records import Example, Origin
from finetune_lib.texts.scripts import language_of

SCRIPT = "</script><script>document.title='owned'</script>"
HOSTILE = f"{SCRIPT}<img src=x onerror=alert(1)> [x](javascript:alert(1)) \"'& \u202egnp.exe\u202c"
VOID = {"meta", "input"}
TAGS = re.compile(
    "|html|head|meta|title|style|script|body|h1|h2|h4|p|div|nav|section|article|aside|header|main|details|summary|span|a|b"
    "|ol|li|strong|small|code|pre|mark|kbd|dl|dt|dd|dialog|button|input|select|optgroup|option|output|fieldset|legend"
)


class Element:
    def __init__(self, name, attributes):
        self.name, self.attributes, self.children = name, dict(attributes), []

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    def text(self):
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def every(self):
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.every()

    def find(self, name=None, **wanted):
        """All elements of a name, a class (`class_`) or an attribute."""
        for element in self.every():
            kind = wanted.get("class_")
            rest = {key: value for key, value in wanted.items() if key != "class_"}
            named = name in (None, element.name) and (kind is None or kind in element.classes)
            if named and all(element.attributes.get(key) == value for key, value in rest.items()):
                yield element

    def one(self, name=None, **wanted):
        found = list(self.find(name, **wanted))
        assert len(found) == 1, (name, wanted, len(found))
        return found[0]


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = [Element("", ())]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs)
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().name == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parsed(page: str) -> Element:
    reader = Reader()
    reader.feed(page)
    assert len(reader.open) == 1
    return reader.open[0]


def chat(*texts, **extra):
    roles = ("user", "assistant") * len(texts)
    return {"messages": [{"role": r, "content": t} for r, t in zip(roles, texts, strict=False)], **extra}


def page_of(rows, *, lang="en", limit=2000, report=None, **check):
    data = ft.Dataset.from_rows(rows, name="rows")
    return parsed(dataset_page("rows", data, report or data.validate(**check), limit=limit, lang=lang))


def loaded(tmp_path, text, **check):
    path = tmp_path / "data.jsonl"
    path.write_text(text, encoding="utf-8")
    data = ft.Dataset.load(path)
    return parsed(dataset_page(data.name, data, data.validate(**check), limit=2000, lang="en"))


def card(page, number):
    return page.one("article", id=f"example-{number}")


# What is read


def test_a_chat_shows_its_turns_in_order_with_their_paths():
    data = ft.Dataset.from_rows([chat("一", "二")], system="三")
    turns = conversation_of(data[0].data).turns
    assert [(turn.role, turn.path, turn.text) for turn in turns] == [
        ("system", "/messages/0", "三"),
        ("user", "/messages/1", "一"),
        ("assistant", "/messages/2", "二"),
    ]


def test_a_preference_has_its_two_outputs_as_columns():
    row = {
        "input": {"messages": [{"role": "user", "content": "問"}]},
        "preferred_output": [{"role": "assistant", "content": "好"}],
        "non_preferred_output": [{"role": "assistant", "content": "壞"}],
    }
    columns = list(page_of([row], method="dpo").find("section", class_="column"))
    assert [column.classes[1] for column in columns] == ["chosen", "rejected"]
    assert ["好" in columns[0].text(), "壞" in columns[1].text()] == [True, True]


def test_pairs_and_unknown_rows_are_shown_by_their_keys():
    pair = conversation_of({"prompt": "a", "completion": "b", "topic": "t"})
    assert [turn.role for turn in pair.turns] == ["prompt", "completion"]
    assert [turn.path for turn in pair.others] == ["/topic"]
    assert [turn.path for turn in conversation_of({"a/b": 1, "~": None}).turns] == ["/a~1b", "/~0"]


def test_tool_calls_are_readable_and_a_broken_one_stands_as_it_is():
    functions = [("天氣", '{"city":"\\u53f0\\u5317","n":1.50}'), ("f", "{city: 1}")]
    calls = [{"id": f"c{n}", "function": {"name": f, "arguments": a}} for n, (f, a) in enumerate(functions)]
    tools = [
        {"type": "function", "function": {"name": "天氣", "description": "現在", "parameters": {"type": "object"}}}
    ]
    row = {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": calls}], "tools": tools}
    shown = card(page_of([row]), 1)
    first, second = shown.find(class_="call")
    assert first.text() == 'calls 天氣 c0{\n  "city": "台北",\n  "n": 1.50\n}'
    assert second.text() == "calls f c1{city: 1}"
    tools_text = next(e for e in shown.find("details", class_="more") if "Tools" in e.text()).text()
    assert "現在" in tools_text
    assert "天氣" in tools_text


def test_what_a_tool_answered_is_set_out_and_what_is_learned_is_not():
    turns = conversation_of({"messages": [{"role": r, "content": '{"a":1}'} for r in ("tool", "assistant")]}).turns
    assert [turn.text for turn in turns] == ['{\n  "a": 1\n}', '{"a":1}']


def test_images_and_sounds_are_labels_and_never_loaded():
    parts = [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    page = page_of([{"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "a"}]}])
    text = card(page, 1).text()
    for told in (
        "https://example.com/a.png, detail: low",
        "image/png;base64 (300 B)",
        "format: wav",
        "file_id: file-1",
    ):
        assert told in text
    assert not list(page.find("img"))


def test_a_turn_that_is_not_learned_says_so():
    row = chat("q", "a")
    row["messages"][1]["weight"] = 0
    assert "not learned" in card(page_of([row]), 1).text()
    assert "not learned" not in card(page_of([chat("q", "a")]), 1).text()


def test_long_texts_are_folded_and_very_long_ones_cut_with_their_number():
    shown = card(page_of([chat("長" * 2000, "x" * 60_000)]), 1)
    assert [button.text() for button in shown.find("button", class_="unfold")] == [
        "Show all 2,000 characters",
        "Show all 60,000 characters",
    ]
    assert "10,000 more characters are not on this page." in shown.text()
    assert max(map(len, re.findall("x+", shown.text()))) == 50_000


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("請問這個航班什麼時候起飛？", "zh-Hant"),
        ("请问这个航班什么时候起飞？", "zh-Hans"),
        ("ありがとう", "ja"),
        ("고맙습니다", "ko"),
        ("人口", None),
        ("thanks", None),
    ],
)
def test_texts_name_their_language_for_the_forms_of_their_characters(text, language):
    assert language_of(text) == language
    turn = next(e for e in card(page_of([chat(text, "ok")]), 1).find("p", class_="said") if e.text() == text)
    assert turn.attributes.get("lang") == language


# What was found


def test_a_finding_stands_beside_the_turn_that_it_is_about():
    row = chat("請問？", "")
    row["messages"][0]["role"] = "usr"
    shown = card(page_of([chat("a", "b"), row]), 2)
    lines = list(shown.find(class_="line"))
    assert [re.findall("S309|C406", line.text()) for line in lines] == [["S309"], ["C406"]]
    assert all("error" in line.classes for line in lines)
    assert {"S309", "C406", "error"} <= set(shown.attributes["data-codes"].split())


def test_a_finding_about_the_whole_example_stands_above_its_turns():
    shown = card(page_of([{"messages": [{"role": "system", "content": "only"}]}]), 1)
    kinds = [child.classes[0] for child in shown.children if isinstance(child, Element) and child.classes]
    assert kinds.index("finding") < kinds.index("line")


def test_the_quoted_part_is_marked_in_the_text():
    text = "x" * 100 + "\n\u200b我的電話是 0912-345-678。"
    start = text.index("0912")
    finding = diagnose("C406", Origin("rows", row=1), "/messages/0/content", quote=quote(text, start, 12), role="user")
    report = ft.ValidationReport("rows", 1, (finding,))
    mark = card(page_of([chat(text, "a")], report=report), 1).one("mark")
    assert mark.text() == "0912-345-678"


@given(st.text(max_size=300), st.data())
def test_a_quote_is_found_again_in_its_text(text, data):
    start = data.draw(st.integers(0, max(0, len(text) - 1)))
    length = data.draw(st.integers(1, 80))
    span = span_of(text, quote(text, start, length))
    if span is not None and text.count(text[start : start + 1]) == 1:
        assert span[0] == start


def test_contradictions_stand_side_by_side_with_what_differs_marked():
    shown = card(page_of([chat("退貨期限是幾天？", "七天。"), chat("退貨期限是幾天？", "八天。")]), 2)
    twin = shown.one("details", class_="twin")
    assert [mark.text() for mark in twin.find("mark", class_="differs")] == ["八", "七"]
    assert twin.one("a").attributes["href"] == "#example-1"
    assert "open" in twin.attributes


def test_exact_copies_say_so_and_are_folded():
    twin = card(page_of([chat("一樣", "同"), chat("一樣", "同")]), 2).one("details", class_="twin")
    assert "Both say exactly the same." in twin.text()
    assert "open" not in twin.attributes


@given(st.text(max_size=60), st.text(max_size=60))
def test_differences_leave_both_texts_whole(left, right):
    shown = differences(left, right)
    for text, markup in zip((left, right), shown, strict=True):
        assert parsed(markup).text() == parsed(visible_markup(text)).text()
    if left == right:
        assert "<mark" not in "".join(shown)


def test_large_texts_are_compared_in_time_by_their_common_ends():
    left, right = differences("a " * 4000 + "x" + " b" * 4000, "a " * 4000 + "y" + " b" * 4000)
    assert [mark.text() for mark in parsed(left + right).find("mark")] == ["x", "y"]
    assert "<mark" in differences("ab" * 5000, "ba" * 5000)[0]


def test_lines_that_could_not_be_read_stand_where_they_are(tmp_path):
    lines = [json.dumps(chat(f"q{n}", f"a{n}")) for n in range(3)]
    lines[1:1] = ['{"messages": [],}']
    articles = list(loaded(tmp_path, "\n".join(lines)).one("main").find("article"))
    assert [article.attributes["id"] for article in articles] == ["example-1", "line-2", "example-2", "example-3"]
    assert "J204" in articles[1].text()
    assert "not read" in articles[1].text()


def test_what_is_about_the_whole_data_stands_above(tmp_path):
    page = loaded(tmp_path, json.dumps(chat("q", "a")))
    assert "K701" in page.one("details", class_="whole").text()
    assert not list(page.find(class_="unread"))


def test_of_too_many_examples_those_with_findings_are_kept():
    rows = [chat(f"question {n}", f"answer {n}") for n in range(30)]
    rows[25]["messages"][0]["role"] = "usr"
    rows[28] = rows[27]
    page = page_of(rows, limit=6)
    numbers = [article.attributes["id"] for article in page.find("article")]
    assert numbers == [f"example-{n}" for n in (1, 2, 3, 26, 28, 29)]
    assert "6 of 30 examples are on this page" in page.text()


def test_a_finding_beyond_the_page_makes_no_unread_line():
    rows = [{"messages": [{"role": "usr", "content": f"x{n}"}]} for n in range(9)]
    page = page_of(rows, limit=2)
    assert len(list(page.find("article"))) == 2
    assert not list(page.find(class_="unread"))


def test_without_a_report_there_are_only_examples():
    data = ft.Dataset.from_rows([chat("q", "a")])
    page = parsed(data.to_html())
    assert not list(page.find(class_="finding"))
    assert not list(page.find("select", id="finding"))
    assert "1 example" in page.text()


def test_no_examples_make_a_page_too():
    assert parsed(ft.Dataset([]).to_html()).one("main").text() == ""


# Filters


def test_the_filters_offer_what_there_is_with_its_number():
    rows = [chat(f"q{n}", f"a{n}", category=c) for n, c in enumerate(["退稅", "退稅", "行李"])]
    examples = [
        Example({"messages": r["messages"]}, Origin("rows", row=n), r["category"]) for n, r in enumerate(rows, 1)
    ]
    examples[0].data["messages"][0]["role"] = "usr"
    data = ft.Dataset(examples)
    page = parsed(data.to_html(report=data.validate()))
    options = [(o.attributes["value"], o.text()) for o in page.one("select", id="category").find("option")]
    assert options == [("", "All categories"), ("=行李", "行李 (1)"), ("=退稅", "退稅 (2)")]
    findings = {o.attributes["value"]: o.text() for o in page.one("select", id="finding").find("option")}
    assert findings["error"] == "With an error (1)"
    assert findings["S309"] == "S309 role-unknown (1)"
    assert findings["none"] == "Without a finding (2)"
    assert not list(page.find("select", id="operation"))


def test_cards_carry_what_the_script_filters_by():
    attributes = card(page_of([chat("四個字元", "ab")]), 1).attributes
    assert (attributes["data-length"], attributes["data-category"]) == ("6", "")


# Nothing acts


def assert_harmless(page: Element):
    scripts = list(page.find("script"))
    assert [script.attributes for script in scripts] == [{}] * len(scripts)
    for element in page.every():
        assert TAGS.fullmatch(element.name)
        for key, value in element.attributes.items():
            assert not key.startswith("on")
            assert key not in ("src", "srcset", "action", "style", "formaction")
            assert key != "href" or re.fullmatch(r"#[\w-]+", value)


def test_hostile_texts_stay_texts():
    row = {"messages": [{"role": HOSTILE, "content": HOSTILE, HOSTILE: HOSTILE, "name": HOSTILE}], HOSTILE: HOSTILE}
    call = {"id": HOSTILE, "function": {"name": HOSTILE, "arguments": HOSTILE}}
    row["messages"].append({"role": "assistant", "tool_calls": [call]})
    row["tools"] = [{"function": {"name": HOSTILE, "description": HOSTILE, "parameters": {HOSTILE: HOSTILE}}}]
    origin = Origin(HOSTILE, row=1, cells={"": HOSTILE})
    data = ft.Dataset([Example(row, origin, HOSTILE, operation=HOSTILE)] * 2, name=HOSTILE)
    page = parsed(data.to_html(report=data.validate()))
    assert_harmless(page)
    assert len(list(page.find("script"))) == 1
    assert "\u202e" not in page.text()
    assert "<img src=x onerror=alert(1)>" in page.text()


def test_the_policy_names_the_script_and_the_style_by_their_digests():
    page = page_of([chat("q", "a")])
    meta = next(m for m in page.find("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in meta.attributes["content"].split(";"))
    assert rules["default-src"] == "'none'"
    for name, rule in (("script", "script-src"), ("style", "style-src")):
        digest = base64.b64encode(hashlib.sha256(page.one(name).text().encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("messages", "input", "preferred_output", "prompt", "completion", "tools", "role", "content", "tool_calls")
rows = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), json_values, max_size=5)
odd_messages = st.dictionaries(st.sampled_from(FIELDS) | st.just("function"), json_values, max_size=4)


@given(
    st.lists(rows | st.fixed_dictionaries({"messages": st.lists(odd_messages | json_values, max_size=3)}), max_size=4)
)
def test_any_rows_make_a_whole_and_harmless_page(given_rows):
    examples = [Example(row, Origin("x", row=n)) for n, row in enumerate(given_rows, start=1)]
    page = dataset_page("x", examples, None, limit=10, lang="en")
    page.encode()
    tree = parsed(page)
    assert_harmless(tree)
    assert len(list(tree.find("article"))) == len(given_rows)


@given(st.text(max_size=200))
def test_every_text_is_there_to_be_read(text):
    said = card(parsed(dataset_page("x", [Example(chat("q", text))], None, limit=10, lang="en")), 1).text()
    assert parsed(visible_markup(text)).text() in said


def test_a_text_of_halves_of_characters_can_be_written(tmp_path):
    data = ft.Dataset.from_rows([chat("\ud800 q", "a\udfff")], name="\udc80")
    page = data.to_html(report=data.validate())
    page.encode()
    assert "U+D800" in page


def test_very_deep_values_are_shown():
    deep: Mapping = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert len(list(parsed(dataset_page("x", [Example(deep)], None, limit=1, lang="en")).find("article"))) == 1


# Small parts


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_line_for_the_terminal_obeys_nothing_of_the_text(text):
    line = visible(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]", line)
    if not UNSEEN.search(text) and not {"\t", "\n"} & set(text):
        assert line == text


@pytest.mark.parametrize("text", ["👩‍👩‍👧", "नमस्‍ते", "می‌خواهم", "👍🏽", "❤️"])
def test_joiners_that_a_script_needs_stay(text):
    assert visible(text) == text


def test_joiners_between_letters_that_need_none_are_shown():
    assert visible("pay\u200dpal 中\u200c文") == "pay⟨U+200D⟩pal 中⟨U+200C⟩文"


@given(json_values)
def test_setting_json_out_changes_only_space(value):
    text = json.dumps([value])
    shown = pretty_text(text)
    assert shown is not None
    assert json.dumps(json.loads(shown)) == json.dumps(json.loads(text))


@pytest.mark.parametrize("text", ['{"a": 1.50, "b": 1e5, "a": 0.10000000000000000055}', "[[],{},[{}]]"])
def test_numbers_and_double_keys_stay_as_they_are_written(text):
    assert re.sub(r"\s", "", pretty_text(text)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize("text", ["", "{a: 1}", "12", '"text"', "[" * 100_000, '{"a": 1}}'])
def test_what_is_no_json_object_or_list_is_left(text):
    assert pretty_text(text) is None


def test_values_without_a_json_form_are_shown_as_python_writes_them():
    assert "2024" in pretty({"day": date(2024, 1, 2)})
    assert pretty({(1, 2): 3}) == "{(1, 2): 3}"

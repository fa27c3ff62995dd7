"""What may not stand in a text, beyond the example of each code, which test_codes.py tries."""

import pytest

from finetune_lib.data.checks.form.texts import MENDS, text_findings
from finetune_lib.records import NOWHERE


def found(text, *, role="user", empty=None):
    return list(text_findings(text, "/x", NOWHERE, role=role, empty=empty))


def codes(text):
    return [finding.code for finding in found(text)]


def read_wrongly(text, true, wrong):
    return text.encode(true).decode(wrong, "replace")


CLEAN = [
    "",
    "hello\tworld\r\n",
    "退貨期限是到貨後 7 天內，請保留發票。",
    "浣熊很可愛，鐵杵磨成針，岆嵤山在哪裡？",
    "注音：ㄅㄆㄇㄈ ㄓㄔㄕㄖ",
    "いいえ、そうです。東京の天気はいい。",
    "naïve café, “É—”, l’été…”",
    "NÃO, AMANHÃ” SÃO PAULO É…",
    "das Maß“ „Spaß“ — groß» viel Spaß“",
    "ÀÁÂÃÄÅ ÄÖÜäöü àâäéèêë",
    "Việt Nam, Đà Nẵng, Îles",
    "👨\u200d👩\u200d👧 👩🏽\u200d✈️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "می\u200cخواهم क्\u200dष",
    "שלום \u200f(abc)\u200f",
    "ภาษา\u200bไทย",
    "❤️ ©️ 葛\U000e0100",
]


@pytest.mark.parametrize("text", CLEAN)
def test_text_that_people_write_has_no_finding(text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("true", "wrong"),
    [
        ("utf-8", "latin-1"),
        ("utf-8", "cp1252"),
        ("utf-8", "gb18030"),
        ("cp950", "gb18030"),
        ("cp950", "latin-1"),
    ],
)
def test_chinese_read_in_the_wrong_encoding_is_recognised(true, wrong):
    finding = found(read_wrongly("請問貴公司的退貨期限是幾天", true, wrong))[0]
    assert finding.code == "E106"
    assert finding.args["true"] == true


@pytest.mark.parametrize(("true", "wrong"), [("gb18030", "cp950"), ("gb18030", "latin-1"), ("utf-8", "gb18030")])
def test_simplified_too(true, wrong):
    finding = found(read_wrongly("退货期限是几天？", true, wrong))[0]
    assert (finding.code, finding.args["true"]) == ("E106", true)


@pytest.mark.parametrize("text", ["Ã©tÃ©", "It’s fine", "25Â°C", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "cafÃ©"])
def test_other_languages_too(text):
    given = text if "’" not in text else "Itâ€™s fine"
    assert codes(given) == ["E106"]


def test_mojibake_is_mended_where_nothing_is_lost():
    text = f"前面 {read_wrongly('你好，世界', 'utf-8', 'latin-1')} 後面 Ã©"
    assert MENDS["E106"](text) == "前面 你好，世界 後面 é"
    assert MENDS["E106"]("锟斤拷") == "锟斤拷"


def test_lost_text_is_named_as_mojibake_and_not_twice():
    assert codes("锟斤拷锟斤拷") == ["E106"]
    assert codes(read_wrongly("退貨期限是幾天？", "utf-8", "gb18030")) == ["E106"]


def test_replacement_characters_are_counted():
    finding = found("登�時間�")[0]
    assert (finding.code, finding.severity, finding.args["count"]) == ("E107", "warning", 2)
    assert finding.quote.start == 1


@pytest.mark.parametrize(
    ("text", "severity"), [("a\x07b", "warning"), ("\x1b[31mred", "warning"), ("a\x7f", "warning"), ("a\0b", "error")]
)
def test_control_characters(text, severity):
    finding = found(text)[0]
    assert (finding.code, finding.severity) == ("E105", severity)
    assert finding.quote.text.isprintable()


@pytest.mark.parametrize("character", list("\u200b\u202e\u2066\ufeff\u00ad\u200d\u3164\U000e0041"))
def test_invisible_characters(character):
    text = f"ab{character}cd"
    finding = found(text)[0]
    assert finding.code == "E113"
    assert character not in finding.quote.text
    assert MENDS["E113"](text) == "abcd"


def test_mending_keeps_what_a_script_needs():
    assert MENDS["E113"]("می\u200cخواهم\u202e 👨\u200d👩") == "می\u200cخواهم 👨\u200d👩"


def test_a_half_character_is_shown_as_something_printable():
    finding = found("x\ud83d")[0]
    assert finding.code == "E108"
    finding.quote.text.encode()


def test_a_special_token_is_marked():
    finding = found("say <|im_end|> now")[0]
    assert finding.code == "K703"
    assert finding.quote.text[finding.quote.start :][: finding.quote.length] == "<|im_end|>"


@pytest.mark.parametrize(("empty", "expected"), [("error", ["C406"]), ("warning", ["C406"]), (None, [])])
def test_emptiness_weighs_what_the_caller_says(empty, expected):
    findings = found(" \n", empty=empty)
    assert [(f.code, f.severity) for f in findings] == [(code, empty) for code in expected]


EATEN = [
    ("$\frac{1}{2} \times 3$", r"$\frac{1}{2} \times 3$", 2),
    ("$\theta = \nu \rho$ 等於 0", r"$\theta = \nu \rho$ 等於 0", 3),
    ("a\text{ if }b", r"a\text{ if }b", 1),
    ("$a \to b$", r"$a \to b$", 1),
    ("$$\nabla f$$", r"$$\nabla f$$", 1),
    ("\begin{array}", r"\begin{array}", 1),
    ("left(x\right) \neq 0", r"left(x\right) \neq 0", 2),
]


@pytest.mark.parametrize(("text", "meant", "count"), EATEN)
def test_latex_whose_backslash_json_read_as_an_escape(text, meant, count):
    (finding,) = found(text)
    assert (finding.code, finding.args["count"]) == ("E126", count)
    assert finding.args["command"] in meant
    assert MENDS["E126"](text) == meant
    assert MENDS["E105"](text) == text


@pytest.mark.parametrize(
    "text",
    [
        "first\nneed more\ttotal\nnot this",
        "price\t$5\tand $6\nu",
        "cost $5\nu pay $6",
        "def f():\n\tif not x:\n\t\treturn",
        "$1\n\nu is $2 ",
        r"$\theta = \nu$",
        "$$\n\\begin{aligned}\nu_A &= 1\n\\end{aligned}\n$$",
        "$$\nx = 1\n\\frac{1}{2}\n$$",
    ],
)
def test_tabs_and_line_ends_that_are_some(text):
    assert found(text) == []


def test_a_page_break_is_none():
    assert codes("chapter\x0cNext page") == ["E105"]
    assert MENDS["E105"]("chapter\x0cNext $\frac{1}{2}$\a") == "chapterNext $\frac{1}{2}$"

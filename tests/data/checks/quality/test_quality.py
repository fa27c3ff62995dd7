"""What teaches badly, beyond the example of each code, which test_codes.py tries."""

import pickle

import pytest

from finetune_lib.data.checks import quality
from finetune_lib.data.checks.quality.repetition import loop_in
from finetune_lib.data.checks.rules import Rules
from finetune_lib.records import Example, Origin
from finetune_lib.rows.facts import Facts

LONG = "The gate opens forty minutes before departure and closes twenty minutes later without exception."


def chat(question, answer, *, system=None, **message):
    first = [{"role": "system", "content": system}] if system is not None else []
    user, assistant = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return {"messages": [*first, user, assistant | message]}


def codes(data, rules=None):
    return [finding.code for finding in quality.check(Example(data), rules or Rules())]


def surveyed(rows, *, parts=1):
    """The codes and rows that the surveys find, the data looked at in one or more parts."""
    examples = [Example(row, Origin("data", row=n, line=n)) for n, row in enumerate(rows, start=1)]
    size = -(-len(examples) // parts)
    whole = quality.surveys()
    for start in range(0, len(examples), size):
        later = quality.surveys()
        for place, example in enumerate(examples[start : start + size]):
            for survey in later:
                survey.look(Facts(example), place)
        for survey, other in zip(whole, pickle.loads(pickle.dumps(later)), strict=True):
            survey.merge(other, start)
    return [(d.code, d.origin.row) for survey in whole for d in survey.findings(examples, Rules())]


@pytest.mark.parametrize(
    "answer",
    [
        "As an AI language model, I don't have access to live flights.",
        "I'm sorry, but as an AI assistant I cannot do that.",
        "I'm sorry, but I can't help with that.",
        "作為一個AI語言模型，我無法查詢航班。",
        "作为人工智能助手，我不能访问互联网。",
        "很抱歉，我無法提供這項資訊。",
        "对不起，我不能回答。",
    ],
)
def test_a_refusal_at_the_beginning_is_named(answer):
    assert codes(chat("q", answer)) == ["Q902"]


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear that. Please call the desk.",
        "很抱歉，我們的櫃檯今天休息。",
        "作為旅客，您可以先報到。",
        "As an AI assistant I am glad to help: gate 5.",
        f"{LONG} As an AI language model, I cannot say more.",
    ],
)
def test_an_answer_that_is_none_is_not(answer):
    assert codes(chat("q", answer)) == []


def test_what_is_not_learned_may_refuse():
    refusal = "As an AI language model, I cannot."
    assert codes(chat("q", refusal, weight=0)) == []
    row = {
        "input": {"messages": [{"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "Gate 5."}],
        "non_preferred_output": [{"role": "assistant", "content": refusal}],
    }
    assert codes(row) == []


# Answers that are (or are not) left to be written: TODO is data here.
PLACEHOLDERS = ["TODO", "...", "xxx", "[insert name]", "待補", "【請填入答案】", "lorem ipsum dolor", "測試"]
SHORT = ["B", "5", "test", "N/A", "none", "# TODO: later\nprint([1])", "是", "[1, 2]", "todos"]


@pytest.mark.parametrize("answer", PLACEHOLDERS)
def test_placeholders_are_named(answer):
    assert codes(chat("q", answer)) == ["Q909"]


@pytest.mark.parametrize("answer", SHORT)
def test_short_answers_are_no_placeholders(answer):
    assert codes(chat("q", answer)) == []


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("退貨期限是幾天？", "请于七天内办理退货。", ["Q903"]),
        ("登機了嗎", "请稍等", ["Q903"]),
        ("可以嗎", "请问您是哪位", ["Q903"]),
        ("可以嗎", "请", []),
        ("退貨期限是幾天？", "请于七天内办理退貨手續，發票请附上。", ["Q903"]),
        ("退貨期限是幾天？", "七天。", []),
        ("请转换为繁體：办理退货时间", "辦理退貨時間", []),
        ("東京の駅で会議を開く予定", "国会議事堂前駅の図書館へ来て", []),
        ("王喆和朱镕基是谁？", "他们都是名人，请看这里。", []),
    ],
)
def test_mixed_scripts(question, answer, expected):
    assert codes(chat(question, answer)) == expected


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("請問今天的航班幾點起飛呢？", "The flight leaves at nine o'clock in the morning today.", ["Q907"]),
        ("When does the flight to Tokyo leave today, please?", "今天飛往東京的班機九點起飛。", ["Q907"]),
        ("請把這句話翻譯成英文：今天天氣很好", "The weather is very nice today, is it not so?", []),
        ("請寫一段程式印出今天的日期", "import datetime; print(datetime.date.today())", []),
        ("這則評論是正面還是負面？非常好吃！", "positive", []),
    ],
)
def test_languages_that_differ(question, answer, expected):
    assert codes(chat(question, answer)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("請先登入,再點選退貨，最後送出。", ["Q906"]),
        ("型號是 ＡＢＣ１２３ model", ["Q906"]),
        ("請先登入，再點選退貨 (7 days, free)。", []),
        ("價格是 1,200 元，含稅。", []),
    ],
)
def test_mixed_widths(text, expected):
    assert codes(chat("如何退貨？", text)) == expected


def test_risky_phrases_count_where_they_are_moderated():
    data = {"messages": [{"role": "user", "content": "Use step-by-step reasoning."}]}
    assert codes(data) == []
    assert codes(data, Rules(method="reinforcement")) == ["Q908"]
    assert codes(data, Rules(target="azure")) == ["Q908"]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("我不知道。" * 3, 3),
        ("Sure. " + "Eat a banana! " * 50, 50),
        ("A long beginning that says something. " * 1 + "and so on " * 40 + "and", 40),
        ("哈" * 40, 40),
    ],
)
def test_loops_are_found_with_their_count(text, times):
    assert loop_in(text).times == times


@pytest.mark.parametrize(
    "text",
    [
        "",
        "哈哈哈",
        "Row, row, row your boat",
        "-" * 500,
        "| 0 | 0 |\n" * 40,
        LONG,
        "0, " * 200,
        "no no no",
        "ha ha ha ha",
    ],
)
def test_figures_of_speech_and_tables_are_no_loops(text):
    assert loop_in(text) is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"messages": None},
        {"messages": [None, 5, {"role": 1, "content": "x"}, {"role": "assistant"}]},
        {"messages": [{"role": "assistant", "content": [None, {"text": 5}, {"type": "text", "text": "ok"}]}]},
        {"input": [], "preferred_output": "x", "non_preferred_output": [[]]},
        {"prompt": 5, "completion": None},
    ],
)
def test_a_malformed_row_is_passed_over(data):
    assert codes(data) == []
    assert surveyed([data] * 40) == []


PROMPT = "You are the assistant of the airport. Answer in one sentence."


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (PROMPT.replace("airport", "air port"), [("Q901", 14)]),
        (PROMPT.upper(), [("Q901", 14)]),
        (None, [("Q913", 14)]),
        ("Translate the following text into German.", [("Q914", 14)]),
    ],
)
def test_system_prompts_that_drift(odd, expected, parts):
    rows = [chat(f"q{n}", f"{LONG} {n}", system=PROMPT) for n in range(20)]
    rows[13] = chat("q", LONG, system=odd)
    assert surveyed(rows, parts=parts) == expected


def test_a_tenth_with_another_prompt_is_named_once_and_more_are_meant():
    def rows(others):
        return [chat(f"q{n}", f"{LONG} {n}", system="Translate." if n >= 40 - others else PROMPT) for n in range(40)]

    assert surveyed(rows(4)) == [("Q914", 37)]
    assert surveyed(rows(5)) == []


def test_prompts_that_all_differ_do_not_drift():
    assert surveyed([chat(f"q{n}", LONG, system=f"Today is day {n}.") for n in range(40)]) == []


@pytest.mark.parametrize("parts", [1, 4])
def test_an_answer_of_another_length(parts):
    rows = [chat(f"q{n}", LONG[: 60 + n % 20]) for n in range(50)]
    rows[30], rows[40] = chat("q", LONG * 30), chat("q", "no")
    assert sorted(surveyed(rows, parts=parts)) == [("Q904", 31), ("Q904", 41)]


def test_lengths_that_spread_have_no_outlier():
    assert surveyed([chat(f"q{n}", "word " * (20 + 5 * n)) for n in range(60)]) == []


@pytest.mark.parametrize("parts", [1, 5])
def test_labels(parts):
    labels = ["good"] * 100 + ["bad"] * 5 + ["Good."] + ["odd"] * 2
    found = surveyed([chat(f"q{n}", label) for n, label in enumerate(labels)], parts=parts)
    assert found == [("Q911", 106), ("Q905", 1), ("Q912", 107)]


def test_answers_that_are_no_labels():
    answers = [f"answer {n}" for n in range(60)]
    assert surveyed([chat("q", answer) for answer in answers]) == []
    assert surveyed([chat("q", "yes")] * 40) == []


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("請用繁體中文回答", ["Q903"]),
        ("請用簡體中文回答", []),
        ("Answer in Simplified Chinese.", []),
        ("繁體問，簡體答", []),
    ],
)
def test_instructions_that_name_a_script_ask_for_it(system, expected):
    assert codes(chat("退貨期限是幾天？", "请于七天内办理退货。", system=system)) == expected

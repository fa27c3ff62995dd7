"""OpenAI's graders, from their JSON to a score."""

import asyncio
import inspect
import json

import pytest
from tests.files import SHARED

from finetune_lib.errors import DataError
from finetune_lib.evaluation.scorers import from_openai
from finetune_lib.evaluation.scorers.graders.formula import problems, value_of
from finetune_lib.evaluation.scorers.scorer import AsksGrader
from finetune_lib.platforms.asking import Reply, UnreadableAnswerError
from finetune_lib.records import Answer, Case, Message, ToolCall

CASE = Case(
    "7", (Message(role="user", content="台灣首都？"),), "台北", "地理", metadata={"label": "台北", "nums": [1, 2]}
)


def score(grader, answer, case=CASE, **options):
    told = from_openai(grader, **options)(answer, case)
    return asyncio.run(told) if inspect.isawaitable(told) else told


def check(operation, reference="{{item.label}}", given="{{sample.output_text}}"):
    return {"type": "string_check", "name": "c", "input": given, "reference": reference, "operation": operation}


def similarity(metric, reference="{{item.label}}"):
    return {
        "type": "text_similarity",
        "name": "s",
        "input": "{{ sample.output_text }}",
        "reference": reference,
        "evaluation_metric": metric,
        "pass_threshold": 0.8,
    }


@pytest.mark.parametrize(
    ("operation", "answer", "reference", "value"),
    [
        ("eq", "台北", "台北", 1),
        ("eq", "台北。", "台北", 0),
        ("ne", "台北。", "台北", 1),
        ("like", "在 Taipei 市", "Taipei", 1),
        ("like", "在 TAIPEI 市", "Taipei", 0),
        ("ilike", "在 TAIPEI 市", "Taipei", 1),
    ],
)
def test_string_checks(operation, answer, reference, value):
    assert score(check(operation, reference), answer).value == value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{item.label}}", "台北"),
        ("{{ item['label'] }}/{{item.nums[1]}}", "台北/2"),
        ("{{item.nums}}", "[1, 2]"),
        ("{{item.expected}} {{item.reference_answer}} {{item.category}} {{item.input}}", "台北 台北 地理 台灣首都？"),
        ("{ {{item.label}} }", "{ 台北 }"),
    ],
)
def test_templates_of_the_row(template, text):
    assert score(check("eq", template), text).value == 1


def test_the_metadata_come_first():
    case = Case("7", (), "b", metadata={"expected": "a"})
    assert score(check("eq", "{{item.expected}}"), "a", case).value == 1


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("{{sample.output_json.a.b[0]}}", Answer('{"a": {"b": ["x"]}}')),
        ("{{sample.output_tools[0].function.name}}", Answer(tool_calls=(ToolCall("x"),))),
        ("{{sample.choices[0].message.content}}", Answer("x")),
    ],
)
def test_templates_of_the_answer(template, answer):
    assert score(check("eq", "x", template), answer).value == 1


def test_what_the_row_lacks_is_no_score():
    with pytest.raises(ValueError, match=r"case 7 has no item\.city"):
        score(check("eq", "{{item.city}}"), "x")


def test_what_the_answer_lacks_is_its_own_fault():
    told = score(check("eq", "x", "{{sample.output_json.a}}"), "no JSON")
    assert (told.value, told.reason) == (0, "the answer has no output_json.a")


def test_what_is_filled_in_is_not_read_as_a_template():
    case = Case("7", (), metadata={"label": "{{item.secret}}", "secret": "s"})
    assert score(check("eq"), "{{item.secret}}", case).value == 1


@pytest.mark.parametrize(
    "metric", ["fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"]
)
@pytest.mark.parametrize("text", ["患者需要在手术前八小时禁食。", "the patient must fast for eight hours"])
def test_the_same_text_is_1(metric, text):
    assert score(similarity(metric, text), text).value == pytest.approx(1)


def test_rouge_sees_chinese():
    """The package rouge-score looks at Latin letters and digits alone, and calls these two the same."""
    told = score(similarity("rouge_1", "服用 5 mg 阿司匹林"), "禁止服用 5 mg 华法林")
    assert told.value == pytest.approx(2 * 5 / (8 + 9))  # 服, 用, 5, mg and 林


@pytest.mark.parametrize(("metric", "value"), [("rouge_1", 6 / 7), ("rouge_2", 4 / 5), ("rouge_l", 6 / 7)])
def test_rouge_in_english(metric, value):
    assert score(similarity(metric, "the cat sat"), "The cat, sat down").value == pytest.approx(value)


@pytest.mark.parametrize("text", ["ok", "OK!", "好"])
def test_rouge_of_texts_without_n_grams(text):
    assert score(similarity("rouge_2", text), text).value == 1
    with pytest.raises(ValueError, match="rouge_2 is undefined: the reference has fewer than 2 words"):
        score(similarity("rouge_2", text), "fine")
    assert score(similarity("rouge_2", f"{text} then"), text).value == 0


def test_gleu_is_nltks():
    """`nltk.translate.gleu_score.sentence_gleu` of the two: 4 + 2 + 1 common n-grams of 5 + 4 + 3 + 2."""
    assert score(similarity("gleu", "a cat is here now"), "a cat is now").value == pytest.approx((4 + 2 + 1) / 14)


def test_meaning_by_embeddings(service, platform):
    service.vector = lambda text: [1.0, 0.0] if text == "台北" else [0.6, 0.8]
    assert score(similarity("cosine"), "Taipei", platform=platform).value == pytest.approx(0.6)
    assert service.requests[0]["model"] == "text-embedding-3-large"


def test_an_empty_reference_is_no_score():
    with pytest.raises(ValueError, match="the reference is empty"):
        score(similarity("bleu", " "), "x")
    with pytest.raises(ValueError, match="every answer would contain"):
        score(check("like", ""), "x")


LABELS = {
    "type": "label_model",
    "name": "feeling",
    "model": "m",
    "input": [
        {"type": "message", "role": "system", "content": {"type": "input_text", "text": "Classify."}},
        {"role": "user", "content": [{"type": "input_text", "text": "{{sample.output_text}} ({{item.label}})"}]},
    ],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
SCORES = {
    "type": "score_model",
    "name": "quality",
    "model": "m",
    "input": [{"role": "user", "content": "Score {{sample.output_text}}; JSON: {{sample.output_json}}"}],
    "range": [0, 5],
    "sampling_params": {"temperature": 1, "seed": 42, "max_completions_tokens": 99, "top_p": None},
}


@pytest.mark.parametrize(("reply", "value"), [({"label": "good"}, 1), ({"label": "bad"}, 0), ("Good.", 1)])
def test_labels_by_a_model(service, platform, reply, value):
    service.answer = lambda _: reply
    told = score(LABELS, "很好", platform=platform)
    assert told.value == value
    (request,) = service.requests
    assert [message["content"] for message in request["messages"]] == ["Classify.", "很好 (台北)"]
    assert request["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"] == ["good", "bad"]


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ({"reason": "ok", "score": 4}, 4),
        ({"result": 2.5}, 2.5),
        ("3", 3),
        ("Score: 4\nReasoning: off by 1", 4),
        ("**Final score**: 5.0", 5),
    ],
)
def test_scores_by_a_model(service, platform, reply, value):
    service.answer = lambda _: reply
    assert score(SCORES, "x", platform=platform).value == value
    (request,) = service.requests
    assert request["messages"][0]["content"] == "Score x; JSON: null"
    assert {key: request.get(key) for key in ("temperature", "seed", "max_completion_tokens", "top_p")} == {
        "temperature": 1,
        "seed": 42,
        "max_completion_tokens": 99,
        "top_p": None,
    }


@pytest.mark.parametrize("reply", ["6", "-1", "none", '{"score": null}', '{"score": "high"}', ""])
def test_a_number_outside_the_range_is_no_score(reply):
    grader = from_openai(SCORES)
    assert isinstance(grader, AsksGrader)
    with pytest.raises(UnreadableAnswerError, match="no score from 0 to 5"):
        grader.read(Reply(reply))


def test_pictures_go_along():
    parts = [
        {"type": "input_text", "text": "Compare."},
        {"type": "input_image", "image_url": "{{item.picture}}", "detail": "low"},
    ]
    grader = from_openai({**SCORES, "input": [{"role": "user", "content": parts}]})
    case = Case("7", (), metadata={"picture": "https://example.com/a.png"})
    assert grader.request("x", case).messages[0]["content"] == [
        {"type": "text", "text": "Compare."},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
    ]


SOURCE = "def grade(sample, item):\n    return 0.5 * (sample['output_text'] == item['label'])\n"


def multi(formula, **graders):
    return {"type": "multi", "name": "both", "graders": graders, "calculate_output": formula}


def test_several_graders_and_a_formula(service, platform):
    service.answer = lambda _: {"reason": "", "score": 4}
    grader = multi(
        "min(1, 0.5 * text + code + quality / 10 ^ 1)",
        text=check("eq"),
        code={"type": "python", "name": "p", "source": SOURCE},
        quality=SCORES,
    )
    told = score(grader, "台北", platform=platform)
    assert told.value == 1
    assert told.reason == "text 1; code 0.5; quality 4"
    assert score(grader, "x", platform=platform).value == pytest.approx(0.4)


def test_a_list_of_graders_and_a_single_one():
    grader = {"type": "multi", "name": "m", "graders": [check("eq")], "calculate_output": "1 - c"}
    assert score(grader, "台北").value == 0
    assert score({**grader, "graders": check("eq")}, "x").value == 1


def test_a_formula_without_a_value_is_no_score():
    with pytest.raises(ValueError, match="1 / c has no value"):
        score(multi("1 / c", c=check("eq")), "x")


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2 ^ 2", -4),
        ("max(a, b, 0.3)", 0.5),
        ("floor(1.7) + ceil(0.2)", 2),
        ("sqrt(4) + abs(-1) + exp(0) + log(1)", 4),
        ("min(a)", 0.25),
    ],
)
def test_formulas(formula, value):
    scores = {"a": 0.25, "b": 0.5}
    assert not list(problems(formula, scores))
    assert value_of(formula, scores) == pytest.approx(value)


@pytest.mark.parametrize(
    "formula",
    ["a +", "a; b", "c + 1", "min", "__import__('os')", "a.real", "a[0]", "'x'", "True", "1j", "a if b else 1",
     "sqrt(1, 2)", "min()", "a == b", "lambda: 1", "(" * 300, "1" * 3000, "min(*a)", "a // b", "0.5 * a)"],
)  # fmt: skip
def test_what_is_no_formula(formula):
    assert list(problems(formula, {"a", "b"}))


@pytest.mark.parametrize("formula", ["9 ^ 9 ^ 9 ^ 9", "(0 - 8) ^ 0.5", "exp(9999)", "log(0)", "sqrt(-1)"])
def test_formulas_without_a_value(formula):
    assert not list(problems(formula, {}))
    with pytest.raises(ValueError, match="has no"):
        value_of(formula, {})


def test_all_problems_are_told_at_once():
    grader = multi(
        "a + z",
        a={**check("EQ"), "input": "{{sample.text}} {{foo}}"},
        b=similarity("meteor"),
        c={**LABELS, "passing_labels": ["fine"]},
        d={**SCORES, "range": [5, 0], "input": [{"role": "judge", "content": 1}]},
        e={"type": "python", "name": "p", "source": "def score(): pass"},
        f={"type": "regex"},
        g=multi("1"),
    )
    with pytest.raises(DataError) as caught:
        from_openai(grader)
    told = str(caught.value)
    for place in (
        "$.graders.a.operation: 'EQ' is not one of",
        "$.graders.a.input: {{sample.text}}: a sample has output_text",
        "$.graders.a.input: {{foo}} is neither",
        "$.graders.b.evaluation_metric: meteor",
        "$.graders.c.passing_labels[0]: 'fine' is none of the labels good, bad",
        "$.graders.d.input[0].role: 'judge' is not one of",
        "$.graders.d.input[0].content: it is no text",
        "$.graders.e.source: it has no function grade(sample, item)",
        "$.graders.f.type: 'regex' is none of string_check",
        "$.graders.g.type: a multi grader has no multi grader within it",
        "$.calculate_output: z is no grader",
    ):
        assert place in told
    assert told.count("\n") == 11


def test_from_text_and_files(tmp_path):
    path = tmp_path / "grader.json"
    path.write_text(json.dumps(check("eq")), encoding="utf-8")
    for given in (json.dumps(check("eq")), path, str(path)):
        assert score(given, "台北").value == 1
    for given in ("{", tmp_path / "none.json", "[]"):
        with pytest.raises(DataError, match="grader"):
            from_openai(given)


PUBLISHED = {
    "rft_countdown_grader_config_aoai.json": {"target": 9, "nums": [1, 8]},
    "zava_rft_grader-config.json": {"reference_policy_args": "[]", "reference_policy_outcome": "[]"},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_graders(name):
    path = SHARED / "cases" / "ft" / name
    if not path.exists():
        pytest.skip("the published data are not in this checkout")
    grader = from_openai(path)
    assert isinstance(grader, AsksGrader)
    request = grader.request("1 + 8 = 9", Case("7", (), metadata=PUBLISHED[name]))
    shown = request.messages[-1]["content"]
    assert "1 + 8 = 9" in shown
    assert "{{" not in shown
    assert grader.read(Reply("Score: 1\nReasoning: fine")).value == 1

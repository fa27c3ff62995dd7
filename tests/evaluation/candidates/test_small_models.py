"""NearestExamples and LinearClassifier: labels without a language model, and nothing leaks."""

from __future__ import annotations

import numpy
import pytest

import finetune_lib as ft
from finetune_lib.evaluation.candidates.linear_classifier import _weights

ASKED = {
    "退換貨": ("想退貨", "要怎麼換貨", "商品瑕疵可以退嗎", "退貨要付錢嗎", "換尺寸怎麼辦理"),
    "運費": ("運費多少", "滿多少免運費", "離島運費怎麼算", "運費由誰負擔", "海外運費貴嗎"),
    "發票": ("發票抬頭寫錯了", "電子發票在哪裡", "可以補開發票嗎", "發票要打統編", "發票中獎怎麼領"),
}
NEW = {
    "退換貨": ("这件衣服可以退货吗", "想換貨請問流程", "瑕疵品怎麼退"),
    "運費": ("运费怎么算呢", "請問免運費門檻", "離島要加運費嗎"),
    "發票": ("发票什么时候开", "統編沒打到發票上", "我的電子發票呢"),
}


@pytest.fixture
def examples():
    return ft.Dataset.from_rows(
        [{"prompt": question, "completion": label} for label, asked in ASKED.items() for question in asked]
    )


def text(answers, candidate, *cases):
    return [answer.text or answer.error for answer in answers(candidate, *cases)]


@pytest.mark.parametrize("kind", [ft.NearestExamples, ft.LinearClassifier])
def test_new_questions_in_either_script_find_their_label(answers, case, examples, kind):
    asked = [(question, label) for label, questions in NEW.items() for question in questions]
    assert text(answers, kind(examples), *(case(question) for question, _ in asked)) == [label for _, label in asked]


@pytest.mark.parametrize("kind", [ft.NearestExamples, ft.LinearClassifier])
def test_they_are_candidates_beside_the_others_and_cost_nothing(examples, tmp_path, kind):
    golden = [
        ft.Case(question, (ft.Message(role="user", content=question),), expected=label)
        for label, questions in NEW.items()
        for question in questions
    ]
    said = ft.Recorded({one.id: "不知道" for one in golden}, name="base")
    evaluator = ft.Evaluator([ft.Choice(list(ASKED))], store=tmp_path / "answers.db")
    report = evaluator.run(golden, candidates=[said, kind(examples)], training=examples)
    (name,) = report.candidates[1:]
    assert report.mean(name) == 1.0
    assert report.expense(name).usd == 0.0
    assert report.verdict(name, baseline="base").outcome == "better"
    assert report.classification(name).accuracy == 1.0


@pytest.mark.parametrize("kind", [ft.NearestExamples, ft.LinearClassifier])
def test_with_embeddings_the_meaning_counts_and_is_paid_once(service, platform, answers, case, kind):
    rows = [("行李幾公斤", "託運"), ("行李超重", "託運"), ("寵物上飛機", "動物"), ("寵物籠", "動物")]
    data = ft.Dataset.from_rows([{"prompt": asks, "completion": label} for asks, label in rows])
    options = {"k": 2} if kind is ft.NearestExamples else {}
    asked = [case("Can my pet come?"), case("How heavy may my luggage be?")]
    for _ in range(2):
        assert text(answers, kind(data, embeddings="e", platform=platform, **options), *asked) == ["動物", "託運"]
    assert len(service.embedded) == len(rows) + len(asked)


def test_the_nearest_one_gives_its_own_words_and_never_those_of_the_case(answers, case):
    data = ft.Dataset.from_rows(
        [
            {"prompt": "幾點登機？", "completion": "洩漏的答案"},
            {"prompt": "幾點開始登機", "completion": "起飛前 30 分鐘。"},
            {"prompt": "行李限重", "completion": "23 公斤。"},
        ]
    )
    assert text(answers, ft.NearestExamples(data, k=1), case("几点登机?")) == ["起飛前 30 分鐘。"]


def test_votes_are_weighed_by_likeness_and_nothing_alike_gives_the_most_common(answers, case):
    data = ft.Dataset.from_rows(
        [
            {"prompt": "aaa bbb ccc", "completion": "A"},
            {"prompt": "aaa zzz yyy xxx www vvv", "completion": "B"},
            {"prompt": "qqq", "completion": " b "},
        ]
    )
    near = ft.NearestExamples(data, k=3)
    assert text(answers, near, case("aaa bbb"), case("完全無關")) == ["A", "B"]


def test_one_label_in_several_spellings_is_one(answers, case):
    rows = [
        ("好用", "Positive"),
        ("很好用", "positive"),
        ("超好用", "positive"),
        ("不能用", "NEGATIVE"),
        ("壞", "NEGATIVE"),
    ]
    data = ft.Dataset.from_rows([{"prompt": asks, "completion": label} for asks, label in rows])
    assert text(answers, ft.NearestExamples(data, k=3), case("真好用")) == ["positive"]
    assert text(answers, ft.LinearClassifier(data), case("真好用"), case("壞掉不能用")) == ["positive", "NEGATIVE"]


def test_the_weights_are_those_of_least_loss():
    """At the minimum the slope is 0: for each label, the shares add up to its count, and ridge holds the weights."""
    rng = numpy.random.default_rng(3)
    matrix, places = rng.normal(size=(60, 8)), [place % 3 for place in range(60)]
    weights = _weights(matrix, places, 3, 0.5)
    scores = matrix @ weights[:-1] + weights[-1]
    shares = numpy.exp(scores) / numpy.exp(scores).sum(axis=1, keepdims=True)
    right = numpy.eye(3)[places]
    assert shares.sum(axis=0) == pytest.approx(right.sum(axis=0), abs=1e-3)
    assert abs(matrix.T @ (shares - right) + 0.5 * weights[:-1]).max() < 1e-3


def test_a_separable_set_of_two_by_hand():
    """Rows at +1 and -1: the weight w solves w·ridge = 2·(1 - p) with p = 1/(1 + exp(-2w)); for ridge 1 it is .5212."""
    weights = _weights(numpy.array([[1.0], [-1.0]]), [0, 1], 2, 1.0)
    w = float(weights[0, 0])
    assert w == pytest.approx(0.5212, abs=1e-3)
    assert w == pytest.approx(2 * (1 - 1 / (1 + numpy.exp(-2 * w))), abs=1e-4)
    assert float(weights[0, 1]) == pytest.approx(-w, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda d: ft.NearestExamples(d, k=0), "k is at least 1"),
        (lambda d: ft.NearestExamples([]), "there is none"),
        (lambda d: ft.LinearClassifier([]), "chooses among labels"),
        (lambda d: ft.LinearClassifier(d, ridge=0), "ridge is above 0"),
        (lambda d: ft.LinearClassifier(d[:1]), "chooses among labels"),
    ],
)
def test_what_they_cannot_learn_from_is_refused(examples, make, said):
    with pytest.raises(ValueError, match=said):
        make(examples)


def test_a_path_and_free_texts_are_refused_with_what_to_write():
    with pytest.raises(TypeError, match=r"ft\.Dataset\.load"):
        ft.NearestExamples("faq.xlsx")
    data = ft.Dataset.from_rows([{"prompt": f"問題{n}", "completion": f"答案{n}"} for n in range(9)])
    with pytest.raises(ValueError, match="9 different answers of 9 examples are no labels"):
        ft.LinearClassifier(data)


def test_examples_without_question_or_answer_are_passed_over(answers, case):
    rows = [
        ft.Example({"messages": [{"role": "user", "content": "只有問題"}]}),
        ft.Example({"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "空"}]}),
        ft.Example({"messages": [{"role": "user", "content": "運費"}, {"role": "assistant", "content": "運費"}]}),
    ]
    assert text(answers, ft.NearestExamples(rows), case("只有問題嗎")) == ["運費"]

"""Questions that ask the same are one piece of evidence, in other words too; those that only look alike are not."""

import tomllib
from itertools import product
from pathlib import Path

import pytest

import finetune_lib as ft


def asked(id: str, question: str, expected: str = "1", cluster: str | None = None) -> ft.Case:
    return ft.Case(id, (ft.Message(role="user", content=question),), expected, cluster=cluster)


def zero(case: ft.Case) -> str:
    return "0"


def one(case: ft.Case) -> str:
    return "1"


def run(*candidates, golden: list[ft.Case], **options) -> ft.Report:
    return ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:", **options).run(golden, candidates=candidates)


def reworded() -> list[ft.Case]:
    """Ten questions, each in five wordings."""
    faq = tomllib.loads(Path(__file__).with_name("paraphrases.toml").read_text(encoding="utf-8"))["faq"]
    texts = [(f"{q}.{t}", text, one["answer"]) for q, one in enumerate(faq) for t, text in enumerate(one["questions"])]
    return [asked(*one) for one in texts]


def told(case: ft.Case) -> str:
    return case.expected if int(case.id.split(".")[0]) % 2 else ""


def test_a_question_in_other_words_says_what_the_question_says():
    golden = reworded()
    once, five = (run(zero, told, golden=some).verdict("told", baseline="zero") for some in (golden[::5], golden))
    assert (five.estimate.low, five.estimate.high) == (once.estimate.low, once.estimate.high)
    assert (five.estimate.clusters, five.estimate.n, five.outcome) == (10, 50, "not shown")
    assert run(zero, told, golden=golden, cluster_similar=False).verdict("told", baseline="zero").outcome == "better"
    check = ft.GoldenSet.of(golden).check()
    assert check.units == five.units == 10
    assert "question in other words (they count once together)" in str(check)


NAMES = ("返校", "色戒", "悲情城市", "東京物語", "Dune", "Matrix")
FORMS = {
    "one label for sentences of one form": [
        asked(f"{name}{said}", f"這部{name}{said}，值得你找時間看一看。", label)
        for name, (said, label) in product(NAMES, [("真好看", "1"), ("真難看", "0")])
    ],
    "one label for names in English": [
        asked(name, f"The food at {name} was great and cheap", "positive") for name in ("Luigi", "Marco", "Hana")
    ],
    "an answer of which the questions do not speak": [
        asked(text, text, "負面評價，不推薦給別人")
        for text in ("房間有霉味，隔壁很吵", "房間的冷氣壞了三天", "餐點冷掉了，房間也小")
    ],
    "other numbers": [asked(str(n), f"退票要多久？（航班 {n}）", "請看第 3 號公告的說明。") for n in (3, 10, 24)],
    "other instructions": [
        ft.Case(said, (ft.Message(role="system", content=said), ft.Message(role="user", content="月亮")), said)
        for said in ("翻成英文", "翻成日文", "翻成法文")
    ],
    "the same examples before them": [
        ft.Case(
            text,
            (
                ft.Message(role="user", content="這部電影拍得真好，推薦大家去看"),
                ft.Message(role="assistant", content="這是正面的評價，因為作者推薦了它"),
                ft.Message(role="user", content=text),
            ),
            "負",
        )
        for text in ("看到一半就睡著了", "音樂吵得我頭痛", "票價貴又沒有冷氣")
    ],
}


@pytest.mark.parametrize("golden", FORMS.values(), ids=FORMS)
def test_questions_that_only_look_alike_count_each(golden):
    found = run(zero, one, golden=golden).verdict("one", baseline="zero")
    assert (found.estimate.clusters, found.units) == (None, len(golden))
    check = ft.GoldenSet.of(golden).check()
    assert (check.units, check.ok, check.reworded) == (len(golden), True, ())


def test_check_and_report_count_the_same_units_whatever_joins_them():
    golden = [*reworded(), asked("x", "退貨期限是幾天？", "十四天內。"), asked("y", "門市幾點開門？", cluster="hours")]
    golden += [asked("z", "門市幾點打烊？", cluster="hours"), asked("w", "請問運費由誰負擔", "客人", cluster="hours")]
    found = run(zero, told, golden=[c for c in golden if c.id != "x"]).verdict("told", baseline="zero")
    check = ft.GoldenSet.of(golden).check()
    assert check.units == found.units == 10
    assert [group.answers for group in check.contradictions] == [
        ("自到貨日起七天內可以退貨，商品須保持全新。", "十四天內。"),
        ("運費由本公司負擔，您不用付運費。", "客人"),
    ]

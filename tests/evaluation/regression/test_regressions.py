"""What tuning broke: by area, paired, corrected, and always with the largest loss that is still possible."""

from __future__ import annotations

import json

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft
from finetune_lib.evaluation.regression import suite_of
from finetune_lib.evaluation.report import Report

GOLDEN = [
    ft.Case(str(i), (ft.Message(role="user", content=f"第 {i} 個貨架放什麼？"),), expected="箱子") for i in range(30)
]
SYSTEM = "system prompt and not knowing"
FORM = "instructions and form"


def right(case: ft.Case) -> str:
    return case.expected


def persona(case: ft.Case) -> str:
    """Has learned a persona, and forgets it for no system prompt."""
    return "您好，這裡是客服。" if case.category == SYSTEM and int(case.id.split("-")[-1]) % 2 else case.expected


def evaluated(*candidates, golden=GOLDEN, **options) -> Report:
    options = {"regression_suite": "general", "store": ":memory:", **options}
    return ft.Evaluator(scorers=[ft.ExactMatch()], **options).run(golden, candidates=candidates)


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluated(right, persona)


def test_what_got_worse_is_named_and_the_rest_has_its_largest_loss(report):
    found = report.regressions("persona")
    assert found.worse == (SYSTEM,)
    assert (found.baseline, found.suite) == ("right", "general")
    lost, *others = found.areas
    assert (lost.area, lost.change, lost.before, lost.comparison.family) == (SYSTEM, "worse", 1.0, 3)
    assert lost.largest_loss > lost.before - lost.after > 0.4
    # Nothing lost among 106: the rule's half width, by hand t(.975, 107) * sqrt(2 / (107 * 108)) = 1.9824 * .013156.
    assert {one.change for one in others} == {"not shown"}
    assert [round(one.largest_loss, 4) for one in others] == [0.0261, 0.0261]
    assert all(case.startswith("system-") for case in found.whole.lost)
    assert "persona got worse at system prompt and not knowing" in str(found)
    assert "at most 2.6 points lost (106 cases)" in str(found)


def test_none_shown_is_not_none_lost(report):
    found = evaluated(right, ft.Recorded({c.id: c.expected for c in [*GOLDEN, *suite_of(True)]}, name="same"))
    told = found.regressions("same")
    assert told.worse == ()
    assert told.largest_loss == max(one.largest_loss for one in told.areas) > told.whole.largest_loss > 0
    assert "no loss is shown, but up to 2.6 points may be lost at instructions and form" in str(told)


def test_gains_elsewhere_hide_no_loss():
    """The base is weak at form, the tuned one lost a little of the system prompt: on the whole it has gained."""

    def weak(case: ft.Case) -> str:
        return "?" if case.category == FORM else case.expected

    def gained(case: ft.Case) -> str:
        return "?" if case.id in {"system-en-1", "system-en-2"} else case.expected

    found = evaluated(weak, gained).regressions("gained")
    assert found.whole.largest_loss == 0
    assert found.weakest.area == SYSTEM
    assert found.largest_loss > 0.02
    assert f"points may be lost at {SYSTEM}" in found.conclusion


def test_the_golden_set_decides_alone(report):
    assert report.mean("persona") == 1.0
    assert len(report.cases) == 30
    assert report.verdict("persona", baseline="right").outcome == "not shown"
    assert len(report.results["persona"]) == 30


def test_the_other_way_round_is_better(report):
    back = report.regressions("right", baseline="persona")
    assert back.worse == ()
    assert "better" in {one.change for one in back.areas}


def test_missing_answers_count_as_lost(report):
    def silent_line(case: ft.Case) -> str:
        if case.category == FORM:
            raise RuntimeError("busy")
        return case.expected

    def busy_now_and_then(case: ft.Case) -> str:
        if case.id in {"form-en-1", "form-en-2"}:
            raise RuntimeError("busy")
        return case.expected

    found = evaluated(right, silent_line, busy_now_and_then)
    assert [one.area for one in found.regressions("silent_line").areas].count(FORM) == 0
    assert found.regressions("silent_line").unanswered == (FORM,)
    assert found.regressions("silent_line").largest_loss > 0.3
    assert "without a single answer of both: instructions and form" in str(found.regressions("silent_line"))
    assert "這些方面沒有任何一題有雙方的答案：遵守指示與格式。" in found.text(lang="zh-Hant")
    some = found.regressions("busy_now_and_then")
    form = next(one for one in some.areas if one.area == FORM)
    assert form.largest_loss > 2 / 106 + 0.02
    assert form.change == "not shown"
    assert "counted as lost: 2" in str(some)


def test_a_base_that_is_nowhere_right_cannot_tell():
    def lost(case: ft.Case) -> str:
        return "嗯" if case in SUITE_CASES else case.expected

    found = evaluated(lost, right).regressions("right", baseline="lost")
    assert found.worse == ()
    worse = evaluated(lost, lambda_named("also_lost", lost)).regressions("also_lost")
    assert {one.change for one in worse.areas} == {"cannot tell"}
    assert worse.conclusion == "cannot tell: lost has hardly a right answer to lose"


SUITE_CASES = tuple(suite_of(True))


def lambda_named(name, function):
    def other(case):
        return function(case)

    other.__name__ = name
    return other


def test_tiny_says_that_it_cannot_tell():
    with serving(Service(answer=lambda body: "?")) as service:
        platform = ft.connect(base_url=service.url, api_key="k")
        base = ft.ChatModel("tiny", name="base", platform=platform)
        tuned = ft.ChatModel("ft:tiny:me::1", name="tuned", platform=platform)
        report = evaluated(base, tuned, golden=GOLDEN[:2])
    found = report.regressions("tuned")
    assert found.toys == ("tuned", "base")
    assert "cannot tell: tuned, base is the toy model tiny" in str(found)
    assert "玩具模型 tiny" in report.text(lang="zh-Hant")


def test_models_behind_an_api_are_asked_with_the_system_prompt_of_the_case():
    answers = {case.prompt: case.expected for case in [*GOLDEN, *SUITE_CASES]}

    def answer(body):
        asked = body["messages"][-1]["content"]
        return "客服只回答機場的事。" if body["model"] == "tuned" and asked.startswith("What") else answers[asked]

    with serving(Service(answer=answer)) as service:
        platform = ft.connect(base_url=service.url, api_key="k")
        one, two = (
            ft.ChatModel(
                name, system="你是機場客服。", platform=platform, price=ft.Price(1, 1) if hasattr(ft, "Price") else None
            )
            for name in ("base", "tuned")
        )
        report = evaluated(one, two, golden=GOLDEN[:5])
    systems = [m["content"] for chat in service.chats for m in chat["messages"] if m["role"] == "system"]
    assert systems.count("你是機場客服。") == 10
    assert sum(1 for chat in service.chats) == 2 * (5 + len(SUITE_CASES))
    found = report.regressions("tuned")
    assert found.whole.lost
    assert set(found.whole.lost) == {c.id for c in SUITE_CASES if c.prompt.startswith("What")}


def test_the_pages_tell_in_each_language(report):
    for lang, said in {"en": "What tuning broke", "zh-Hant": "微調弄壞了什麼", "zh-Hans": "微调弄坏了什么"}.items():
        page = report.to_html(lang=lang)
        assert f"<h2>{said}</h2>" in page
        assert said in report.to_markdown(lang=lang)
    assert "persona 在這些方面比 right 差：遵守系統提示、承認不知道。" in report.text(lang="zh-Hant")
    assert "<h2>微調弄壞了什麼</h2>" not in evaluated(right, persona, regression_suite=None).to_html(lang="zh-Hant")


def test_the_page_for_a_manager_tells(report, tmp_path):
    page = report.save_summary_html(tmp_path / "m.html", lang="en").read_text(encoding="utf-8")
    assert "persona got worse than right at: system prompt" in page


def test_it_is_saved_with_the_report(report, tmp_path):
    again = Report.load(report.save_json(tmp_path / "report.json"))
    assert str(again.regressions("persona")) == str(report.regressions("persona"))
    assert again.to_html(lang="en").count("What tuning broke") == report.to_html(lang="en").count("What tuning broke")


def test_a_suite_of_ones_own(tmp_path):
    path = tmp_path / "自備.jsonl"
    rows = [
        {"input": f"{i} 加 {i} 是多少？", "expected": str(2 * i), "category": "算術", "check": {"number": True}}
        for i in range(11, 31)
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")

    def forgets(case: ft.Case) -> str:
        return "不知道" if case.category == "算術" else case.expected

    found = evaluated(right, forgets, regression_suite=path).regressions("forgets")
    assert (found.worse, found.suite, found.whole.comparison.estimate.n) == (("算術",), "自備.jsonl", 20)


def test_a_suite_without_areas_is_told_as_a_whole():
    suite = ft.GoldenSet.from_rows([{"input": f"{i} 加 {i} 是多少？", "expected": str(2 * i)} for i in range(20)])
    found = evaluated(right, lambda_named("forgets", lambda case: "?"), regression_suite=suite).regressions("forgets")
    assert (found.areas, found.worse) == ((), ())
    assert found.conclusion == "forgets got worse on the whole"
    assert "worse: all: 100% → 0% right" in str(found)


def test_a_dataset_is_a_suite():
    data = ft.Dataset.from_rows([{"prompt": f"{i} 號？", "completion": f"{i} 號"} for i in range(10)])
    found = evaluated(right, lambda_named("same", right), regression_suite=data).regressions("same")
    assert found.whole.comparison.ties == 10


def test_plain_cases_are_a_suite():
    suite = [ft.Case(str(i), (ft.Message(role="user", content=f"{i} 號？"),), f"{i} 號") for i in range(10)]
    found = evaluated(right, lambda_named("same", right), regression_suite=suite).regressions("same")
    assert (found.suite, found.whole.comparison.ties) == ("own suite", 10)


def test_cases_that_the_training_data_tells_are_left_out():
    first = SUITE_CASES[0]
    training = ft.Dataset.from_rows([{"prompt": first.prompt, "completion": first.expected}])
    report = ft.Evaluator(scorers=[ft.ExactMatch()], regression_suite=True, store=":memory:").run(
        GOLDEN, candidates=[right, persona], training=training
    )
    assert report.regressions("persona").whole.comparison.contaminated == 1


def test_mistakes_are_told_before_anything_is_asked(report):
    with pytest.raises(ValueError, match="give at least two candidates, the one before tuning first"):
        evaluated(right)
    with pytest.raises(ValueError, match="\"general\" or a file of your own; 'generall' is neither"):
        evaluated(right, persona, regression_suite="generall")
    with pytest.raises(ValueError, match="the regression suite is empty"):
        evaluated(right, persona, regression_suite=[])
    with pytest.raises(TypeError, match=r"GoldenSet.from_rows\(rows\)"):
        evaluated(right, persona, regression_suite=[{"input": "a", "expected": "b"}])
    with pytest.raises(TypeError, match="a file or cases, not 5"):
        evaluated(right, persona, regression_suite=5)
    with pytest.raises(ValueError, match='regression_suite="general"'):
        evaluated(right, persona, regression_suite=None).regressions("persona")
    with pytest.raises(ValueError, match="'right' is the baseline"):
        report.regressions("right")
    with pytest.raises(ValueError, match="no candidate is named 'tunde'"):
        report.regressions("tunde")

"""A report holds what was compared: how everything was told and set, by whom it was answered, and what judging cost."""

import json

import pytest
from tests.doubles import serving
from tests.evaluation.running.double import Double

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge

SYSTEM = "你是客服。" * 30


@pytest.fixture
def platform():
    with serving(Double()) as double:
        yield ft.connect(double.url, api_key="k")


@pytest.fixture
def golden(tmp_path) -> ft.GoldenSet:
    file = tmp_path / "題庫.csv"
    file.write_text("問題,答案,來源\n行李可以帶幾公斤？,42,信箱\n退票要多久？,42,電話\n", encoding="utf-8")
    return ft.GoldenSet.load(file)


@pytest.fixture
def report(platform, golden, tmp_path) -> ft.Report:
    examples = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}])
    candidates = [
        ft.ChatModel(
            "base", system=SYSTEM, max_tokens=64, options={"top_p": 0.9, "extra_headers": {"X-Key": "s3cret"}}
        ),
        ft.FewShot("base", name="shown", examples=examples, k=1, selection="first"),
    ]
    judge = PairwiseJudge("judge", criteria="票價要正確。", price=(1000.0, 2000.0))  # the double asks for $0.20 a call
    evaluator = ft.Evaluator([ft.Contains()], judge=judge, platform=platform, store=tmp_path / "answers.db")
    return evaluator.run(golden, candidates=candidates)


def test_settings_are_recorded_but_no_secrets(report):
    settings = report.run.settings
    assert settings["base"] == {"system": SYSTEM, "temperature": 0.0, "max_tokens": 64, "top_p": 0.9}
    assert (settings["shown"]["k"], settings["shown"]["selection"]) == (1, "first")
    assert settings["judge judge"]["criteria"] == "票價要正確。"
    assert "s3cret" not in json.dumps(report.to_dict())


def test_the_golden_set_has_its_name_and_its_day(report, golden):
    assert (report.run.golden_name, report.run.golden_date) == ("題庫.csv", golden.dated)
    assert golden.dated is not None
    assert len(golden.dated) == 10
    assert ft.GoldenSet.of(golden.cases).dated is None


def test_who_answered_and_what_judging_cost_are_recorded(report):
    assert report.run.answered == {"base": ("base",), "shown": ("base",)}
    asked = sum(one.asked for one in report.judgments)
    assert asked == 4
    assert report.run.judging == {"judge judge": pytest.approx(0.2 * asked)}
    assert "Judges and graders cost, now or in earlier runs: judge: $0.80." in report.text(lang="en")


def test_the_pages_tell_it_and_a_saved_report_too(report, tmp_path):
    again = ft.Report.load(report.save_json(tmp_path / "report.json"))
    assert again.run == report.run
    page = again.to_html(lang="zh-Hant", title="第三季")
    for said in ("題庫.csv", "檔案日期", "票價要正確。", "temperature 0", "max_tokens 64", "k 1", "top_p 0.9"):
        assert said in page
    assert SYSTEM in page
    assert page.count("<h1>第三季</h1>") == 1
    assert '["來源",{"t":"信箱"}]' in page
    assert again.to_markdown(title="Q3 <1>").startswith("## Q3 &lt;1&gt;")
    assert "max\\_tokens 64" in again.to_markdown(lang="en")


def test_reports_of_earlier_versions_still_open(report, tmp_path):
    kept = report.to_dict()
    for name in ("settings", "answered", "judging", "golden_name", "golden_date"):
        del kept["run"][name]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert ft.Report.load(path).run.settings == {}


def case(n: int) -> ft.Case:
    return ft.Case(str(n), (ft.Message(role="user", content=f"q{n}"),), "1")


def steps(answer: str, case: ft.Case) -> float:
    """Five levels."""
    return (int(case.id) % 5) / 4


def nothing(answer: str, case: ft.Case) -> float:
    return 0.0


def fine(case: ft.Case) -> str:
    return "1"


def other(case: ft.Case) -> str:
    return "2"


def third(case: ft.Case) -> str:
    return "1" if int(case.id) % 2 else "2"


def run(*candidates, scorers) -> ft.Report:
    return ft.Evaluator(scorers, store=":memory:").run([case(n) for n in range(20)], candidates=candidates)


def test_graded_scores_show_how_they_are_spread_and_others_do_not():
    page = run(fine, other, scorers=[steps, ft.ExactMatch()]).to_html(lang="en")
    assert "How the scores of steps are spread" in page
    assert "fine: 0.00: 4, 0.25: 4, 0.50: 4, 0.75: 4, 1.00: 4" in page
    assert "How the scores of exact_match are spread" not in page


def test_a_measure_that_is_lowest_for_all_is_said_wherever_it_stands():
    found = run(fine, other, scorers=[ft.ExactMatch(), nothing])
    for told in (found.text(lang="en"), found.to_html(lang="en")):
        assert "nothing is at its lowest for every answer of every candidate" in told
        assert "exact_match is at its lowest" not in told
    decided = run(fine, other, scorers=[nothing])
    assert "nothing is at its lowest" in decided.to_markdown(lang="en")


def test_the_toy_is_called_a_toy(platform):
    toys = [ft.ChatModel("tiny", name="base"), ft.ChatModel("ft:tiny:local:films:1", name="tuned")]
    found = ft.Evaluator([ft.Contains()], platform=platform, store=":memory:").run([case(1)], candidates=toys)
    assert "base" in found.run.models
    assert "tiny is a toy for trying things out" in found.text(lang="en")
    assert "tiny is a toy" not in run(fine, other, scorers=[ft.ExactMatch()]).text(lang="en")


def test_three_candidates_are_ranked_on_the_page_whatever_their_scale():
    def stars(answer: str, case: ft.Case) -> float:
        return 5.0 if answer == "1" else 1.0

    stars.__dict__["range"] = (1, 5)
    found = run(other, fine, third, scorers=[stars])
    assert list(found.ranking()) == ["fine", "third", "other"]
    page = found.to_html(lang="en")
    assert 'id="ranking"' in page
    assert "10\u00a0·\u00a010\u00a0·\u00a00" in page
    assert "0\u00a0·\u00a00\u00a0·\u00a020" in page
    assert 'id="ranking"' not in run(other, fine, scorers=[ft.ExactMatch()]).to_html(lang="en")

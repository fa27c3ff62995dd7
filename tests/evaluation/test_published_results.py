"""Results that others published, recomputed from their stored judgments through `finetune_lib.statistics`."""

import csv
import json
from collections import Counter, defaultdict
from math import isnan
from statistics import median

import pytest
from tests.files import SHARED

from finetune_lib import statistics as stats

EVAL = SHARED / "cases" / "eval"


def published(*parts):
    path = EVAL.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} is not here")  # the published data lies beside the repository, not in it
    return path


def rows(*parts):
    with published(*parts).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def alpaca_eval():
    preferences = rows("alpaca_eval", "alpaca_eval_gpt4_preferences.csv")
    board = {row[""]: row for row in rows("alpaca_eval", "alpaca_eval_gpt4_leaderboard.csv")}
    models = [name for name in preferences[0] if name != "row"]
    return {name: ([float(row[name]) for row in preferences if row[name]], board[name]) for name in models}


def test_alpaca_eval_board_of_52_models():
    found = alpaca_eval()
    assert len(found) == 52
    for preferences, row in found.values():
        rate = stats.win_rate(preferences, scale=(1, 2))
        counts = stats.tally(preferences, scale=(1, 2))
        assert 100 * rate.value == pytest.approx(float(row["win_rate"]), abs=1e-6)
        assert 100 * rate.standard_error == pytest.approx(float(row["standard_error"]), abs=1e-6)
        assert [counts.wins, counts.losses, counts.ties, rate.n] == [
            int(row[column]) for column in ("n_wins", "n_wins_base", "n_draws", "n_total")
        ]
        if row["discrete_win_rate"]:
            assert 100 * counts.discrete_win_rate == pytest.approx(float(row["discrete_win_rate"]), abs=1e-6)


def llmbar():
    judged = defaultdict(list)
    for row in rows("llmbar", "judgments.csv"):
        judged[row["dataset|evaluator"]].append((row["gold"], row["winner_order1"], row["winner_order2"]))
    expected = json.loads(published("llmbar", "published_statistics.json").read_text(encoding="utf-8"))
    return {name: (judged[name], expected[name]) for name in expected}


def test_llmbar_accuracy_and_consistency_of_73_runs():
    found = llmbar()
    assert len(found) == 73
    for items, expected in found.values():
        gold, one, other = zip(*items, strict=True)
        correct = [stats.percent_agreement(judged, gold) for judged in (one, other)]
        both = stats.wilson(sum(g == x == y for g, x, y in items), len(items))
        shares = {
            "correct_False": correct[0],
            "correct_True": correct[1],
            "correct_both": both,
            "equal": stats.percent_agreement(one, other),
        }
        for key, share in shares.items():
            count, n, percent = expected[key].replace("%", "").replace("=", "/").split("/")
            assert (round(share.value * share.n), share.n) == (int(count), int(n))
            assert 100 * share.value == pytest.approx(float(percent))
        assert 50 * sum(x.value for x in correct) == pytest.approx(float(expected["correct_average"].rstrip("%")))


def test_llmbar_kappas_of_73_runs():
    """As published, that is with the slip of its script, which reads a judged "2" as 0 and leaves the gold 2 at 2."""
    for items, expected in llmbar().values():
        gold = [int(g) for g, _, _ in items]
        one, other = ([int(judged[place] == "1") for judged in items] for place in (1, 2))
        found = [stats.cohen_kappa(one, gold).value, stats.cohen_kappa(other, gold).value]
        assert found == pytest.approx([expected["kappa_False"], expected["kappa_True"]], nan_ok=True)
        assert sum(found) / 2 == pytest.approx(expected["kappa_average"], nan_ok=True)
        between = stats.cohen_kappa(one, other).value
        assert between == pytest.approx(expected["kappa_agreement"]) or isnan(between)


def test_llmfao_crowd_board_of_59_models():
    """A tie is half a win for both. The published fit had stopped 3e-6 before its limit; every rank is the same."""
    wins, ties = Counter(), Counter()
    for row in rows("llmfao", "crowd-comparisons.csv"):
        sides = (row["left"], row["right"])
        if row["winner"] == "tie":
            ties[sides] += 1
        else:
            wins[sides if row["winner"] == "left" else sides[::-1]] += 1
    board = stats.bradley_terry(wins, ties=ties)
    expected = rows("llmfao", "published_bt_crowd-comparisons.csv")
    assert list(board) == [row[""] for row in expected]
    for row in expected:
        score = board[row[""]]
        assert score.value == pytest.approx(float(row["score"]), abs=4e-6)
        assert score.n == int(row["pairs"])
        assert score.low < score.value < score.high


def test_reinforcement_checkpoints():
    """Three checkpoints of a training with a grader; an answer passes from 0.8."""
    items = defaultdict(list)
    for row in rows("zava_rft", "item_scores.csv"):
        items[f"Step_{row['step']}"].append(float(row["score"]))
    expected = json.loads(published("zava_rft", "published_statistics.json").read_text(encoding="utf-8"))
    assert len(expected) == 3
    for step, row in expected.items():
        scores = items[step]
        mean, passed = stats.win_rate(scores), stats.wilson(sum(score >= 0.8 for score in scores), len(scores))
        assert mean.value == pytest.approx(row["mean_score"])
        assert mean.standard_error * (len(scores) - 1) ** 0.5 == pytest.approx(row["std_dev"])
        assert median(scores) == pytest.approx(row["median_score"])
        assert (100 * passed.value, passed.n) == (pytest.approx(row["pass_rate"]), row["total_count"])


def oracles():
    return json.loads(published("textbook_oracles.json").read_text(encoding="utf-8"))


def test_wilson_intervals_as_r_prints_them():
    for case in oracles()["wilson"]:
        found = stats.wilson(case["k"], case["n"], confidence=case["conf"])
        assert [found.low, found.high] == pytest.approx([case["low"], case["high"]], abs=1e-7)


def test_kappa_as_sas_prints_it():
    for case in oracles()["cohen_kappa"]:
        pairs = [(x, y) for x, row in enumerate(case["table"]) for y, count in enumerate(row) for _ in range(count)]
        found = stats.cohen_kappa(*zip(*pairs, strict=True), interval="asymptotic")
        got = [found.value, found.standard_error, found.low, found.high]
        assert got == pytest.approx([case["kappa"], case["ase"], *case["ci95"]], abs=5e-5)


def test_mcnemar_as_r_prints_it():
    for case in oracles()["mcnemar"]:
        b, c = case["table"][0][1], case["table"][1][0]
        plain, corrected = stats.mcnemar(b, c, method="chi2"), stats.mcnemar(b, c, method="chi2-corrected")
        assert stats.mcnemar(b, c, method="exact").p == pytest.approx(case["exact_p"], abs=5e-7)
        assert [plain.statistic, plain.p] == pytest.approx([case["chi2"], case["p"]], rel=1e-5)
        assert [corrected.statistic, corrected.p] == pytest.approx([case["chi2_cc"], case["p_cc"]], rel=1e-5)

"""Judgments that others published, read as ours: their numbers come out."""

from __future__ import annotations

import csv
import json
from collections import defaultdict

import pytest
from tests.files import SHARED

from finetune_lib.evaluation.judges import JudgeQuality, Judgment, Level, preferences
from finetune_lib.statistics import wilson

SHARED = SHARED / "cases" / "eval"
LLMBAR, COMPARATOR = SHARED / "llmbar", SHARED / "llm_comparator_example_tiny.json"
# The published cases lie beside the repository, not in it.
beside = pytest.mark.skipif(not LLMBAR.exists(), reason="the published cases are not on this machine")
WINNER: dict[tuple[str, bool], Level | None] = {
    ("1", True): "first_much_better",
    ("2", True): "second_much_better",
    ("1", False): "second_much_better",
    ("2", False): "first_much_better",
}


def judged(case: str, winner: str, *, first: bool, judge: str = "j", pair: tuple[str, str] = ("1", "2")) -> Judgment:
    """A winner, 1 or 2, of answers that were shown in this order; anything else is missing."""
    return Judgment(case, *pair, judge, first, level=WINNER.get((winner, first)))


@pytest.fixture(scope="module")
def llmbar():
    runs = defaultdict(list)
    with (LLMBAR / "judgments.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            runs[row["dataset|evaluator"]].append(row)
    return runs


@beside
class TestLLMBar:
    def test_order_consistency_of_each_run(self, llmbar):
        """They count a pair without any verdict as equal; for us it is missing."""
        published = json.loads((LLMBAR / "published_statistics.json").read_text(encoding="utf-8"))
        assert len(llmbar) == len(published) == 73
        for run, rows in llmbar.items():
            found = JudgeQuality.of(both_orders(rows), [row["item"] for row in rows], "1", "2")
            silent = sum(row["winner_order1"] == row["winner_order2"] == "" for row in rows)
            half = sum("" in (row["winner_order1"], row["winner_order2"]) for row in rows) - silent
            same, total = map(int, published[run]["equal"].split(" = ")[0].split(" / "))
            assert found.places.pairs == total - silent - half
            consistency = wilson(same - silent, total - silent - half)
            assert found.places.consistency == consistency, run

    def test_accuracy_of_each_run(self, llmbar):
        """Preferences for the answer that is right, over both orders."""
        published = json.loads((LLMBAR / "published_statistics.json").read_text(encoding="utf-8"))
        for run, rows in llmbar.items():
            if any("" in (row["winner_order1"], row["winner_order2"]) for row in rows):
                continue
            found = preferences(both_orders(rows), [row["item"] for row in rows], "1", "2")
            right = [((p or 0) * (1 if row["gold"] == "1" else -1) + 1) / 2 for p, row in zip(found, rows, strict=True)]
            accuracy = float(published[run]["correct_average"].rstrip("%")) / 100
            assert sum(right) / len(right) == pytest.approx(accuracy), run

    def test_a_judge_without_rules_favours_the_first_and_a_strong_one_hardly(self, llmbar):
        favoured = {}
        for run, rows in llmbar.items():
            places = JudgeQuality.of(both_orders(rows), [row["item"] for row in rows], "1", "2").places
            favoured[run] = places.favoured
        assert favoured["Processed/FairEval|ChatGPT/Vanilla_NoRules"] == "first"
        assert favoured["LLMBar/Natural|Falcon/Vanilla"] == "first"
        assert favoured["LLMBar/Natural|GPT-4/Vanilla"] is None

    def test_the_raw_file_of_one_run(self):
        rows = json.loads((LLMBAR / "raw_Natural_GPT-4_Vanilla_result.json").read_text(encoding="utf-8"))
        judgments = [
            judged(str(case), result[f"swap = {not first}"]["winner"], first=first)
            for case, row in enumerate(rows)
            for result in row["results"]
            for first in (True, False)
        ]
        found = JudgeQuality.of(judgments, [str(case) for case in range(len(rows))], "1", "2")
        assert (found.asked, found.places.pairs, found.places.consistency.value) == (200, 100, 0.95)


def both_orders(rows):
    return [
        judged(row["item"], row[f"winner_order{2 - first}"], first=first) for row in rows for first in (True, False)
    ]


def test_one_order_of_chatgpt_on_all_of_llmbar():
    """Of 419 pairs, 128 and 148 have one winner in both orders, 133 went to the first place twice, 10 to the second."""
    outcomes = ["1"] * 128 + ["2"] * 148 + ["first"] * 133 + ["second"] * 10
    winners = {True: {"first": "1", "second": "2"}, False: {"first": "2", "second": "1"}}
    judgments = [
        judged(str(case), winners[first].get(outcome, outcome), first=first)
        for case, outcome in enumerate(outcomes)
        for first in (True, False)
    ]
    ids = [str(case) for case in range(419)]
    one_order = [judgment.preference == 1 for judgment in judgments if judgment.candidate_first]
    found = JudgeQuality.of(judgments, ids, "1", "2")
    assert f"{wilson(sum(one_order), 419).value:.1%}" == "62.3%"
    assert f"{found.win_rate.value:.1%}" == "47.6%"
    assert (f"{found.places.first.value:.1%}", found.places.first.n) == ("64.7%", 838)
    assert (found.places.first_both, found.places.second_both, found.places.favoured) == (133, 10, "first")
    assert found.places.consistency.value == pytest.approx(276 / 419)


@beside
def test_a_file_of_llm_comparator_reads_as_judgments():
    examples = json.loads(COMPARATOR.read_text(encoding="utf-8"))["examples"]
    judgments = [judgment for number, example in enumerate(examples) for judgment in rated(str(number), example)]
    found = preferences(judgments, [str(number) for number in range(len(examples))], "a", "b")
    assert [value is None for value in found] == [False, *[True] * (len(examples) - 1)]
    assert found[0] == pytest.approx((1.0 + 1.0 - 0.5 + 0.0) / 4)


def rated(case, example):
    """Their scores are of -1.5 to 1.5 for `a`, whichever was shown first; ours have five levels."""
    seen = {True: 0, False: 0}
    for rating in example["individual_rater_scores"]:
        first = not rating.get("is_flipped", False)
        side = "first" if (rating["score"] > 0) == first else "second"
        strength = "much" if abs(rating["score"]) >= 1 else "slightly"
        level = f"{side}_{strength}_better" if rating["score"] else "tie"
        yield Judgment(case, "a", "b", "rater", first, repeat=seen[first], level=level, reason=rating["rationale"])
        seen[first] += 1

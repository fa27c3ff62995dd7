"""All candidates on one scale."""

from __future__ import annotations

import pytest

import finetune_lib as ft
from finetune_lib import statistics


def cases(n: int = 30) -> list[ft.Case]:
    return [ft.Case(str(i), (ft.Message(role="user", content=f"q{i}"),), expected="1") for i in range(n)]


def right_below(limit: int):
    def answer(case: ft.Case) -> str:
        return "1" if int(case.id) < limit else "0"

    answer.__name__ = f"right_{limit}"
    return answer


def test_a_report_ranks_its_candidates_by_a_scorer():
    candidates = [right_below(limit) for limit in (5, 25, 15)]
    report = ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:").run(cases(), candidates=candidates)
    board = report.ranking()
    assert list(board) == ["right_25", "right_15", "right_5"]
    assert sum(score.value for score in board.values()) == pytest.approx(1)
    assert all(score.low < score.value < score.high and score.n == 30 for score in board.values())


def test_judges_rank_what_they_compared():
    def longest(case: ft.Case, first: str, second: str) -> float:
        return float(len(first) > len(second)) - float(len(first) < len(second))

    def words(n: int):
        def answer(case: ft.Case) -> str:
            return "x" * (n + int(case.id) % 3)

        answer.__name__ = f"words_{n}"
        return answer

    evaluator = ft.Evaluator(judge=longest, all_pairs=True, store=":memory:")
    report = evaluator.run(cases(12), candidates=[words(2), words(3), words(1)])
    assert list(report.ranking()) == ["words_3", "words_2", "words_1"]
    assert len(report.judgments) == 12 * 3 * 2


def test_the_item_is_the_unit():
    once = statistics.ranking([(item, "a", "b", 1.0 if item % 3 else -1.0) for item in range(30)])
    thrice = statistics.ranking([(item, "a", "b", 1.0 if item % 3 else -1.0) for item in range(30) for _ in range(3)])
    assert thrice["a"].n == once["a"].n == 30
    width = once["a"].high - once["a"].low
    assert thrice["a"].high - thrice["a"].low == pytest.approx(width, rel=0.25)


def test_groups_that_never_met_are_told():
    with pytest.raises(ValueError, match="never met"):
        statistics.ranking([(1, "a", "b", 1.0), (2, "c", "d", 1.0)])
    with pytest.raises(ValueError, match="at least one comparison"):
        statistics.ranking([])

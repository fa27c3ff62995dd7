"""The leaderboard of one golden set."""

from __future__ import annotations

import finetune_lib as ft


def cases(n: int = 8) -> list[ft.Case]:
    return [ft.Case(str(i), (ft.Message(role="user", content=f"q{i}"),), expected="1") for i in range(n)]


def never(case: ft.Case) -> str:
    return "0"


def always(case: ft.Case) -> str:
    return "1"


def half(case: ft.Case) -> str:
    return str(int(case.id) % 2)


def test_it_shows_every_candidate_of_one_set_best_first(tmp_path):
    store = tmp_path / "answers.db"
    evaluator = ft.Evaluator(scorers=[ft.ExactMatch()], store=store)
    evaluator.run(cases(), candidates=[never, half])
    last = evaluator.run(cases(), candidates=[never, always])
    evaluator.run(cases(5), candidates=[never])
    board = ft.leaderboard(last, store=store)
    assert [(entry.candidate, entry.mean) for entry in board] == [
        ("always", 1.0),
        ("half", 0.5),
        ("never", 0.0),
        ("never", 0.0),
    ]
    assert (board[0].baseline, board[0].outcome) == ("never", "better")
    assert len({entry.evaluation for entry in board}) == 2
    assert "always" in str(board)
    assert "always" in board._repr_html_()
    assert [entry.cases for entry in ft.leaderboard(store=store)] == [5]


def test_another_order_of_the_cases_is_the_same_set(tmp_path):
    evaluator = ft.Evaluator(scorers=[ft.ExactMatch()], store=tmp_path / "a.db")
    one = evaluator.run(cases(), candidates=[half])
    other = evaluator.run(cases()[::-1], candidates=[half])
    assert one.run.golden == other.run.golden
    assert len(ft.leaderboard(one, store=tmp_path / "a.db")) == 2


def test_nothing_is_kept_in_memory_and_an_empty_board_says_so(tmp_path):
    ft.Evaluator(scorers=[ft.ExactMatch()], store=":memory:").run(cases(), candidates=[half])
    board = ft.leaderboard(store=tmp_path / "none.db")
    assert len(board) == 0
    assert str(board) == "no evaluation of this golden set is kept yet"
    assert not (tmp_path / "none.db").exists()

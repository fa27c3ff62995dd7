"""`runs`, `leaderboard`, `collect`, `purge`, `models`, `platforms`: what this machine remembers, and what is known."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.cli import main
from finetune_lib.evaluation.review import Beside, write_review
from finetune_lib.evaluation.review.keys import load_key
from finetune_lib.pages.terminal import width

MODEL = "gpt-4.1-mini-2025-04-14"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_training_is_remembered_with_its_data_and_its_model(folder, monkeypatch, capsys):
    ft.demo_file("sentiment", folder=folder)
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], statuses=("running",), steps=4) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        where = ["--platform", server.url, "--key-env", "SERVICE_KEY"]
        assert main(["train", "sentiment.xlsx", "--model", MODEL, "--yes", *where]) == 0
        (job,) = server.jobs
    capsys.readouterr()
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert f"sentiment.xlsx on {MODEL} → {job['fine_tuned_model']}" in shown
    assert "succeeded" in shown
    assert main(["runs", "--job", job["id"], "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["job"], run["fine_tuned_model"]) == (job["id"], job["fine_tuned_model"])
    assert main(["runs", "--model", job["fine_tuned_model"], "--card"]) == 0
    assert job["fine_tuned_model"] in capsys.readouterr().out


def test_where_nothing_is_kept_it_is_said(capsys):
    for arguments in (["runs"], ["runs", "--model", "none"], ["leaderboard"]):
        assert main(arguments) == 0
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["runs", "--card"]) == 2


def evaluated():
    cases = [ft.Case(str(n), (ft.Message(role="user", content=f"q{n}"),), expected="1") for n in range(8)]

    def airport_tuned_by_all_that_we_have(_):
        return "1"

    def base(_):
        return "0"

    ft.Evaluator(scorers=[ft.ExactMatch()]).run(cases, candidates=[base, airport_tuned_by_all_that_we_have])


def test_the_standings_fit_into_80_columns(capsys):
    evaluated()
    assert main(["leaderboard"]) == 0
    shown = capsys.readouterr().out
    assert "1.00" in shown
    assert max(map(width, shown.splitlines())) <= 80
    assert main(["leaderboard", "--scorer", "exact_match", "--json"]) == 0
    assert {one["candidate"]: one["mean"] for one in json.loads(capsys.readouterr().out)}["base"] == 0.0


def test_votes_of_experts_are_merged(folder, capsys):
    items = [Beside(f"c{n}", f"問題 {n}", {"tuned": f"好 {n}", "base": f"壞 {n}"}) for n in range(4)]
    write_review(folder / "review.html", items, secret_home=folder)
    (key,) = (folder / "reviews").glob("*.json")
    hidden = load_key(key).items
    for rater in ("林", "陳"):
        votes = [
            {"item": id, "showing": 1, "left": one.slots.index("tuned"), "choice": "left", "at": "2026-11-20T10:00:00Z"}
            for id, one in hidden.items()
        ]
        told = {"format": "side-by-side votes", "schema": 1, "set": key.stem, "rater": rater, "revision": 1}
        (folder / f"{rater}.json").write_text(json.dumps({**told, "votes": [{**v, "seconds": 5.0} for v in votes]}))
    arguments = ["collect", "林.json", "陳.json", "--key", str(key)]
    assert main(arguments) == 0
    assert "tuned" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["raters"], len(told["votes"])) == (["林", "陳"], 8)


def test_kept_answers_go_for_good_when_a_person_says_so(folder, monkeypatch, capsys):
    (folder / "golden.jsonl").write_text('{"問題": "q", "答案": "a"}\n', encoding="utf-8")
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], says="a") as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        where = ["--platform", server.url, "--key-env", "SERVICE_KEY"]
        assert main(["predict", "golden.jsonl", "--model", MODEL, *where]) == 0
    capsys.readouterr()
    assert main(["purge"]) == 2
    assert "--everything" in capsys.readouterr().err
    assert main(["purge", "--everything"]) == 2  # nobody can be asked
    assert "--yes" in capsys.readouterr().err
    assert main(["purge", "--model", "another", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == 0
    assert main(["purge", "--older-than", "1", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == 0  # they are of today
    assert main(["purge", "--model", MODEL, "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == 1


def test_what_is_known_of_models_and_platforms(capsys):
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert rows["tiny"][2:] == ["0.0", "–", "–"]
    assert main(["models", "--json"]) == 0
    assert "gpt-4.1-mini" in {one["model"] for one in json.loads(capsys.readouterr().out)}
    assert main(["platforms"]) == 0
    assert max(map(width, capsys.readouterr().out.splitlines())) <= 80
    assert main(["platforms", "--json"]) == 0
    assert {"openai", "azure", "local"} <= {one["platform"] for one in json.loads(capsys.readouterr().out)}

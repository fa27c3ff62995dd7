"""`preview`, `stats`, `estimate`, `browse`, `explain`: data looked at."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.cli import main
from finetune_lib.data.diagnostics.catalogue import catalogue
from finetune_lib.pages.terminal import width


@pytest.fixture(autouse=True)
def airport(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ft.demo_file("airport", folder=tmp_path)


def test_numbers_of_the_data_stand_in_a_table_or_json(capsys):
    assert main(["stats", "airport.jsonl"]) == 0
    assert "10 examples" in capsys.readouterr().out
    assert main(["stats", "airport.jsonl", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["examples"], told["messages"]["total"], set(told["by_role"])) == (
        10,
        30,
        {"system", "user", "assistant"},
    )


@pytest.mark.parametrize(("lang", "word"), [("zh-Hant", "訊息"), ("zh-Hans", "消息")])
@pytest.mark.parametrize("command", [["stats"], ["preview", "--model", "tiny"]], ids=lambda words: words[0])
def test_each_speaks_the_language_that_is_asked_for_within_80_columns(capsys, command, lang, word):
    assert main([*command[:1], "airport.jsonl", *command[1:], "--lang", lang]) == 0
    shown = capsys.readouterr().out
    assert word in shown or command[0] == "preview"
    assert ("學習" if lang == "zh-Hant" else "学习") in shown
    assert max(map(width, shown.splitlines())) <= 80


def test_the_price_of_a_training_is_worked_out(capsys):
    arguments = ["estimate", "airport.jsonl", "--model", "gpt-4.1-mini", "--epochs", "2", "--price", "10"]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["billed_tokens"] == 2 * told["tokens"]
    assert told["cost"] == pytest.approx(told["billed_tokens"] * 10 / 1_000_000)
    assert main(arguments) == 0
    assert "× 2 epochs" in capsys.readouterr().out


def test_tokens_are_shown_with_what_is_learned(capsys, tmp_path):
    assert main(["preview", "airport.jsonl", "--model", "tiny", "--limit", "1"]) == 0
    assert "您│好" in capsys.readouterr().out
    assert main(["preview", "airport.jsonl", "--model", "tiny", "--limit", "1", "--json"]) == 0
    (example,) = json.loads(capsys.readouterr().out)["examples"]
    learned = "".join(t["text"] for t in example["stretches"][0]["tokens"] if t["fate"] == "learned")
    assert learned.startswith("您好，國際線建議起飛前三小時抵達")
    assert main(["preview", "airport.jsonl", "--model", "tiny", "-o", "頁.html"]) == 0
    assert 'class="learned"' in (tmp_path / "頁.html").read_text(encoding="utf-8")


def test_an_example_that_teaches_nothing_is_exit_code_1(tmp_path, capsys):
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]}
    (tmp_path / "mute.jsonl").write_text(json.dumps(row))
    assert main(["preview", "mute.jsonl", "--model", "tiny"]) == 1
    assert "mute.jsonl" in capsys.readouterr().out


def test_conversations_and_findings_stand_on_one_page(tmp_path, capsys):
    assert main(["browse", "airport.jsonl", "-o", "page.html"]) == 0
    assert capsys.readouterr().out == "page.html\n"
    assert "祝您旅途愉快" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_without_a_code_all_are_listed(capsys):
    assert main(["explain"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == set(catalogue("en"))
    assert main(["explain", "--json", "--lang", "zh-Hant"]) == 0
    assert {one["code"] for one in json.loads(capsys.readouterr().out)} == set(catalogue("en"))


def test_of_one_code_json_says_what_it_means_unescaped(capsys):
    assert main(["explain", "J202", "--json", "--lang", "zh-Hant"]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown)["slug"] == "curly-quotes"
    assert "\\u" not in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stats", "沒有.jsonl"], "沒有.jsonl"),
        (["estimate", "airport.jsonl", "--model", "tiny", "--epochs", "0"], "epochs"),
        (["estimate", "airport.jsonl"], "--model"),
        (["preview", "airport.jsonl", "--model", "no-such/folder"], "no-such/folder"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_looked_at_is_told(capsys, arguments, told):
    assert main(arguments) == 2
    assert told in capsys.readouterr().err

"""`migrate inventory` and `migrate save` against a platform that answers as OpenAI does."""

from __future__ import annotations

import json

import pytest
from tests.migration.test_migration import FAQ, FILES, Leaving

import finetune_lib as ft
from finetune_lib.cli import main


@pytest.fixture
def where(monkeypatch):
    with Leaving("compatible") as server:
        monkeypatch.setenv("OLD_KEY", server.key)
        yield ["--platform", server.url, "--key-env", "OLD_KEY"]


def test_the_inventory_is_a_table_or_json(capsys, where):
    assert main(["migrate", "inventory", *where]) == 0
    assert FAQ in capsys.readouterr().out
    assert main(["migrate", "inventory", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["orphans"] == ["file-orphan"]


def test_all_is_saved_and_a_second_time_goes_on(capsys, where, tmp_path):
    folder = tmp_path / "離開"
    assert main(["migrate", "save", str(folder), *where]) == 0
    assert f"{len(FILES)} files in {folder}, {len(FILES)} of them new" in capsys.readouterr().out
    assert main(["migrate", "save", str(folder), *where, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["files"]) == set(FILES)


def test_a_folder_that_holds_something_else_is_named(capsys, where, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    assert main(["migrate", "save", str(tmp_path), *where]) == 2
    assert "holds something else" in capsys.readouterr().err


def test_a_recording_shows_its_plan_and_asks_only_after_a_yes(capsys, tmp_path, monkeypatch):
    rows = [{"id": f"g{n}", "問題": f"第 {n} 題？", "答案": "好"} for n in range(5)]
    (tmp_path / "golden.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    with ft.testing.ScriptedPlatform("compatible", models=("old",), says="好") as server:
        monkeypatch.setenv("OLD_KEY", server.key)
        where = ["--platform", server.url, "--key-env", "OLD_KEY"]
        command = ["migrate", "record", "old", str(tmp_path / "錄"), "--golden", str(tmp_path / "golden.jsonl"), *where]
        command += ["--price", "1", "2", "--system", "你是客服"]
        assert main([*command, "--plan"]) == 0
        assert "1. 5 golden questions" in capsys.readouterr().out
        assert main(command) == 2
        assert "add --yes" in capsys.readouterr().err
        assert server.count("POST /chat/completions") == 0
        assert main([*command, "--yes"]) == 0
        assert f"5 of 5 answers of old in {tmp_path / '錄'}" in capsys.readouterr().out
        assert main([*command, "--yes", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["answers"] == 5
        assert server.count("POST /chat/completions") == 10  # each question, and each a second time
        assert server.requests[-1].body["messages"][0] == {"role": "system", "content": "你是客服"}

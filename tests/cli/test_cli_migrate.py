"""`migrate inventory` and `migrate save` against a platform that answers as OpenAI does."""

from __future__ import annotations

import json

import pytest
from tests.migration.test_migration import FAQ, FILES, Leaving

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

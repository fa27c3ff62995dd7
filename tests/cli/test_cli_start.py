"""`demo` and `init`: the way in, in an empty folder."""

import os
import pty
import subprocess
import sys
from typing import get_args

import pytest

import finetune_lib as ft
from finetune_lib.cli import choices, main
from finetune_lib.demo import DemoName

COMMAND = [sys.executable, "-m", "finetune_lib"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sample_data_is_copied_here_and_the_next_command_works(empty_folder, capsys):
    assert main(["demo", "airport"]) == 0
    assert "finetune-lib check airport.jsonl" in capsys.readouterr().out
    assert main(["check", "airport.jsonl"]) == 0


def test_the_names_are_those_of_the_library():
    assert get_args(choices.Demo) == get_args(DemoName)


def test_a_file_of_that_name_is_left(empty_folder, capsys):
    (empty_folder / "airport.jsonl").write_text("mine")
    assert main(["demo", "airport"]) == 2
    assert "airport.jsonl" in capsys.readouterr().err
    assert (empty_folder / "airport.jsonl").read_text() == "mine"


def test_a_project_trains_and_compares(server, empty_folder, monkeypatch, capsys):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(server.root))
    ft.demo_file("sentiment", folder=empty_folder)
    assert main(["init", "sentiment.xlsx", "--aim", "labels"]) == 0
    assert "sentiment.xlsx: 14 examples" in capsys.readouterr().out
    done = subprocess.run([sys.executable, "finetune/train.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ft:tiny:local:" in done.stdout
    assert (empty_folder / "report.html").exists()


@pytest.mark.parametrize("aim", get_args(choices.Aim))
def test_without_a_table_a_sample_is_taken(empty_folder, capsys, aim):
    arguments = [*COMMAND, "init", "--aim", aim]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    compile((empty_folder / "finetune" / "train.py").read_text(encoding="utf-8"), "train.py", "exec")
    assert "0 errors" in done.stdout


def test_options_of_reading_stand_in_the_script(empty_folder):
    table = ft.demo_file("faq", folder=empty_folder)
    assert main(["init", str(table), "--sheet", "客服問答", "--system", '客服說"好"', "--model", "gpt-4.1"]) == 0
    script = (empty_folder / "finetune" / "train.py").read_text(encoding="utf-8")
    assert "sheet='客服問答'" in script
    assert "system='客服說\"好\"'" in script
    assert "ft.connect()" in script


def test_a_terminal_is_asked(empty_folder):
    ft.demo_file("complaints", folder=empty_folder)
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"complaints.csv\nlabels\n\n")
    done = subprocess.run([*COMMAND, "init"], stdin=terminal, capture_output=True, text=True, timeout=60)
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    script = (empty_folder / "finetune" / "train.py").read_text(encoding="utf-8")
    assert "ft.ExactMatch()" in script
    assert str(empty_folder / "complaints.csv") in script


def test_a_project_that_is_there_is_left(empty_folder, capsys):
    (empty_folder / "finetune").mkdir()
    (empty_folder / "finetune" / "train.py").write_text("mine")
    assert main(["init", str(ft.demo_file("airport"))]) == 2
    assert "--folder" in capsys.readouterr().err
    assert (empty_folder / "finetune" / "train.py").read_text() == "mine"


def test_a_missing_table_is_told_and_nothing_is_written(empty_folder, capsys):
    assert main(["init", "沒有.xlsx", "--aim", "answers", "--model", "tiny"]) == 2
    assert "沒有.xlsx" in capsys.readouterr().err
    assert list(empty_folder.iterdir()) == []

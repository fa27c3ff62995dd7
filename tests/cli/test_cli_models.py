"""`chat` and `predict`: models at the shell."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys

import openpyxl
import pytest

import finetune_lib as ft
from finetune_lib.cli import main

COMMAND = [sys.executable, "-m", "finetune_lib"]
MODEL = "gpt-4.1-mini-2025-04-14"
QUESTIONS = ["可以帶行動電源嗎？", "幾點報到？", "=1+1 是公式嗎？"]


def clerk(body):
    return f"答：{body['messages'][-1]['content']}"


@pytest.fixture
def service(monkeypatch, tmp_path):
    """A platform behind an address, and the options that name it; what is kept is this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], says=clerk) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        yield server, ["--platform", server.url, "--key-env", "SERVICE_KEY"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "問題.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["編號", "問題", "備註"], *([f"A{n}", q, "急"] for n, q in enumerate(QUESTIONS))])
    return path


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def asked(server):
    return server.count("POST /chat/completions")


def test_each_row_keeps_its_cells_and_gets_its_answer(service, table, capsys):
    _, where = service
    before = table.read_bytes()
    assert main(["predict", str(table), "--model", MODEL, *where]) == 0
    answered = rows_of(table.with_name("問題.answered.csv"))
    assert [[row["編號"], row["問題"], row["備註"], row["answer"]] for row in answered] == [
        [f"A{n}", q, "急", f"答：{q}"] for n, q in enumerate(QUESTIONS)
    ]
    assert list(answered[0]) == ["編號", "問題", "備註", "answer"]
    assert table.read_bytes() == before
    assert "3 of 3 rows answered" in capsys.readouterr().out


def test_no_answer_becomes_a_formula_in_a_workbook(service, table, tmp_path):
    _, where = service
    assert main(["predict", str(table), "--model", MODEL, "-o", "out.xlsx", "--column", "回答", *where]) == 0
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0] == ["編號", "問題", "備註", "回答"]
    assert cells[3] == ["A2", QUESTIONS[2], "急", f"答：{QUESTIONS[2]}"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}


def test_the_same_command_again_asks_nobody(service, table):
    server, where = service
    for force in ([], ["--force"]):
        assert main(["predict", str(table), "--model", MODEL, *where, *force]) == 0
    assert asked(server) == len(QUESTIONS)


def test_a_row_that_fails_has_its_reason_and_is_asked_again_alone(service, table, capsys):
    server, where = service

    def refusing(request, answer):
        failed = request.call == "POST /chat/completions" and "幾點" in json.dumps(request.body, ensure_ascii=False)
        return {"error": {"message": "內容被擋下"}} if failed else answer

    server.alter = refusing
    assert main(["predict", str(table), "--model", MODEL, *where]) == 1
    answered = rows_of(table.with_name("問題.answered.csv"))
    assert [bool(row["answer"]) for row in answered] == [True, False, True]
    assert "內容被擋下" in answered[1]["answer_error"]
    assert "內容被擋下" in capsys.readouterr().err
    server.alter, before = None, asked(server)
    assert main(["predict", str(table), "--model", MODEL, *where, "--force"]) == 0
    assert asked(server) == before + 1
    assert list(rows_of(table.with_name("問題.answered.csv"))[0]) == ["編號", "問題", "備註", "answer"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--column", "備註"], "'備註'"),
        (["--columns", "input=沒有這欄"], "沒有這欄"),
        (["--budget", "1"], "price"),
        (["--output", "問題.csv"], "--force"),
        (["--output", "out.pdf"], ".xlsx"),
        (["--max-tokens", "many"], "many"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_cannot_be_done_is_told_before_anybody_is_asked(service, table, capsys, more, told):
    server, where = service
    assert main(["predict", str(table), "--model", MODEL, *where, *more]) == 2
    assert told in capsys.readouterr().err
    assert asked(server) == 0


def test_a_wrong_key_writes_nothing(service, table, monkeypatch, capsys):
    _, where = service
    monkeypatch.setenv("SERVICE_KEY", "sk-wrong")
    assert main(["predict", str(table), "--model", MODEL, *where]) == 2
    assert "401" in capsys.readouterr().err
    assert not table.with_name("問題.answered.csv").exists()


def test_json_counts_what_was_done(service, table, capsys):
    _, where = service
    assert main(["predict", str(table), "--model", MODEL, *where, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["answered"], told["failed"]) == (3, 3, [])


def test_a_pipe_is_read_from_standard_input(service, tmp_path):
    _, where = service
    text = "".join(json.dumps({"問題": q}, ensure_ascii=False) + "\n" for q in QUESTIONS)
    arguments = [*COMMAND, "predict", "-", "--model", MODEL, *where, "-o", "out.jsonl"]
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, cwd=tmp_path, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["answer"] for row in rows] == [f"答：{q}" for q in QUESTIONS]


def test_ctrl_c_keeps_what_was_answered(service, table, tmp_path):
    server, where = service
    arguments = [*COMMAND, "predict", table, "--model", MODEL, *where]
    held = []

    def slow(body):
        if "幾點" in body["messages"][-1]["content"] and not held:
            held.append(1)
            process.send_signal(signal.SIGINT)
            process.wait(60)
        return clerk(body)

    server.says = slow
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.wait(60) == 130
        told = process.stderr.read()
    assert "the same command goes on" in told
    assert "Traceback" not in told
    assert main(["predict", str(table), "--model", MODEL, *where]) == 0
    assert [row["answer"] for row in rows_of(table.with_name("問題.answered.csv"))] == [f"答：{q}" for q in QUESTIONS]


def test_two_models_are_told_the_same_and_answer_side_by_side(trained, server, capsys):
    arguments = ["--platform", "local", "--root", str(server.root), "--max-tokens", "8", "--temperature", "0"]
    assert main(["chat", trained.model, "tiny", "--ask", "日本", *arguments]) == 0
    shown = capsys.readouterr().out
    assert shown.index(f"── {trained.model}") < shown.index("── tiny")
    assert main(["chat", trained.job.id, "tiny", "--ask", "日本", "--json", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["asked"] == "日本"
    assert list(told["answers"]) == [trained.job.id, "tiny"]
    assert f"── {trained.model}\n{told['answers'][trained.job.id]}\n" in shown


def test_a_pipe_is_a_conversation_that_new_begins_again(trained, server):
    arguments = ["--platform", "local", "--root", str(server.root), "--max-tokens", "8", "--temperature", "0", "--json"]
    command = [*COMMAND, "chat", trained.model, *arguments]
    done = subprocess.run(command, input="日本\n\n/new\n日本\n", capture_output=True, text=True, encoding="utf-8")
    first, again = map(json.loads, done.stdout.splitlines())
    assert first == again
    assert done.returncode == 0


def test_a_person_types_and_ends_with_ctrl_d(trained, server):
    keyboard, terminal = pty.openpty()
    os.write(keyboard, "日本\n\x04".encode())
    arguments = ["--platform", "local", "--root", str(server.root), "--max-tokens", "8"]
    done = subprocess.run(
        [*COMMAND, "chat", trained.model, *arguments], stdin=terminal, capture_output=True, text=True, timeout=120
    )
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == 0
    assert "Ctrl-D" in done.stderr


@pytest.mark.parametrize("model", ["no-such-model", "ftjob-none"])
def test_a_model_that_is_not_there_is_one_line(server, capsys, model):
    assert main(["chat", model, "--platform", "local", "--root", str(server.root), "--ask", "日本"]) == 2
    shown = capsys.readouterr().err
    assert model in shown
    assert "Traceback" not in shown

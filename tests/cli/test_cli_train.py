"""`train` and `jobs`: from a file to a model at the shell, on the local platform and on a scripted one."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib.cli import main

COMMAND = [sys.executable, "-m", "finetune_lib"]
FAQ = ROOT / "examples" / "data" / "sentiment.xlsx"
MODEL = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def service(monkeypatch):
    """A platform behind an address, and the options that name it."""
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], statuses=("running",), steps=4) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        yield server, ["--platform", server.url, "--key-env", "SERVICE_KEY"]


def train(*arguments):
    return main(["train", str(FAQ), "--model", MODEL, *map(str, arguments)])


def test_it_shows_the_plan_uploads_and_follows(service, capsys):
    server, where = service
    assert train(*where, "--yes", "--suffix", "影評", "--epochs", 2, "--set", "batch_size=4") == 0
    shown = capsys.readouterr()
    (job,) = server.jobs
    (asked,) = (request.body for request in server.requests if request.call == "POST /fine_tuning/jobs")
    assert asked["suffix"] == "影評"
    assert asked["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2, "batch_size": 4}
    assert "sentiment.xlsx, 14 examples" in shown.out
    assert job["fine_tuned_model"] in shown.out
    assert f"finetune-lib chat {job['fine_tuned_model']} --platform {server.url}" in shown.out
    assert "\r" not in shown.out + shown.err


def test_nothing_is_sent_where_nobody_can_agree(service, capsys):
    server, where = service
    assert train(*where) == 2
    assert "--yes" in capsys.readouterr().err
    assert [request.method for request in server.requests if request.method != "GET"] == []


@pytest.mark.parametrize(("answer", "jobs", "code"), [("y", 1, 0), ("n", 0, 1), ("", 0, 1)])
def test_it_asks_at_a_terminal(service, answer, jobs, code):
    server, where = service
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    arguments = [*COMMAND, "train", FAQ, "--model", MODEL, *where, "--detach"]
    done = subprocess.run(arguments, stdin=terminal, capture_output=True, text=True)
    os.close(keyboard)
    os.close(terminal)
    assert "[y/N]" in done.stderr
    assert (done.returncode, len(server.jobs)) == (code, jobs)


def test_the_plan_alone_sends_nothing(service, capsys):
    server, where = service
    assert train(*where, "--plan") == 0
    assert "14 examples" in capsys.readouterr().out
    assert server.jobs == ()


def test_detached_it_prints_the_id_and_how_to_follow(service, capsys):
    server, where = service
    assert train(*where, "--yes", "--detach") == 0
    id = server.jobs[0]["id"]
    assert f"finetune-lib jobs follow {id} --platform {server.url} --key-env SERVICE_KEY" in capsys.readouterr().out
    assert main(["jobs", "follow", id, *where]) == 0
    assert server.jobs[0]["fine_tuned_model"] in capsys.readouterr().out


def test_json_is_all_that_stands_on_standard_output(service, capsys):
    server, where = service
    assert train(*where, "--yes", "--json") == 0
    shown = capsys.readouterr().out
    told = json.loads(shown)
    assert (told["status"], told["id"]) == ("succeeded", server.jobs[0]["id"])


def test_the_same_command_again_gives_the_same_job(service, capsys):
    server, where = service
    for _ in range(2):
        assert train(*where, "--yes", "--detach") == 0
    assert len(server.jobs) == 1
    assert "--allow-duplicate" in capsys.readouterr().err
    assert train(*where, "--yes", "--detach", "--allow-duplicate") == 0
    assert len(server.jobs) == 2


def test_data_with_errors_is_told_with_its_cells_and_not_sent(service, capsys, tmp_path):
    server, where = service
    table = tmp_path / "壞.jsonl"
    table.write_text('{"messages": [{"role": "user", "content": "q"}]}\n' * 12, encoding="utf-8")
    assert main(["train", str(table), "--model", MODEL, *where, "--yes"]) == 1
    assert "壞.jsonl:1" in capsys.readouterr().err
    assert server.jobs == ()


def test_a_share_is_kept_for_validation_or_a_file_is_taken(service, capsys):
    server, where = service
    assert train(*where, "--yes", "--detach", "--validation", "2") == 0
    assert "12 examples" in capsys.readouterr().out
    assert train(*where, "--yes", "--detach", "--validation", FAQ.with_suffix(".csv")) == 0
    assert [bool(job.get("validation_file")) for job in server.jobs] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--validation", "missing.csv"], "missing.csv"),
        (["--set", "batch_size"], "NAME=VALUE"),
        (["--budget", "0.0001"], "budget"),
        (["--platform", "https://llm.example.com/v1"], "--key-env"),
        (["--platform", "mars"], "openai"),
        (["--key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY"),
    ],
)
def test_what_cannot_be_done_is_one_line(service, capsys, arguments, told):
    server, where = service
    elsewhere = [] if {"--platform", "--key-env"} & {*arguments} else where
    assert train(*elsewhere, "--yes", *arguments) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown
    assert server.jobs == ()


def test_a_job_that_fails_is_told_with_its_reason(monkeypatch, capsys):
    failure = {"code": "bad_data", "message": "Flagged lines: 3", "param": "training_file"}
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], ends="failed", failure=failure) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        assert train("--platform", server.url, "--key-env", "SERVICE_KEY", "--yes") == 1
    assert "Flagged lines: 3" in capsys.readouterr().err


def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(monkeypatch):
    statuses = ("queued",) * 10_000
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL], statuses=statuses) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        arguments = [*COMMAND, "train", FAQ, "--model", MODEL, "--platform", server.url, "--key-env", "SERVICE_KEY"]
        with subprocess.Popen([*arguments, "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as done:
            for line in done.stdout:
                if line.startswith("["):  # the first event
                    break
            done.send_signal(signal.SIGINT)
            assert done.wait(60) == 130
            told = done.stderr.read()
        id = server.jobs[0]["id"]
        assert server.jobs[0]["status"] != "cancelled"
    assert f"finetune-lib jobs follow {id} --platform {server.url} --key-env SERVICE_KEY" in told
    assert "Traceback" not in told


def test_jobs_are_listed_shown_and_steered(service, capsys):
    server, where = service
    server.statuses = ("running",) * 1000
    train(*where, "--yes", "--detach")
    id = server.jobs[0]["id"]
    capsys.readouterr()
    assert main(["jobs", "list", *where]) == 0
    assert id in capsys.readouterr().out
    assert main(["jobs", "list", "--json", *where]) == 0
    assert [job["id"] for job in json.loads(capsys.readouterr().out)] == [id]
    assert main(["jobs", "show", id, *where]) == 0
    assert re.search(rf"^job +{id}$", capsys.readouterr().out, re.MULTILINE)
    for verb, status in {"pause": "paused", "resume": "running", "cancel": "cancelled"}.items():
        assert main(["jobs", verb, id, "--json", *where]) == 0
        assert json.loads(capsys.readouterr().out)["status"] in {status, "queued"}
    assert main(["jobs", "list", "--status", "succeeded", *where]) == 0
    assert capsys.readouterr().out == ""


def test_the_losses_are_told_as_text_and_json(service, capsys):
    server, where = service
    train(*where, "--yes", "--json")
    id = json.loads(capsys.readouterr().out)["id"]
    assert main(["jobs", "metrics", id, "--json", *where]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in steps] == list(range(1, server.steps + 1))
    assert all(isinstance(step["train_loss"], float) for step in steps)
    assert main(["jobs", "metrics", id, *where]) == 0
    assert "loss" in capsys.readouterr().out


def test_an_unknown_job_is_one_line(service, capsys):
    _, where = service
    assert main(["jobs", "show", "ftjob-none", *where]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("finetune-lib: ")
    assert "ftjob-none" in shown


def test_on_the_local_platform_nobody_is_asked(server, capsys):
    arguments = ["--platform", "local", "--root", str(server.root)]
    assert main(["train", str(FAQ), "--model", "tiny", "--epochs", "1", "--suffix", "shell", *arguments]) == 0
    assert re.search(r"^ft:tiny:local:shell:\w+$", capsys.readouterr().out, re.MULTILINE)


def test_a_terminal_shows_one_line_with_the_loss(service):
    """The bar is drawn on standard error, and standard output has no step."""
    _, where = service
    screen, terminal = pty.openpty()
    arguments = [*COMMAND, "train", FAQ, "--model", MODEL, *where, "--yes"]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=terminal, text=True)
    os.close(terminal)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)
    assert done.returncode == 0
    assert re.search(r"\rftjob-|\r\[#*-*\] +\d+% ftjob-", shown)
    assert "Step" not in done.stdout

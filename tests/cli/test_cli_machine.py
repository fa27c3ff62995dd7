"""`doctor` and `completion`: what this machine has, and the keys of its shell."""

import json
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from finetune_lib import __version__
from finetune_lib.cli import machine, main
from finetune_lib.cli.app import GROUPS

SECRET = "sk-not-to-be-shown"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    for name in machine.KEYS:
        monkeypatch.delenv(name, raising=False)


def told(capsys):
    code = main(["doctor", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_it_tells_what_is_here_and_never_a_key(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    code, found = told(capsys)
    assert (code, found["finetune_lib"], found["platform"]) == (0, __version__, "openai")
    assert found["set in the environment"] == ["OPENAI_API_KEY"]
    assert found["folder"] == str(tmp_path)
    assert main(["doctor"]) == 0
    assert SECRET not in capsys.readouterr().out + json.dumps(found)


@pytest.mark.parametrize(
    ("named", "platform"),
    [
        ({}, "local"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "openai"),
        ({"AZURE_OPENAI_ENDPOINT": "https://x", "AZURE_OPENAI_API_KEY": SECRET}, "azure"),
        ({"AZURE_OPENAI_ENDPOINT": "https://x"}, "local"),
    ],
    ids=lambda value: str(value),
)
def test_where_a_call_would_go_is_what_connect_does(capsys, monkeypatch, named, platform):
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert told(capsys)[1]["platform"] == platform


def test_torch_for_cards_without_a_card_is_advised_against(capsys, monkeypatch):
    monkeypatch.setattr(machine, "_version", lambda _: "2.13.0+cu130")
    monkeypatch.setattr(machine, "_device", lambda: "cpu")
    code, found = told(capsys)
    assert code == 1
    assert "(PyTorch's own guide to installing it has the command, under Compute Platform: CPU)" in found["advice"][0]


def test_a_local_platform_that_is_not_installed_is_told(capsys, monkeypatch):
    find = machine.find_spec
    monkeypatch.setattr(machine, "find_spec", lambda name: None if name in {"trl", "torch"} else find(name))
    code, found = told(capsys)
    assert (code, found["device"]) == (1, "none: torch is not installed")
    assert 'pip install "finetune_lib[local]"' in found["advice"][0]


def test_a_card_is_named(capsys, monkeypatch):
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda _: "A Card")
    monkeypatch.setattr("torch.cuda", cuda)
    assert told(capsys)[1]["device"] == "cuda: A Card"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_what_completes_it(capsys, shell, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    names = [function.partition(":")[2].partition("_")[0] for commands in GROUPS.values() for function in commands]
    assert [name for name in names if name not in script] == []
    if shutil.which(shell):
        path = tmp_path / "completion"
        path.write_text(script, encoding="utf-8")
        assert subprocess.run([shell, "-n", path], capture_output=True, text=True).stderr == ""

"""`finetune-lib check`: exit codes, where its words go, and the shape of its JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_lib.cli import main

KEYS = {"code", "slug", "severity", "line", "row", "path", "cell", "message", "hint", "related", "fix"}
ODD = "備註🛫é"
SCRIPT = Path(sys.executable).with_name("finetune-lib")


def chat(number, **extra):
    messages = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": "答"}]
    return json.dumps({"messages": messages, **extra}, ensure_ascii=False)


@pytest.fixture
def clean(tmp_path):
    path = tmp_path / "clean.jsonl"
    path.write_text("\n".join(chat(n) for n in range(10)), encoding="utf-8")
    return path


@pytest.fixture
def faulty(tmp_path):
    path = tmp_path / "faulty.jsonl"
    path.write_text("\n".join([*(chat(n) for n in range(10)), "{broken", chat(11, **{ODD: "x"})]), encoding="utf-8")
    return path


def check(capsys, *arguments):
    code = main(["check", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_clean_data_is_0(capsys, clean):
    code, out, err = check(capsys, clean)
    assert code == 0
    assert out.strip().endswith("0 errors, 0 warnings")
    assert err == ""


def test_errors_are_1_and_named_with_their_lines(capsys, faulty):
    code, out, err = check(capsys, faulty)
    assert code == 1
    assert "error[J223]" in out
    assert "faulty.jsonl:11" in out
    assert f"faulty.jsonl:12  /{ODD}" in out
    assert err == ""


def test_warnings_alone_are_0(capsys, clean):
    clean.write_text(clean.read_text(encoding="utf-8") + "\n" + chat(0), encoding="utf-8")
    code, out, _ = check(capsys, clean)
    assert code == 0
    assert "warning[D801]" in out


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.xlsx", "unknown.txt"])
def test_a_file_that_cannot_be_opened_is_2_on_stderr(capsys, tmp_path, name):
    code, out, err = check(capsys, tmp_path / name, "--json")
    assert code == 2
    assert out == ""
    assert err.startswith("finetune-lib: ")
    assert name in err


def test_a_file_that_reads_but_is_no_dataset_is_1(capsys, tmp_path):
    path = tmp_path / "page.jsonl"
    path.write_text("<!DOCTYPE html><html></html>")
    code, out, _ = check(capsys, path, "--json")
    content = json.loads(out)
    assert code == 1
    assert (content["ok"], content["examples"]) == (False, 0)
    assert [(d["code"], d["line"]) for d in content["diagnostics"]] == [("E111", 1)]


def test_an_array_in_a_jsonl_file_is_1_and_in_a_json_file_0(capsys, tmp_path):
    for name, expected, severity in (("array.jsonl", 1, "error"), ("array.json", 0, "info")):
        path = tmp_path / name
        path.write_text(f"[{', '.join(map(chat, range(10)))}]", encoding="utf-8")
        code, out, _ = check(capsys, path, "--json")
        content = json.loads(out)
        assert (code, content["ok"], content["examples"]) == (expected, not expected, 10)
        (found,) = content["diagnostics"]
        assert (found["code"], found["severity"], found["line"]) == ("J209", severity, 1)
        assert found["fix"]["kind"] == "safe"


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "a.jsonl", "--target", "mars"], ["unknown"]])
def test_wrong_usage_is_2(capsys, arguments):
    assert main(arguments) == 2
    assert capsys.readouterr().out == ""


def test_an_unknown_encoding_is_2(capsys, clean):
    code, out, err = check(capsys, clean, "--encoding", "no-such-encoding")
    assert code == 2
    assert out == ""
    assert "no-such-encoding" in err


def test_json_of_clean_data_has_no_finding(capsys, clean):
    code, out, _ = check(capsys, clean, "--json")
    assert code == 0
    assert json.loads(out) == {"ok": True, "examples": 10, "diagnostics": []}


def test_json_has_exactly_one_shape(capsys, faulty):
    code, out, err = check(capsys, faulty, "--json")
    content = json.loads(out)
    assert (code, err) == (1, "")
    assert content.keys() == {"ok", "examples", "diagnostics"}
    assert (content["ok"], content["examples"]) == (False, 11)
    assert all(finding.keys() == KEYS for finding in content["diagnostics"])
    first, second = content["diagnostics"]
    assert (first["code"], first["slug"], first["severity"]) == ("J223", "missing-quotes", "error")
    assert (first["line"], first["row"], first["path"], first["cell"]) == (11, 11, None, None)
    assert first["fix"].keys() == {"kind", "description"}
    assert first["fix"]["kind"] == "unsafe"
    assert (second["code"], second["line"], second["row"], second["path"]) == ("S306", 12, 12, f"/{ODD}")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "P605"),
        (["--target", "local"], None),
        (["--method", "dpo"], "P605"),
        (["--target", "local", "--model", "unknown"], "K708"),
    ],
)
def test_options_choose_the_rules(capsys, tmp_path, arguments, expected):
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": f"q{n}", "completion": "a"}) for n in range(10)))
    _, out, _ = check(capsys, path, "--json", *arguments)
    assert {d["code"] for d in json.loads(out)["diagnostics"]} == ({expected} if expected else set())


def test_the_encoding_is_passed_on(capsys, tmp_path):
    path = tmp_path / "big5.csv"
    path.write_bytes(("prompt,completion\n" + "\n".join(f"第{n}題,答" for n in range(10))).encode("cp950"))
    codes = []
    for arguments in ([], ["--encoding", "cp950"], ["--encoding", "utf-8"]):
        code, out, _ = check(capsys, path, "--json", *arguments)
        codes.append((code, {d["code"] for d in json.loads(out)["diagnostics"]}))
    assert codes == [(0, {"E103"}), (0, set()), (1, {"E114"})]


def test_the_console_script_prints_json_whatever_the_terminal_shows(faulty):
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([SCRIPT, "check", faulty, "--json"], capture_output=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr == b""
    assert json.loads(done.stdout)["diagnostics"][1]["path"] == f"/{ODD}"

"""`finetune-lib check`: exit codes, where its words go, and the shape of its JSON."""

import contextlib
import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.files import ROOT

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
    for name, expected, severity in (("a.jsonl", 1, "error"), ("a.json", 0, "info"), ("a.txt", 0, "info")):
        path = tmp_path / name
        path.write_text(f"[{', '.join(map(chat, range(10)))}]", encoding="utf-8")
        code, out, _ = check(capsys, path, "--json")
        content = json.loads(out)
        assert (code, content["ok"], content["examples"]) == (expected, not expected, 10)
        (found,) = content["diagnostics"]
        assert (found["code"], found["severity"], found["line"]) == ("J209", severity, 1)
        assert found["fix"].keys() == {"kind", "description"}
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
    assert first["fix"] is None  # where its texts end cannot be told
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


def test_several_files_are_told_one_after_the_other_with_the_worst_exit_code(capsys, clean, faulty, tmp_path):
    code, out, err = check(capsys, clean, tmp_path / "missing.jsonl", faulty)
    assert code == 2
    assert [name in out for name in ("clean.jsonl: 10 examples", "faulty.jsonl: 11 examples")] == [True, True]
    assert err.startswith("finetune-lib: ")
    assert "missing.jsonl" in err
    assert check(capsys, clean, faulty)[0] == 1
    assert check(capsys, clean, clean)[0] == 0


def test_several_files_are_one_object_one_sarif_run_and_one_page(capsys, clean, faulty):
    code, out, _ = check(capsys, clean, faulty, "--json")
    content = json.loads(out)
    assert (code, content["ok"]) == (1, False)
    assert [(one["file"], one["ok"], one["examples"]) for one in content["files"]] == [
        ("clean.jsonl", True, 10),
        ("faulty.jsonl", False, 11),
    ]
    (run,) = json.loads(check(capsys, clean, faulty, "--sarif")[1])["runs"]
    assert {r["ruleId"] for r in run["results"]} == {"J223", "S306"}
    page = check(capsys, faulty, clean, "--html")[1]
    assert "faulty.jsonl, clean.jsonl" in page


def test_sarif_names_files_as_the_command_does(faulty):
    done = subprocess.run([SCRIPT, "check", "sub/faulty.jsonl", "--sarif"], cwd=moved(faulty), capture_output=True)
    (run,) = json.loads(done.stdout)["runs"]
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]]
    assert set(places) == {"sub/faulty.jsonl"}


def moved(file):
    """The folder in whose folder `sub` the file now lies."""
    folder = file.parent / "sub"
    folder.mkdir()
    file.rename(folder / file.name)
    return file.parent


@pytest.mark.parametrize("kind", ["lines", "workbook"])
def test_a_hyphen_is_standard_input_of_any_kind(faulty, kind):
    file, options = (faulty, []) if kind == "lines" else (ROOT / "examples/data/sentiment.xlsx", ["--sheet", "影評"])
    done = subprocess.run(
        [SCRIPT, "check", "-", *options, "--lang", "en"], input=file.read_bytes(), capture_output=True
    )
    assert (done.returncode, done.stderr) == ((1, b"") if kind == "lines" else (0, b""))
    assert f"stdin: {11 if kind == 'lines' else 14} examples" in done.stdout.decode()
    assert ("--> stdin:11" in done.stdout.decode()) == (kind == "lines")


def test_a_reader_who_leaves_early_is_no_success(tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text("{broken\n" * 3000)
    command = f"set -o pipefail; {shlex.quote(str(SCRIPT))} check {path} --json | head -c 1"
    assert subprocess.run(["bash", "-c", command], capture_output=True).returncode == 141


def test_in_a_terminal_findings_have_color_and_hints_of_the_shell(faulty):
    code, shown = in_terminal([str(SCRIPT), "check", str(faulty), "--lang", "zh-Hant"])
    assert code == 1
    assert "\x1b[1;31m錯誤[J223]" in shown
    assert "需由您決定：finetune-lib fix --unsafe" in shown


def in_terminal(command):
    """What a command shows on a terminal of its own, and its exit code."""
    process, terminal = pty.fork()
    if not process:
        os.execve(command[0], command, os.environ | {"TERM": "xterm"})  # noqa: S606
    shown = b""
    with contextlib.suppress(OSError):  # its end, on Linux
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode()


def test_json_shows_chinese_where_it_can_be_shown(capsys, faulty):
    assert f"/{ODD}" in check(capsys, faulty, "--json")[1]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([SCRIPT, "check", faulty, "--json"], capture_output=True, env=environment)
    assert done.stdout.isascii()


@pytest.mark.parametrize("saved", ["en", "zh-Hant"])
@pytest.mark.parametrize("looked", ["en", "zh-Hans"])
def test_a_baseline_holds_in_any_language(capsys, faulty, tmp_path, saved, looked):
    baseline = tmp_path / "before.json"
    baseline.write_text(check(capsys, faulty, "--json", "--lang", saved)[1], encoding="utf-8")
    assert check(capsys, faulty, "--baseline", baseline, "--lang", looked)[0] == 0
    faulty.write_text(faulty.read_text(encoding="utf-8") + "\n{also", encoding="utf-8")
    code, out, _ = check(capsys, faulty, "--baseline", baseline, "--json")
    assert (code, [d["line"] for d in json.loads(out)["diagnostics"]]) == (1, [13])


def test_a_baseline_that_is_no_report_is_2(capsys, faulty):
    code, out, err = check(capsys, faulty, "--baseline", faulty)
    assert (code, out) == (2, "")
    assert "check --json" in err


def test_columns_may_have_commas_in_their_names(capsys, tmp_path):
    path = tmp_path / "faq.csv"
    path.write_text('"q, long",a\n' + "\n".join(f"第{n}題？,答{n}" for n in range(10)), encoding="utf-8")
    code, out, _ = check(capsys, path, "--columns", "prompt=q, long,completion=a", "--json")
    assert (code, json.loads(out)["examples"]) == (0, 10)


def test_the_options_that_a_refused_conversation_names_read_it(capsys, tmp_path):
    path = tmp_path / "talks.csv"
    path.write_text("案號,發話者,內容\n1,小 美,q1\n1,阿強,a1\n2,小 美,q2\n2,阿強,a2\n", encoding="utf-8")
    code, out, _ = check(capsys, str(path), "--lang", "en")
    assert code == 1
    assert "--roles '小 美'=…,'阿強'=…" in out
    code, out, _ = check(capsys, str(path), "--roles", "小 美=user,阿強=assistant", "--conversation", "案號", "--json")
    assert "T300" in {finding["code"] for finding in json.loads(out)["diagnostics"]}
    assert json.loads(out)["examples"] == 2
    assert check(capsys, str(path), "--roles", "小美")[0] == 2

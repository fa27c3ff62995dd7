"""`finetune-lib fix`: what it writes and where, its exit codes, and its words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_lib.cli import main

SCRIPT = Path(sys.executable).with_name("finetune-lib")
BROKEN = "{broken"


def chat(number, text="答"):
    turns = [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": text}]
    return json.dumps({"messages": turns}, ensure_ascii=False)


@pytest.fixture
def mendable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written("mendable.jsonl", [*map(chat, range(9)), chat(9).replace("}]", "},]")])


@pytest.fixture
def broken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written("broken.jsonl", [*map(chat, range(10)), BROKEN])


def written(name, lines):
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def fix(capsys, *arguments):
    code = main(["fix", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def names():
    return sorted(path.name for path in Path.cwd().iterdir())


def rows(path):
    return Path(path).read_text(encoding="utf-8").splitlines()


def test_a_mended_copy_is_0(capsys, mendable):
    code, out, err = fix(capsys, mendable, "--lang", "en")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "read 10 = kept 10 + dropped 0 + merged 0",
        "1 row mended; wrote mendable.fixed.jsonl",
    ]
    assert rows("mendable.fixed.jsonl") == [chat(n) for n in range(10)]


def test_what_cannot_be_read_writes_nothing_and_is_2_with_the_way_on(capsys, broken):
    code, out, err = fix(capsys, broken, "--lang", "en")
    assert (code, out, names()) == (2, "", ["broken.jsonl"])
    assert "broken.jsonl:11" in err
    assert err.endswith("by hand, or leave them out with --unsafe.\n")
    assert "data." not in err


def test_unsafe_leaves_out_what_stays_wrong_and_keeps_it_aside(capsys, broken):
    code, out, _ = fix(capsys, broken, "--unsafe", "--lang", "en")
    assert code == 0
    assert "left out rows in broken.fixed.rejects.jsonl" in out
    assert rows("broken.fixed.jsonl") == [chat(n) for n in range(10)]
    (row,) = map(json.loads, rows("broken.fixed.rejects.jsonl"))
    assert (row["text"], row["line"], row["codes"]) == (BROKEN, 11, ["J223"])


def test_errors_that_are_left_are_1_and_unsafe_is_not_proposed_after_unsafe(capsys, mendable):
    few = written("few.jsonl", [chat(1)])
    code, out, _ = fix(capsys, few, "--target", "openai", "--lang", "en")
    assert code == 1
    left = "1 error left: run finetune-lib check few.fixed.jsonl --target openai"
    assert out.splitlines()[-1] == f"{left}, or fix with --unsafe"
    code, out, _ = fix(capsys, few, "--unsafe", "--force", "--target", "openai", "--lang", "en")
    assert (code, out.splitlines()[-1]) == (1, left)


@pytest.mark.parametrize("there", ["broken.fixed.jsonl", "broken.fixed.rejects.jsonl"])
def test_what_is_there_is_kept_without_force_and_no_other_file_is_left(capsys, broken, there):
    Path(there).write_text("mine")
    code, out, err = fix(capsys, broken, "--unsafe")
    assert (code, out, rows(there)) == (2, "", ["mine"])
    assert there in err
    assert "--force" in err
    assert "overwrite" not in err
    assert names() == sorted(["broken.jsonl", there])
    assert fix(capsys, broken, "--unsafe", "--force")[0] == 0
    assert rows(there) != ["mine"]


def test_no_rejects_file_without_rejects(capsys, mendable):
    assert fix(capsys, mendable, "--unsafe")[0] == 0
    assert names() == ["mendable.fixed.jsonl", "mendable.jsonl"]


def test_no_rejects_file_where_the_output_cannot_be_written(capsys, broken):
    Path("out").mkdir()
    code, _, _ = fix(capsys, broken, "--unsafe", "--force", "-o", "out", "--rejects", "left.jsonl")
    assert (code, names()) == (2, ["broken.jsonl", "out"])


def test_rejects_of_a_table_name_their_cells(capsys, tmp_path, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    monkeypatch.chdir(tmp_path)
    book = openpyxl.Workbook()
    for row in [("prompt", "completion"), *((f"q{n}", f"a{n}") for n in range(10)), ("q", None)]:
        book.active.append(row)
    book.save("faq.xlsx")
    fix(capsys, "faq.xlsx", "--unsafe")
    (row,) = map(json.loads, rows("faq.fixed.rejects.jsonl"))
    assert row["cells"] == ["Sheet!B12"]


def test_it_speaks_the_language_that_was_asked_for(capsys, broken):
    code, out, _ = fix(capsys, broken, "--unsafe", "--lang", "zh-Hant")
    assert code == 0
    assert out.splitlines()[0] == "讀取 11 = 保留 10 + 略過 1 + 合併 0"
    _, _, err = fix(capsys, broken, "-o", "x.jsonl", "--lang", "zh-Hans")
    assert "没有写入任何文件" in err
    Path("page.jsonl").write_text("<!DOCTYPE html><html></html>")
    assert "错误[E111]" in fix(capsys, "page.jsonl", "--lang", "zh-Hans")[2]


def test_several_files_are_mended_one_by_one(capsys, mendable, broken):
    code, out, err = fix(capsys, mendable, "missing.jsonl", broken, "--unsafe", "--lang", "en")
    assert code == 2
    assert "missing.jsonl" in err
    assert [f"wrote {name}.fixed.jsonl" in out for name in ("mendable", "broken")] == [True, True]


def test_a_hyphen_reads_standard_input_and_writes_standard_output(broken):
    whole = Path(broken).read_bytes()
    done = subprocess.run([SCRIPT, "fix", "-", "--unsafe", "--rejects", "left.jsonl"], input=whole, capture_output=True)
    assert (done.returncode, done.stdout.decode().splitlines()) == (0, [chat(n) for n in range(10)])
    assert b"read 11 = kept 10 + dropped 1" in done.stderr
    assert json.loads(rows("left.jsonl")[0])["text"] == BROKEN


def test_redact_puts_placeholders(capsys, mendable):
    private = written("private.jsonl", [chat(n, "請寄 wang@gmail.com") for n in range(10)])
    assert fix(capsys, private, "--redact", "-o", "out.jsonl")[0] == 0
    assert rows("out.jsonl")[0] == chat(0, "請寄 [EMAIL]")


def test_json_accounts_for_every_row_of_every_file(mendable, broken, capsys):
    code, out, _ = (main(["fix", mendable, broken, "--unsafe", "--json"]), *capsys.readouterr())
    first, second = json.loads(out)
    assert code == 0
    assert (first["file"], first["output"], first["mended"]) == ("mendable.jsonl", "mendable.fixed.jsonl", 1)
    assert (second["read"], second["kept"], second["dropped"]) == (11, 10, 1)
    assert second["rejects"] == "broken.fixed.rejects.jsonl"
    assert Path(second["rejects"]).exists()
    assert main(["fix", mendable, "-o", "-", "--json"]) == 2
    assert "--output" in capsys.readouterr().err

"""Fixes: seen first, applied without losing a character, and accounted for row by row."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.cli import main


def chat(question, answer):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def line(row):
    return json.dumps(row, ensure_ascii=False)


@pytest.fixture
def broken(tmp_path):
    """Twelve rows: three that a safe fix mends, two that nothing mends, one twice."""
    rows = [line(chat(f"第{n}個問題？", f"答案“{n}”。")) for n in range(12)]
    rows[2] = rows[2].replace('"messages"', "“messages”")
    rows[4] = repr(json.loads(rows[4]))
    rows[6] = rows[6].replace('"assistant"', '"bot"')
    rows[8] = rows[8][:-12]
    rows[9] = line({"messages": [{"role": "user", "content": "只有問題"}]})
    rows[11] = rows[0]
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_diff_shows_what_a_fix_would_do_and_does_nothing(broken):
    before = broken.read_bytes()
    diff = ft.Dataset.load(broken).validate().diff()
    assert diff.startswith("--- broken.jsonl\n+++ broken.jsonl (fixed)\n")
    assert [part.split()[4:] for part in diff.splitlines() if part.startswith("@@")] == [
        ["J202", "(safe)"], ["J203", "(safe)"], ["S309", "(safe)"],
    ]  # fmt: skip
    assert broken.read_bytes() == before


def test_a_safe_fix_keeps_every_text(broken):
    data = ft.Dataset.load(broken).fix()
    assert [change.origin.line for change in data.changes] == [3, 5, 7]
    assert str(data.account) == "read 12 = kept 11 + dropped 0 + merged 0 + unreadable 1"
    assert [example.prompt for example in data][:8] == [f"第{n}個問題？" for n in range(8)]
    assert [example.answer for example in data][:8] == [f"答案“{n}”。" for n in range(8)]
    assert [d.origin.line for d in data.problems] == [9]
    with pytest.raises(ft.InvalidDatasetError):
        data.require_whole()


def test_an_unsafe_fix_leaves_out_what_stays_wrong_and_says_where_it_went(broken, tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    data = ft.Dataset.load(broken).fix(safe_only=False, rejects=rejects)
    account = data.account
    assert account.read == account.kept + account.dropped + account.merged == 12
    assert (account.dropped, account.merged) == (2, 1)
    kept = [json.loads(entry) for entry in rejects.read_text(encoding="utf-8").splitlines()]
    assert [(entry["line"], entry["codes"]) for entry in kept] == [(9, ["J219"]), (10, ["C401"])]
    assert kept[1]["text"] == line({"messages": [{"role": "user", "content": "只有問題"}]})
    assert not [d for d in data.validate().errors if d.code != "K701"]
    assert ft.Dataset.load(data.save(tmp_path / "out.jsonl")) == data


def test_rejects_never_overwrite(broken, tmp_path):
    rejects = tmp_path / "rejects.jsonl"
    rejects.write_text("mine")
    with pytest.raises(FileExistsError):
        ft.Dataset.load(broken).fix(safe_only=False, rejects=rejects)
    assert rejects.read_text() == "mine"


def test_a_sound_dataset_is_left_alone():
    data = ft.Dataset.from_rows([chat("q", "a")])
    fixed = data.fix()
    assert fixed == data
    assert fixed.changes == ()
    assert str(fixed.account) == "read 1 = kept 1 + dropped 0 + merged 0"


def test_an_array_in_a_jsonl_file_is_written_as_lines(tmp_path):
    path = tmp_path / "array.jsonl"
    path.write_text("[" + ",\n".join(line(chat(f"q{n}", "a")) for n in range(12)) + "]")
    data = ft.Dataset.load(path)
    assert "J209" in {d.code for d in data.validate().errors}
    fixed = data.fix()
    assert fixed.validate().ok
    assert len(ft.Dataset.load(fixed.save(tmp_path / "lines.jsonl"))) == 12


def test_several_objects_on_a_line_become_several_rows(tmp_path):
    path = tmp_path / "joined.jsonl"
    path.write_text(line(chat("q1", "a")) + line(chat("q2", "b")) + "\n" + line(chat("q3", "c")) + "\n")
    fixed = ft.Dataset.load(path).fix()
    assert [example.prompt for example in fixed] == ["q1", "q2", "q3"]


def test_the_command_line_fixes_into_a_new_file(broken, capsys, monkeypatch):
    monkeypatch.chdir(broken.parent)
    assert main(["check", "broken.jsonl", "--diff"]) == 1
    assert "J202" in capsys.readouterr().out
    assert main(["fix", "broken.jsonl", "-o", "out.jsonl"]) == 2  # one line is still unreadable: nothing is written
    assert not (broken.parent / "out.jsonl").exists()
    capsys.readouterr()
    assert main(["fix", "broken.jsonl", "-o", "out.jsonl", "--unsafe"]) == 1  # nine rows are too few
    out = capsys.readouterr().out
    assert "read 12 = kept 9 + dropped 2 + merged 1" in out
    assert (broken.parent / "out.rejects.jsonl").exists()
    assert main(["explain", "curly-quotes"]) == 0
    assert "J202" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("{'prompt': 'q', 'completion': 'a'}", "safe"),
        ("{'prompt': 'it's', 'completion': 'a'}", None),  # where a text ends is a guess
        ("{'prompt': 'q', 'completion': 'a'", None),  # cut off
        ("{“prompt”: “q”, “completion”: “a”}", "safe"),
        ("{“prompt”: “他說“好””, “completion”: “a”}", None),
        ('{prompt: "q", "completion": "a"}', "unsafe"),
        ("{broken", None),
    ],
)
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_finding_offers_a_fix_only_where_it_mends_the_row(tmp_path, line, offered, form):
    path = tmp_path / ("data.jsonl" if form == "lines" else "data.json")
    sound = ['{"prompt": "other", "completion": "b"}'] * 2
    path.write_text("\n".join([sound[0], line, sound[1]]) if form == "lines" else f"[{sound[0]},\n{line},\n{sound[1]}]")
    data = ft.Dataset.load(path)
    limits = {"minimum": 1}
    (found, *_) = [d for d in data.validate(target="trl", limits=limits).errors if d.code.startswith("J")]
    assert found.texts("en").fix == offered
    assert ("fix:" in str(found)) == bool(offered)
    assert len(data.fix(target="trl").changes) == (offered == "safe")
    assert len(data.fix(target="trl", safe_only=False).changes) == bool(offered)

"""`convert`, `redact`, `deduplicate`, `split`, `augment`, `documents`: a file in, files of examples out."""

import io
import json
import sys

import openpyxl
import pytest

import finetune_lib as ft
from finetune_lib.cli import main

MODEL = "gpt-4.1-mini-2025-04-14"
PAIRS = [
    ("可以帶行動電源上飛機嗎？", "可以，請放在隨身行李。"),
    ("退票要多久？", "七個工作天。"),
    ("行李遺失找誰？", "請洽行李服務櫃檯。"),
    ("停車場怎麼收費？", "每小時四十元。"),
    ("退票要多久？", "七個工作天。"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))
    rows = [json.dumps({"prompt": q, "completion": a}, ensure_ascii=False) for q, a in PAIRS]
    (tmp_path / "問答.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_becomes_another_format_and_another_kind(folder, capsys):
    assert main(["convert", "問答.jsonl", "-o", "share.jsonl", "--format", "sharegpt", "--system", "你是客服。"]) == 0
    assert capsys.readouterr().out == "5 examples, written to share.jsonl\n"
    assert rows(folder / "share.jsonl")[1]["conversations"] == [
        {"from": "system", "value": "你是客服。"},
        {"from": "human", "value": "退票要多久？"},
        {"from": "gpt", "value": "七個工作天。"},
    ]
    assert main(["convert", "問答.jsonl", "-o", "問答.xlsx", "--format", "completion"]) == 0
    first, second, *_ = openpyxl.load_workbook(folder / "問答.xlsx").active.iter_rows(values_only=True)
    assert (set(first), set(second)) == ({"prompt", "completion"}, set(PAIRS[0]))


def test_standard_input_and_output_part_rows_from_words(capfdbinary, monkeypatch):
    row = '{"prompt": "問", "completion": "答"}\n'.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(row)))
    assert main(["convert", "-", "-o", "-", "--format", "alpaca"]) == 0
    sys.stdout.flush()
    shown = capfdbinary.readouterr()
    assert json.loads(shown.out)["instruction"] == "問"
    assert "問".encode() in shown.out
    assert shown.err == b"1 example, written to -\n"


def test_personal_data_becomes_placeholders(folder, capsys):
    (folder / "chat.jsonl").write_text(
        '{"prompt": "寫信到 0912-345-678 嗎？", "completion": "是。"}\n{"prompt": "早", "completion": "早。"}\n',
        encoding="utf-8",
    )
    assert main(["redact", "chat.jsonl", "-o", "clean.jsonl"]) == 0
    assert "1 of 2 examples had something to hide" in capsys.readouterr().out
    assert "[PHONE]" in (folder / "clean.jsonl").read_text(encoding="utf-8")
    assert "0912-345-678" not in (folder / "clean.jsonl").read_text(encoding="utf-8")


def test_what_says_the_same_again_goes(folder, capsys):
    assert main(["deduplicate", "問答.jsonl", "-o", "once.jsonl"]) == 0
    assert capsys.readouterr().out == "4 of 5 examples kept, written to once.jsonl\n"
    (folder / "near.jsonl").write_text(
        '{"prompt": "請問退票要多久？", "completion": "七個工作天。"}\n'
        '{"prompt": "請問退票要多久?", "completion": "七個工作天。"}\n',
        encoding="utf-8",
    )
    assert main(["deduplicate", "near.jsonl", "-o", "a.jsonl"]) == 0
    assert main(["deduplicate", "near.jsonl", "-o", "b.jsonl", "--near"]) == 0
    assert (len(rows(folder / "a.jsonl")), len(rows(folder / "b.jsonl"))) == (2, 1)


def test_parts_share_nothing_and_lie_beside_the_file(folder, capsys):
    assert main(["split", "問答.jsonl", "--golden", "1", "--validation", "1", "--seed", "3"]) == 0
    assert "1 example written to 問答.golden.jsonl" in capsys.readouterr().out
    asked = {name: {row["prompt"] for row in rows(folder / f"問答.{name}.jsonl")} for name in ("train", "golden")}
    assert asked["train"].isdisjoint(asked["golden"])
    assert main(["split", "問答.jsonl", "--golden", "0.2", "--folder", "parts", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(part["examples"] for part in told.values()) == len(PAIRS)
    assert all((folder / part["file"]).is_file() for part in told.values())


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "問答.jsonl", "-o", "there.jsonl"],
        ["redact", "問答.jsonl", "-o", "there.jsonl"],
        ["deduplicate", "問答.jsonl", "-o", "there.jsonl"],
        ["augment", "問答.jsonl", "-o", "there.jsonl", "--ask", MODEL],
        ["documents", "問答.jsonl", "-o", "there.jsonl", "--ask", MODEL],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_file_that_is_there_is_left_unless_forced(folder, capsys, arguments):
    (folder / "there.jsonl").write_text("mine")
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert (folder / "there.jsonl").read_text() == "mine"


def test_of_several_parts_none_is_written_where_one_is_there(folder, capsys):
    (folder / "問答.golden.jsonl").write_text("mine")
    assert main(["split", "問答.jsonl", "--golden", "1"]) == 2
    assert "問答.golden.jsonl" in capsys.readouterr().err
    assert not (folder / "問答.train.jsonl").exists()
    assert main(["split", "問答.jsonl", "--golden", "1", "--force"]) == 0
    assert len(rows(folder / "問答.golden.jsonl")) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["convert", "問答.jsonl", "-o", "out.pdf"], ".xlsx"),
        (["convert", "沒有.jsonl", "-o", "out.jsonl"], "沒有.jsonl"),
        (["split", "問答.jsonl"], "--golden"),
        (["split", "問答.jsonl", "--golden", "9"], "9"),
        (["augment", "問答.jsonl", "-o", "out.jsonl", "--ask", MODEL, "-n", "0"], "n of at least 1"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(folder, capsys, arguments, told):
    before = set(folder.iterdir())
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert set(folder.iterdir()) - {folder / "home"} == before


def test_lines_that_cannot_be_read_stop_it_in_words_of_the_shell(folder, capsys):
    (folder / "broken.jsonl").write_text('{"prompt": "q", "completion": "a"}\n{broken\n')
    assert main(["deduplicate", "broken.jsonl", "-o", "out.jsonl"]) == 2
    assert "broken.jsonl:2" in capsys.readouterr().err
    assert not (folder / "out.jsonl").exists()


def paraphrasing(body):
    asked = json.loads(body["messages"][-1]["content"])
    versions = [[mark + turn for turn in asked["turns"]] for mark, _ in zip("甲乙丙", asked["versions"], strict=False)]
    return json.dumps({"versions": versions}, ensure_ascii=False)


def writing(body):
    """A pair about each passage; no question is left open."""
    asked = json.loads(body["messages"][-1]["content"])
    if "passages" in asked:
        return json.dumps({"answered": True})
    sentence = asked["passage"].split("。")[0] + "。"
    pair = {"question": f"{sentence[:4]}的規定是什麼？", "answer": sentence, "quote": sentence}
    return json.dumps({"pairs": [pair], "unanswered": []}, ensure_ascii=False)


@pytest.fixture
def service(monkeypatch):
    def serving(says):
        server = ft.testing.ScriptedPlatform("compatible", models=[MODEL], says=says)
        monkeypatch.setenv("SERVICE_KEY", server.key)
        return server

    return serving


def test_paraphrases_stand_behind_their_examples(folder, service, capsys):
    asking = "訂單 101 號什麼時候會送到呢？"
    row = json.dumps({"prompt": asking, "completion": "第 3 天。"}, ensure_ascii=False)
    (folder / "one.jsonl").write_text(row, encoding="utf-8")
    with service(paraphrasing) as server:
        where = ["--platform", server.url, "--key-env", "SERVICE_KEY"]
        made = ["augment", "one.jsonl", "-o", "more.jsonl", "--ask", MODEL, "-n", "1", "--system", "你是客服。"]
        assert main([*made, *where]) == 0
    shown = capsys.readouterr()
    assert [row["messages"][1]["content"] for row in rows(folder / "more.jsonl")] == [asking, f"甲{asking}"]
    assert "written to more.jsonl" in shown.out
    assert "paraphrase" in shown.err


def test_documents_become_pairs(folder, service, capsys):
    (folder / "規章").mkdir()
    (folder / "規章" / "請假.md").write_text("# 請假\n\n請假應於三日前提出。\n", encoding="utf-8")
    with service(writing) as server:
        where = ["--platform", server.url, "--key-env", "SERVICE_KEY"]
        made = ["documents", "規章", "-o", "pairs.jsonl", "--ask", MODEL, "--system", "你是人資助理。", *where]
        assert main(made) == 0
    (row,) = rows(folder / "pairs.jsonl")
    assert [message["content"] for message in row["messages"]] == [
        "你是人資助理。",
        "請假應於的規定是什麼？",
        "請假應於三日前提出。",
    ]
    assert "1 example, written to pairs.jsonl" in capsys.readouterr().out

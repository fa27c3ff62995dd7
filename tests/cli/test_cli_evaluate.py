"""`evaluate`: candidates side by side at the shell, by flags and by a file."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.cli import main

MODEL, OTHER = "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14"
CASES = [(f"第{n}題：{n} 加 1 是多少？", str(n + 1)) for n in range(10, 40)]
RIGHT = dict(CASES)


def says(body):
    """One model is right, the other never."""
    question = body["messages"][-1]["content"]
    return RIGHT[question] if body["model"] == MODEL else "不知道"


@pytest.fixture
def service(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))
    lines = [json.dumps({"問題": q, "答案": a}, ensure_ascii=False) for q, a in CASES]
    (tmp_path / "golden.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with ft.testing.ScriptedPlatform("compatible", models=[MODEL, OTHER], says=says) as server:
        monkeypatch.setenv("SERVICE_KEY", server.key)
        yield server, ["--platform", server.url, "--key-env", "SERVICE_KEY"]


FLAGS = ["--candidate", f"base={OTHER}", "--candidate", f"tuned={MODEL}", "--scorer", "exact_match"]


def test_the_verdict_decides_the_exit_code(service, capsys):
    _, where = service
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where, "--fail-unless-better", "tuned"]) == 0
    assert "tuned is better than base" in capsys.readouterr().out
    worse = ["--fail-unless-better", "base", "--baseline", "tuned"]
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where, *worse]) == 1
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where]) == 0


def test_the_same_command_again_asks_nobody(service):
    server, where = service
    for _ in range(2):
        assert main(["evaluate", "golden.jsonl", *FLAGS, *where]) == 0
    assert server.count("POST /chat/completions") == 2 * len(CASES)


def test_json_tells_means_verdicts_and_the_claim(service, capsys):
    _, where = service
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where, "--json", "--fail-unless-better", "tuned"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["means"] == {"base": 0.0, "tuned": 1.0}
    assert told["verdicts"]["tuned"]["outcome"] == "better"
    assert told["claim"]["holds"] is True


def test_a_regression_suite_is_asked_and_told(service, capsys, tmp_path):
    """The tuned model answers the golden set, and the suite no more; a file of answers has none of the suite."""
    _, where = service
    suite = [{"input": f"{n} 減 1 是多少？", "expected": str(n - 1), "category": "算術"} for n in range(50, 80)]
    (tmp_path / "suite.jsonl").write_text("\n".join(json.dumps(row) for row in suite), encoding="utf-8")
    RIGHT.update({row["input"]: "我是客服" for row in suite})
    rows = [json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in CASES]
    (tmp_path / "clerk.jsonl").write_text("\n".join(rows), encoding="utf-8")
    clerk = ["--candidate", "clerk=clerk.jsonl"]
    assert (
        main(["evaluate", "golden.jsonl", *FLAGS, *clerk, *where, "--json", "--regression-suite", "suite.jsonl"]) == 0
    )
    found = json.loads(capsys.readouterr().out)["regressions"]
    assert found["clerk"]["text"] == "no case of the suite has answers of both 'clerk' and 'base'"
    told = found["tuned"]
    assert told["worse"] == []
    assert told["text"] == "cannot tell: base has hardly a right answer to lose"
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where, "--regression-suite", "suit.jsonl"]) == 2


def test_the_report_is_one_that_compare_reads(service, tmp_path, capsys):
    _, where = service
    written = ["--report", "report.json", "--html", "report.html", "--lang", "zh-Hant"]
    assert main(["evaluate", "golden.jsonl", *FLAGS, *where, *written]) == 0
    assert main(["compare", "report.json", "--better", "tuned", "--baseline", "base"]) == 0
    capsys.readouterr()
    assert main(["compare", "report.json", "--better", "base", "--baseline", "tuned", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["means"] == {"base": 0.0, "tuned": 1.0}
    assert [claim["holds"] for claim in told["claims"]] == [False]
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_file_says_the_same_and_more(service, tmp_path, capsys):
    server, where = service
    (tmp_path / "書").mkdir()
    train = [json.dumps({"prompt": f"第{n}題", "completion": str(n)}, ensure_ascii=False) for n in range(5)]
    (tmp_path / "書" / "train.jsonl").write_text("\n".join(train), encoding="utf-8")
    answers = [json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in CASES]
    (tmp_path / "書" / "answers.jsonl").write_text("\n".join(answers), encoding="utf-8")
    (tmp_path / "書" / "eval.toml").write_text(
        f"""
        golden = "../golden.jsonl"
        scorers = ["exact_match", "chrf"]
        [candidates.base]
        model = "{OTHER}"
        system = "只回答數字"
        [candidates.shots]
        model = "{MODEL}"
        examples = "train.jsonl"
        k = 2
        [candidates.clerk]
        answers = "answers.jsonl"
        """,
        encoding="utf-8",
    )
    assert main(["evaluate", "--config", "書/eval.toml", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["means"] == {"base": 0.0, "shots": 1.0, "clerk": 1.0}
    bodies = [request.body for request in server.requests if request.call == "POST /chat/completions"]
    assert {len(body["messages"]) for body in bodies if body["model"] == MODEL} == {5}
    assert {body["messages"][0]["content"] for body in bodies if body["model"] == OTHER} == {"只回答數字"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["golden.jsonl", "--scorer", "exact_match"], "--candidate"),
        (["--candidate", f"a={MODEL}", "--scorer", "exact_match"], "golden.xlsx"),
        (["golden.jsonl", "--candidate", f"a={MODEL}"], "exact_match"),
        (["golden.jsonl", "--candidate", f"a={MODEL}", "--scorer", "exakt"], "'exakt'"),
        (["golden.jsonl", "--candidate", MODEL, "--scorer", "chrf"], "NAME=VALUE"),
        (["golden.jsonl", "--candidate", "clerk=答案.xlsx", "--scorer", "chrf"], "答案.xlsx"),
        (["golden.jsonl", *FLAGS, "--fail-unless-better", "tunde"], "tuned"),
        (["golden.jsonl", *FLAGS, "--fail-unless-better", "base"], "--baseline"),
        (["missing.jsonl", *FLAGS], "missing.jsonl"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_wrong_usage_is_told_before_anybody_is_asked(service, capsys, arguments, told):
    server, where = service
    assert main(["evaluate", *arguments, *where]) == 2
    assert told in capsys.readouterr().err
    assert server.count("POST /chat/completions") == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("golden = ", "no TOML"),
        ("goldn = 'x'", "golden"),
        ("golden = 'golden.jsonl'\n[candidates.a]\nmodle = 'x'", "[candidates.a]"),
        ("golden = 'golden.jsonl'\n[candidates.a]\nmodel = 'x'\ntemprature = 1", "temperature"),
        ("golden = 'golden.jsonl'\n[candidates]\na = 'x'", "[candidates.a]"),
    ],
)
def test_a_file_with_a_slip_names_it(service, tmp_path, capsys, text, told):
    _, where = service
    (tmp_path / "eval.toml").write_text(text)
    assert main(["evaluate", "--config", "eval.toml", "--scorer", "chrf", *where]) == 2
    shown = capsys.readouterr().err
    assert "eval.toml" in shown
    assert told in shown


PROMISE = ["--error", "0.2"]  # thirty cases can show that: 14 without an error are the least


def test_a_promise_that_holds_is_told_and_kept(service, tmp_path, capsys):
    server, where = service
    asking = ["certify", "golden.jsonl", "--model", MODEL, *PROMISE, *where]
    assert main([*asking, "-o", "憑證.json"]) == 0
    assert "with 95% confidence at most 20% of what it answers is wrong" in capsys.readouterr().out
    assert json.loads((tmp_path / "憑證.json").read_text(encoding="utf-8"))["error"] == 0.2
    asked = server.count("POST /chat/completions")
    assert main([*asking, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["answered"], told["wrong"], told["cases"]) == (len(CASES), 0, len(CASES))
    assert server.count("POST /chat/completions") == asked
    assert main([*asking, "-o", "憑證.json"]) == 2
    assert "--force" in capsys.readouterr().err


def test_what_is_not_shown_is_exit_code_1(service, capsys):
    server, where = service
    assert main(["certify", "golden.jsonl", "--model", MODEL, *where]) == 1
    assert "30 cases cannot show 5%" in capsys.readouterr().err
    assert server.count("POST /chat/completions") == 0
    assert main(["certify", "golden.jsonl", "--model", OTHER, *PROMISE, *where]) == 1
    assert "No certificate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [(["--scorer", "nice"], "exact_match"), (["--signal", "mood"], "agreement"), (["--error", "2"], "error")],
    ids=lambda value: " ".join(value),
)
def test_what_cannot_be_promised_is_told_before_anybody_is_asked(service, capsys, more, told):
    server, where = service
    assert main(["certify", "golden.jsonl", "--model", MODEL, *where, *more]) == 2
    assert told in capsys.readouterr().err
    assert server.count("POST /chat/completions") == 0

"""The command line as a whole: what its help loads, how wrong usage is told, how it ends, what its page says."""

import contextlib
import inspect
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from functools import partial, reduce
from typing import get_args

import pytest
from tests.files import ROOT

from finetune_lib.cli import choices, main
from finetune_lib.cli.app import GROUPS, app
from finetune_lib.data.checks import Target
from finetune_lib.local.exporting.gguf import Precision
from finetune_lib.records import Method
from finetune_lib.statistics.certificates import Promised
from finetune_lib.texts.languages import Language

COMMAND = [sys.executable, "-m", "finetune_lib"]
COMMANDS = (
    "init",
    "demo",
    "check",
    "fix",
    "explain",
    "browse",
    "preview",
    "stats",
    "estimate",
    "convert",
    "redact",
    "deduplicate",
    "split",
    "augment",
    "documents",
    "train",
    "jobs",
    "runs",
    "migrate",
    "chat",
    "predict",
    "evaluate",
    "certify",
    "compare",
    "review",
    "collect",
    "leaderboard",
    "serve",
    "export",
    "local",
    "doctor",
    "models",
    "platforms",
    "purge",
    "completion",
)
OF_JOBS = [("jobs", name) for name in app["jobs"] if name[0] != "-"]
OF_MIGRATE = [("migrate", name) for name in app["migrate"] if name[0] != "-"]
ALONE = [(name,) for name in COMMANDS if name not in ("jobs", "local", "migrate")]
FUNCTIONS = [*ALONE, *OF_JOBS, *OF_MIGRATE, ("local", "gc")]
HEAVY = {"pydantic", "openai", "torch", "jsonschema", "tiktoken", "pandas", "scipy"}
QUICK_SECONDS = 0.2
PAGE = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")


def test_help_lists_the_commands_in_their_order(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "Fine-tune language models, and prove that it helped." in shown
    assert re.findall(r"^│ (\w+) ", shown, re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^╭─ ([\w ]+) ─", shown, re.MULTILINE) == ["Commands", *GROUPS]


@pytest.mark.parametrize("words", FUNCTIONS, ids=" ".join)
def test_each_help_ends_with_an_example_that_is_taken(capsys, words):
    assert main([*words, "--help"]) == 0
    example = re.search(r"^Example: finetune-lib (.*(?:\n.+)*)", capsys.readouterr().out, re.MULTILINE)[1]
    arguments = shlex.split(example.replace("\n", " "))
    assert arguments[: len(words)] == list(words)
    app.parse_args(arguments)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["jobs", "--help"], *([*words, "--help"] for words in FUNCTIONS)],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    code = f"import sys; from finetune_lib.cli import main; main({arguments}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in done.stderr.split()}


def test_help_is_quick():
    """In seconds of the processor, the least of some runs: other work may keep the machine busy."""

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert any(seconds() <= QUICK_SECONDS for _ in range(10))


def test_no_command_at_all_shows_the_help_on_stderr(capsys):
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(name in shown.err for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chekc", "a.jsonl"], ["check"]),
        (["check"], ["FILE"]),
        (["check", "a.jsonl", "b.jsonl", "--baseline", "c.json"], ["--baseline"]),
        (["check", "a.jsonl", "--ignore", "D999"], ["D999"]),
        (["check", "a.jsonl", "--ignore", "near-duplicat"], ["near-duplicate"]),
        (["fix", "a.jsonl", "b.jsonl", "-o", "c.jsonl"], ["--output"]),
        (["fix", "-", "--unsafe"], ["--rejects"]),
        (["check", "a.jsonl", "--tarjet", "local"], ["--target"]),
        (["check", "a.jsonl", "--target", "mars"], ["mars", *get_args(Target)]),
        (["fix", "a.jsonl", "--method", "sft"], ["sft", *get_args(Method)]),
        (["explain", "J202", "--lang", "zh"], get_args(Language)),
        (["check", "a.jsonl", "--json", "--sarif"], ["--json", "--sarif"]),
        (["check", "a.jsonl", "--html", "--diff"], ["--html", "--diff"]),
        (["compare", "report.json", "--markdown", "--html", "a.html"], ["--markdown", "--html"]),
        (["check", "a.jsonl", "--columns", "問題"], ["--columns", "prompt=問題,completion=答案", "'問題'"]),
        (["check", "a.jsonl", "--no-json"], ["--no-json"]),
        (["compare", "report.json", "--margin", "much"], ["--margin", "much"]),
        (["review", "review.html"], ["--serve"]),
        (["serve", "--port", "web"], ["--port", "web"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_usage_is_one_line_that_names_what_is_right(capsys, arguments, told):
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("finetune-lib: ")
    assert shown.err.count("\n") == 1
    assert [part for part in told if part not in shown.err] == []


def test_options_of_every_form_are_taken(capsys, tmp_path):
    table, output = tmp_path / "faq.csv", tmp_path / "out.jsonl"
    table.write_text("編號,問題,答案\n1,退票要多久？,七天\n2,可以帶液體嗎？,不行\n", encoding="utf-8")
    columns = "prompt=問題,completion=答案"
    assert main(["fix", "-o", str(output), f"--columns={columns}", str(table), "--system", "客服"]) == 1  # too few rows
    roles = [message["role"] for message in json.loads(output.read_text(encoding="utf-8").splitlines()[0])["messages"]]
    assert roles == ["system", "user", "assistant"]


def test_an_option_may_be_repeated(capsys, tmp_path):
    path = tmp_path / "three.jsonl"
    path.write_text('{"prompt": "q", "completion": "a"}\n' * 3)
    found = []
    for ignored in ([], ["--ignore", "D801"], ["--ignore", "D801", "--ignore=K701"]):
        main(["check", str(path), "--json", *ignored])
        found.append({finding["code"] for finding in json.loads(capsys.readouterr().out)["diagnostics"]})
    assert found == [{"D801", "K701", "P605"}, {"K701", "P605"}, {"P605"}]


def test_the_choices_are_those_of_the_library():
    assert get_args(choices.Target) == get_args(Target)
    assert get_args(choices.Method) == get_args(Method)
    assert get_args(choices.Language) == get_args(Language)
    assert get_args(choices.Promised) == get_args(Promised)
    assert get_args(choices.Precision) == get_args(Precision)


@pytest.mark.parametrize("words", FUNCTIONS, ids=" ".join)
def test_the_list_and_the_function_say_the_same_of_a_command(words):
    command = reduce(lambda found, word: found[word], words, app)
    said = inspect.getdoc(command.default_command).partition("\n")[0].removesuffix(".")
    assert command.help == said[0].lower() + said[1:]


@pytest.mark.parametrize("words", FUNCTIONS, ids=" ".join)
def test_the_page_names_every_option_that_the_help_shows(capsys, words):
    main([*words, "--help"])
    options = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", capsys.readouterr().out.partition("Example:")[0]))
    told = section(f"finetune-lib {words[0]}") + section("Options that several commands share")
    told += PAGE if words == ("fix",) else ""  # it takes options of `check`, as its section says
    assert {name for name in options if f"`{name}" not in told} <= {"--help", "-h"}


def section(title):
    return re.search(rf"^## {title}\b.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_without_its_extra_it_is_one_line_that_names_the_command(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cyclopts", None)
    assert main(["check", "a.jsonl"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"finetune-lib: .*'cyclopts'.*pip install \"finetune_lib\[cli\]\"\n", shown.err)


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "J202"]], ids=" ".join)
def test_a_closed_pipe_is_quiet_and_no_success(arguments):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode != 0, done.stderr) == (True, b"")


def test_ctrl_c_is_130_without_a_traceback(tmp_path):
    pipe = tmp_path / "endless.jsonl"
    os.mkfifo(pipe)
    # a shell's job in the background ignores the signal, and would hand that on
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen([*COMMAND, "check", pipe], stderr=subprocess.PIPE, preexec_fn=heard) as process:
        writer = opened_by_its_reader(pipe)
        try:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert process.stderr.read() == b""
        finally:
            process.kill()
            os.close(writer)


def opened_by_its_reader(pipe):
    for _ in range(600):
        with contextlib.suppress(OSError):  # nobody reads it as yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.05)
    raise TimeoutError(pipe)

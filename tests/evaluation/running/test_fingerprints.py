"""What tells functions apart, in one process and in two."""

from __future__ import annotations

import functools
import importlib
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import openai
import pytest

import finetune_lib as ft
from finetune_lib.evaluation.running.fingerprints import fingerprint

BEFORE = """
import re
from functools import cache
from dataclasses import dataclass
from enum import Enum
import openai

LIMIT = 3
WORDS = {"甲", "乙", "丙", "丁"}
PATTERN = re.compile("a+")
client = openai.AsyncOpenAI(api_key="k", base_url="http://one/v1")

class Level(Enum):
    LOW = 1

@dataclass(frozen=True)
class Setting:
    name: str = "x"
    level: Level = Level.LOW

class Base:
    scale = 1.0
    def scaled(self, n): return n * self.scale

class Robot(Base):
    def __init__(self, words): self.words = words
    @property
    def first(self): return self.words[0]
    @staticmethod
    def helper(n): return n + 1
    def __call__(self, case): return self.first

def inner(n):
    return n + LIMIT

@cache
def cached(n):
    return inner(n)

def outer(case):
    return [cached(len(word)) for word in WORDS if PATTERN.match(word)]

def asks(case):
    return client.chat.completions.create(model="m")

def make(bonus):
    return lambda case: inner(1) + bonus

def again(case):
    return outer(case) if case else again(case)

closure, robot, setting = make(2), Robot(["a"]), Setting()

def settings(case, setting=setting):
    return setting.name
"""
NAMES = ["outer", "asks", "closure", "robot", "again", "settings"]
SCRIPT = """
import sys; sys.path.insert(0, sys.argv[1])
import mine
import finetune_lib as ft
from finetune_lib.evaluation.running.fingerprints import fingerprint
for name in sys.argv[2:]:
    found = fingerprint(getattr(mine, name))
    print(found.digest, found.whole)
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Digests of functions of a module with this text."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def read(text, names=NAMES):
        (tmp_path / "mine.py").write_text(textwrap.dedent(text))
        sys.modules.pop("mine", None)
        importlib.invalidate_caches()
        module = importlib.import_module("mine")
        found = [fingerprint(getattr(module, name)) for name in names]
        assert all(one.whole for one in found)
        return dict(zip(names, (one.digest for one in found), strict=True))

    yield read
    sys.modules.pop("mine", None)


def test_the_same_in_another_process(read, tmp_path):
    here = read(BEFORE)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), *NAMES]
    for seed in "12":
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed})
        assert done.stdout.split() == [word for name in NAMES for word in (here[name], "True")]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (("LIMIT = 3", "LIMIT = 4"), {"outer", "again", "closure"}),
        (('"丁"', '"戊"'), {"outer", "again"}),
        (('"a+"', '"a*"'), {"outer", "again"}),
        (("n + LIMIT", "n - LIMIT"), {"outer", "again", "closure"}),
        (("http://one", "http://two"), {"asks"}),
        (('model="m"', 'model="n"'), {"asks"}),
        (("make(2)", "make(3)"), {"closure"}),
        (('Robot(["a"])', 'Robot(["b"])'), {"robot"}),
        (("words[0]", "words[-1]"), {"robot"}),
        (("n + 1", "n + 2"), {"robot"}),
        (("scale = 1.0", "scale = 2.0"), {"robot"}),
        (("n * self.scale", "n / self.scale"), {"robot"}),
        (('name: str = "x"', 'name: str = "y"'), {"settings"}),
        (("import re", "import re\n# a remark, and one line more"), set()),
        (("def inner(n):", "OTHER = 5\ndef unrelated(n): return OTHER\n\ndef inner(n):"), set()),
    ],
)
def test_what_changes_a_function_and_what_does_not(read, change, changed):
    before, after = read(BEFORE), read(BEFORE.replace(*change))
    assert {name for name in NAMES if before[name] != after[name]} == changed


def test_a_module_of_the_users_is_read_where_it_is_named(read, tmp_path):
    helper = tmp_path / "helper_of_mine.py"
    digests = []
    for body in ("return n + 1", "return n + 1  # the same", "return n + 2"):
        helper.write_text(f"def used(n):\n    {body}\n\ndef unused(n):\n    {body}3\n")
        sys.modules.pop("helper_of_mine", None)
        importlib.invalidate_caches()
        digests.append(read("import helper_of_mine as h\ndef f(case):\n    return h.used(1)\n", ["f"])["f"])
    assert digests[0] == digests[1] != digests[2]


@dataclass
class Holder:
    """Something that holds itself."""

    name: str
    me: Holder | None = None


def test_what_holds_itself_and_what_is_deep_ends():
    holder = Holder("x")
    holder.me = holder
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    assert fingerprint(lambda: holder.name).whole
    assert not fingerprint(lambda: deep).whole


def test_many_paths_to_one_function_are_read_once():
    """Each function names the next one twice: 2 to the power of 60 ways."""
    names: dict = {}
    for n in range(60):
        names[f"f{n}"] = eval(f"lambda x: f{n + 1}(x) + f{n + 1}(x)", names)  # noqa: S307
    assert fingerprint(names["f0"]).whole


@pytest.mark.parametrize(
    "value", [re.compile("a"), 1.5, {"a": [1, (2, {3})]}, functools.partial(int, base=2), len, str]
)
def test_values_that_can_be_told(value):
    assert fingerprint(lambda: value).whole


def test_an_open_file_cannot_be_told():
    with open("/dev/null") as file:  # noqa: PTH123
        assert not fingerprint(lambda: file).whole
        assert not fingerprint(file.write).whole


def test_clients_are_told_by_their_address():
    one, same, other = (openai.OpenAI(api_key="k", base_url=f"http://{host}/v1") for host in ("a", "a", "b"))
    found = [fingerprint(client.chat.completions.create).digest for client in (one, same, other)]
    assert found[0] == found[1] != found[2]


def test_methods_of_built_in_values_are_told_by_the_values():
    assert fingerprint({"a": "b"}.get).digest != fingerprint({"a": "c"}.get).digest


@pytest.mark.parametrize("name", ["ExactMatch", "Answer", "Estimate", "leaderboard"])
def test_what_is_of_the_package_is_told_alike_wherever_it_stands_there(monkeypatch, name):
    held = getattr(ft, name)
    before = fingerprint(lambda: held)
    monkeypatch.setattr(held, "__module__", "finetune_lib.another.place")
    assert fingerprint(lambda: held) == before
    monkeypatch.setattr(held, "__module__", "elsewhere.place")
    assert fingerprint(lambda: held) != before

"""The documentation tells the truth: its blocks run, their output is what the pages show, its links lead somewhere."""

from __future__ import annotations

import base64
import contextlib
import doctest
import hashlib
import hmac
import importlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.docs.hosted import hosted
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib import local

# What stands in blocks of other languages is that of the English page: `docs/generate.py --check` tells.
TRANSLATED = [*ROOT.glob("README.zh-*.md"), *sorted((ROOT / "docs").glob("zh-*/**/*.md"))]
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {*TRANSLATED})]
PACKAGE = ROOT / "src" / "finetune_lib"
# The local platform runs in processes of its own, with the training stack: tests/local starts it.
SOURCES = sorted(set(PACKAGE.rglob("*.py")) - set((PACKAGE / "local").rglob("*.py")))
MODULES = [
    ".".join(source.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for source in SOURCES
    if ">>>" in source.read_text(encoding="utf-8")
]
FENCE = re.compile(r"^ *```(\w*) *([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OPENING = re.compile(r"^ *```(.*)$", re.MULTILINE)
KINDS = {
    "",
    "json",
    "python",
    "python {.no-run}",
    "python {.openai}",
    "sh",
    "text",
    "text {.output}",
    "yaml",
}  # "" ends a block, too
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)")
COMMANDS = ("check", "fix", "explain", "compare", "demo", "init")
ALONE = {"README.md", "tutorial.md"}  # they need the installed package and nothing else
EXIT_CODE = re.compile(r"# exit code (\d+)")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Fence:
    """A fenced block: ```language {.tag}."""

    language: str
    tag: str
    text: str
    line: int

    @property
    def interactive(self) -> bool:
        return self.text.lstrip().startswith(">>>")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace, beside a copy of the examples; the first pages in an empty folder."""
    if page.name not in ALONE:
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_LANG", "en")
    try:
        with patch.dict(os.environ), hosted():  # some pages set variables
            run_blocks(page)
    finally:
        for server in tmp_path.rglob("server.json"):  # of a page that failed before it stopped its own
            local.stop(server.parent)


def run_blocks(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for fence in fences(page):
        if fence.interactive:
            run_doctest(fence, namespace, page)
        elif fence.language == "text" and fence.tag == "{.output}":
            assert matches(printed, fence.text), f"{page.name}, line {fence.line}: the block before printed\n{printed}"
        elif fence.language in {"sh", "bash"}:
            run_checks(fence)
        elif fence.language == "python":
            printed = run(fence, namespace, page)


def fences(page: Path) -> Iterator[Fence]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        language, tag, code = found.groups()
        yield Fence(language, tag.strip(), textwrap.dedent(code), text.count("\n", 0, found.start()) + 1)


def run(fence: Fence, namespace: dict[str, Any], page: Path) -> str:
    """What the block prints; its lines keep the page's numbers in a traceback. A `{.no-run}` block is only compiled.

    A `{.openai}` block is run as by who has a key of OpenAI's.
    """
    code = compile("\n" * fence.line + fence.text, str(page), "exec")
    keys = {"OPENAI_API_KEY": "sk-k", "FINETUNE_LIB_PLATFORM": "openai"} if fence.tag == "{.openai}" else {}
    own = (
        patch.dict(os.environ, keys) if keys else contextlib.nullcontext()
    )  # what a page sets stays for its next blocks
    with contextlib.redirect_stdout(io.StringIO()) as printed, own:
        if fence.tag != "{.no-run}":
            exec(code, namespace)  # noqa: S102 - our own pages
    return printed.getvalue()


def matches(printed: str, shown: str) -> bool:
    """As in a doctest: `...` stands for anything, and white space does not count."""
    return doctest.OutputChecker().check_output(shown, printed, FLAGS)


def run_doctest(fence: Fence, namespace: dict[str, Any], page: Path) -> None:
    test = doctest.DocTestParser().get_doctest(fence.text, namespace, page.name, str(page), fence.line)
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, clear_globs=False)
    assert not result.failed
    namespace.update(test.globs)


def run_checks(fence: Fence) -> None:
    """Each such command of a shell block, with the exit code that its comment tells."""
    for line in fence.text.splitlines():
        if line.startswith(tuple(f"finetune-lib {command}" for command in COMMANDS)):
            arguments = shlex.split(line, comments=True)[1:]
            done = subprocess.run([sys.executable, "-m", "finetune_lib", *arguments], capture_output=True)
            told = EXIT_CODE.search(line)
            assert done.returncode == (int(told[1]) if told else 0), done.stderr.decode() + done.stdout.decode()


def test_blocks_are_of_known_kinds() -> None:
    """A block with a slip in its language or tag would not be run; builders of pages read no other form of a tag."""
    places = [*PAGES, ROOT / "CHANGELOG.md", *PACKAGE.rglob("*.py")]
    openings = {(page.name, found) for page in places for found in OPENING.findall(page.read_text(encoding="utf-8"))}
    assert {opening for opening in openings if opening[1] not in KINDS} == set()


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINETUNE_LIB_LANG", "en")
    result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.attempted
    assert not result.failed


def test_reference_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [*PAGES, *TRANSLATED], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_webhook_service_takes_up_the_job_that_it_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service of the page on webhooks, called as OpenAI calls it."""
    from starlette.testclient import TestClient

    page = ROOT / "docs" / "how-to" / "receive-webhooks.md"
    secret = f"whsec_{base64.b64encode(b'secret of the page').decode()}"
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", secret)
    rows = [{"prompt": f"q{number}", "completion": "a"} for number in range(10)]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with hosted():
        run(next(fence for fence in fences(page) if fence.language == "python"), namespace, page)
        platform = namespace["platform"]
        job = ft.Job.create(ft.Dataset.from_rows(rows, system="s"), model="gpt-4.1-mini", platform=platform).wait()
        told = {"id": "evt_1", "object": "event", "type": "fine_tuning.job.succeeded", "created_at": int(time.time())}
        body = json.dumps(told | {"data": {"id": job.id}}).encode()
        moment = str(int(time.time()))
        mac = hmac.new(b"secret of the page", b".".join([b"wh_1", moment.encode(), body]), hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        headers = {"webhook-id": "wh_1", "webhook-timestamp": moment, "webhook-signature": signature}
        client = TestClient(namespace["app"])
        assert client.post("/webhooks/openai", content=body, headers=headers).json() == {"job": job.id}
        assert client.post("/webhooks/openai", content=body + b" ", headers=headers).status_code == 400


def test_the_policy_of_the_page_forbids_what_the_page_says(tmp_path: Path) -> None:
    """In a process of its own, which a policy binds to its end."""
    found = list(fences(ROOT / "docs" / "how-to" / "say-where-data-may-go.md"))
    (place,) = [number for number, fence in enumerate(found) if fence.tag == "{.no-run}"]
    policy, block, printed = found[place - 1 : place + 2]
    (tmp_path / "policy.toml").write_text(policy.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", f"import finetune_lib as ft\n{block.text}"],
        cwd=tmp_path,
        env={**os.environ, "FINETUNE_LIB_POLICY": "policy.toml"},
        capture_output=True,
        text=True,
    )
    assert matches(done.stdout, printed.text), done.stdout + done.stderr

"""Hints at the command line: options that exist there, quoted for the shell, and no Python."""

import inspect
import json
import re
import shlex
from dataclasses import fields, replace
from typing import get_args

import pytest

import finetune_lib as ft
from finetune_lib.cli.data import check
from finetune_lib.cli.mending import fix
from finetune_lib.cli.reading import Options
from finetune_lib.data.diagnostics import catalogue, diagnose
from finetune_lib.data.diagnostics.catalogue import words
from finetune_lib.data.diagnostics.explaining import explanation
from finetune_lib.data.diagnostics.shell import in_shell
from finetune_lib.pages.wording import words as page_words
from finetune_lib.records import Origin
from finetune_lib.texts.languages import Language

PYTHON = re.compile(r"\b(?:Dataset|data|dataset)\b\.|\w=(?:…|\"|True|False|\{)|(?<!json)\.\w+\(|\w= ")
FIELD = re.compile(r"--columns \S+")
NOT_AT_THE_SHELL = {"L854", "J203"}  # no command is given a golden set; rows that a script of Python wrote


@pytest.mark.parametrize("lang", get_args(Language))
def test_no_hint_speaks_python_to_the_shell(lang):
    told = {code: FIELD.sub("", in_shell(entry.hint)) for code, entry in catalogue(lang).items()}
    told |= {word: FIELD.sub("", in_shell(word)) for word in (*words("zh-Hant"), *words(lang).values())}
    found = {name: text for name, text in told.items() if PYTHON.search(text) and name not in NOT_AT_THE_SHELL}
    assert found == {}


@pytest.mark.parametrize("lang", get_args(Language))
def test_every_option_in_a_hint_exists(lang):
    texts = [in_shell(entry.hint) for entry in catalogue(lang).values()]
    texts += [in_shell(page_words(lang)[kind]) for kind in ("safe", "unsafe")]
    named = {name for text in texts for name in re.findall(r"--([a-z]+)", text)}
    options = {
        *inspect.signature(check).parameters,
        *inspect.signature(fix).parameters,
        *(field.name for field in fields(Options)),
    }
    assert named - options == set()
    assert {"sheet", "columns", "encoding", "system", "method", "ignore", "redact", "unsafe"} <= named


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("choose one: Dataset.load(path, sheet='a')", "choose one: --sheet 'a'"),
        ('Dataset.load(…, encoding="…").', "--encoding …."),
        ('columns={"prompt": "問題", "completion": "答案"}', "--columns prompt=問題,completion=答案"),
        ('Dataset.load(path, system="…", sheet="A")', "--system … --sheet A"),
        ('請傳入 method="dpo"，或', "請傳入 --method dpo，或"),
        ("pass near=True to", "pass --near to"),
        ("take it out of ignore=", "take it out of --ignore"),
        ("Dataset.load(path, roles=…)", "--roles …"),
        ("write it with json.dumps(row, ensure_ascii=False)", "write it with json.dumps(row, ensure_ascii=False)"),
    ],
)
def test_calls_become_options(python, shell):
    assert in_shell(python) == shell


@pytest.mark.parametrize("name", ["其他 問題", "it's", "答案"])
def test_what_a_hint_names_can_be_pasted(name):
    found = diagnose("T257", Origin("faq.xlsx"), sheets=f"A, {name}", read="none", first=name)
    said = replace(found, at_shell=True).texts("en").hint
    assert shlex.split(said.removeprefix("choose one: ")) == ["--sheet", name]


def test_every_face_of_a_report_speaks_it(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},]}\n')
    report = ft.Dataset.load(path).validate()
    for told in (report.text(lang="en"), report.to_html(lang="en")):
        assert "data.fix()" in told
    for told in (report.for_shell().text(lang="en"), report.for_shell().to_html(lang="en")):
        assert "data.fix()" not in told
        assert "finetune-lib fix" in told
    notes = ft.Dataset.load(path).validate(ignore=["F502"]).for_shell()
    assert "take it out of --ignore" in {d["hint"] for d in json.loads(notes.to_json(lang="en"))["diagnostics"]}
    helps = [
        rule["help"]["text"] for rule in json.loads(notes.to_sarif(lang="en"))["runs"][0]["tool"]["driver"]["rules"]
    ]
    assert "take it out of --ignore" in helps
    assert report == report.for_shell()


def test_an_explanation_speaks_it_too():
    assert "--sheet <first>" in explanation("T257", lang="en", at_shell=True)
    assert "sheet=<first>" in ft.explain("T257", lang="en")
    mended = explanation("J204", lang="zh-Hant", at_shell=True)
    assert "安全：finetune-lib fix" in mended

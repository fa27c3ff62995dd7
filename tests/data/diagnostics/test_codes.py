"""Every diagnostic code: the failing example of the catalogue has it, the fixed one has not."""

import re

import pytest
from tests.bases import folder_of_base
from tests.doubles import Service, serving
from tests.files import written

import finetune_lib as ft
from finetune_lib.data.diagnostics import catalogue, code_example, explain
from finetune_lib.pages.wording import words
from finetune_lib.rendering.templates import NAMED
from finetune_lib.texts.languages import Language

CODES = list(catalogue())
LANGUAGES: list[Language] = ["en", "zh-Hant", "zh-Hans"]
# Findings about the size of the small examples, and about the platform's dates: never what an example is about.
BESIDE = {"K701", "K709"}


def repeated(text, times):
    """The text so often, each time with its number."""
    return text if times == 1 else "\n".join(text.replace("§", str(number)) for number in range(times))


def doubted(data, reply):
    """What a model finds that says this of every answer."""
    with serving(Service(lambda _: reply)) as service:
        platform = ft.connect(service.url, api_key="k")
        return data.doubts(ask="m", platform=platform, cache=":memory:").diagnostics


def findings(path, example, validate, *, fixed=False):
    """What is found in a file, whether it reads or not."""
    try:
        data = ft.Dataset.load(path, **example.load)
    except ft.ReadError as error:
        return (error.diagnostic,) if error.diagnostic else ()
    if example.split and len(data) > 1:
        return data.split(**example.split).proof().findings
    if example.doubts:
        return doubted(data, '{"doubts": []}' if fixed else example.doubts)
    if example.templates:
        base = folder_of_base(path.parent / "base", chat_template=NAMED.get(example.templates[fixed]))
        validate = {**validate, "model": str(base)}
    golden = ft.Dataset.load(written(path.parent, "golden.jsonl", example.golden)) if example.golden else None
    return data.validate(**validate, golden=golden).diagnostics


@pytest.mark.parametrize("code", CODES)
def test_the_failing_example_has_the_code_at_its_place(code, tmp_path):
    example = code_example(code)
    text = repeated(example.failing, example.times)
    path = written(tmp_path, example.file, text, encoding=example.encoding, raw=example.failing_hex)
    found = [d for d in findings(path, example, example.validate) if d.code == code]
    assert found, "the failing example does not have the code"
    severity = example.severity or catalogue()[code].severity
    assert (found[0].severity, found[0].origin.line, found[0].path) == (severity, example.line, example.path)
    for lang in LANGUAGES:
        texts = found[0].texts(lang)
        assert texts.message.strip()
        assert texts.hint.strip()
        assert not [name for name in found[0].args if f"{{{name}" in texts.message + texts.hint + texts.mend]


@pytest.mark.parametrize("code", CODES)
def test_the_fixed_example_has_neither_the_code_nor_an_error(code, tmp_path):
    example = code_example(code)
    path = written(tmp_path, example.file, repeated(example.fixed, example.times))
    check = example.validate if example.validate_fixed is None else example.validate_fixed
    found = findings(path, example, check, fixed=True)
    assert code not in {d.code for d in found}
    assert {d.code for d in found if d.severity == "error"} <= BESIDE


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_the_catalogue_is_well_formed(code, lang):
    entry = catalogue(lang)[code]
    assert entry.severity in {"error", "warning", "info"}
    assert entry.slug == entry.slug.lower().replace(" ", "-")
    assert not entry.message.endswith((".", "。"))
    assert entry.hint
    assert bool(entry.fix) == bool(entry.mend)
    assert (lang == "en") == (entry.message == catalogue()[code].message)


def test_slugs_are_unique():
    assert len({code.slug for code in catalogue().values()}) == len(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code):
    text = explain(code)
    assert text.startswith(code)
    assert catalogue()[code].slug in text


def test_no_article_stands_before_a_word_that_is_filled_in():
    """`a {role}` is wrong for the assistant."""
    assert [code for code, entry in catalogue().items() if re.search(r"\b[Aa]n? \{", entry.message + entry.hint)] == []


@pytest.mark.parametrize(("lang", "mixed"), [("zh-Hant", "樣本|示例|樣例"), ("zh-Hans", "示例|样例|范例")])
def test_an_example_has_one_name_in_a_language(lang, mixed):
    told = [f"{entry.message} {entry.hint} {entry.mend}" for entry in catalogue(lang).values()]
    assert [text for text in (*told, *words(lang).values()) if re.search(mixed, text)] == []

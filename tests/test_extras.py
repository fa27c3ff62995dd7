"""Optional packages: one clear error where they are missing, and the true one where they are broken."""

import sys

import pytest
from tests.files import written

import finetune_lib as ft
from finetune_lib import extras
from finetune_lib.data.documents import read_documents


def missing(monkeypatch, *modules):
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


def test_a_workbook_without_the_excel_extra_names_the_command(monkeypatch, tmp_path):
    missing(monkeypatch, "python_calamine")
    path = written(tmp_path, "data.xlsx", "[S]\nprompt\tcompletion\nq\ta")
    with pytest.raises(ft.MissingExtraError, match=r'pip install "finetune_lib\[excel\]"') as caught:
        ft.Dataset.load(path)
    assert caught.value.extra == "excel"
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, ft.FinetuneError)


def test_other_formats_do_not_need_the_excel_extra(monkeypatch, tmp_path):
    missing(monkeypatch, "python_calamine")
    path = tmp_path / "data.csv"
    path.write_text("prompt,completion\nq,a\n")
    assert len(ft.Dataset.load(path)) == 1


@pytest.mark.parametrize(("name", "module"), [("a.pdf", "pypdf"), ("a.docx", "docx"), ("a.html", "lxml.html")])
def test_documents_without_their_extra_name_the_command(monkeypatch, tmp_path, name, module):
    missing(monkeypatch, module)
    (tmp_path / name).write_text("<p>text</p>")
    with pytest.raises(ft.MissingExtraError, match=r'pip install "finetune_lib\[documents\]"'):
        list(read_documents(tmp_path))


def test_statistics_without_the_eval_extra_name_the_command(monkeypatch):
    from finetune_lib.statistics import paired_difference

    missing(monkeypatch, "scipy", "scipy.special")
    with pytest.raises(ft.MissingExtraError, match=r"'scipy'.*pip install \"finetune_lib\[eval\]\"") as caught:
        paired_difference([0.1, 0.5, 0.3, 0.7, 0.2], [0.2, 0.4, 0.8, 0.9, 0.6])
    assert caught.value.extra == "eval"


def test_a_package_that_lacks_something_itself_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "half_installed.py").write_text("import something_that_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_it_needs") as caught:
        extras.require("half_installed", extra="excel", feature="This test")
    assert not isinstance(caught.value, ft.MissingExtraError)


def test_an_installed_package_is_given_back():
    assert extras.require("json.decoder", extra="excel", feature="This test").JSONDecoder


@pytest.mark.parametrize(
    "error",
    [
        ft.MissingExtraError(feature="x", package="y", extra="eval"),
        ft.PlatformError("refused", status_code=429, retryable=True),
        ft.ReadError("no", line=3),
    ],
)
def test_errors_cross_the_borders_of_processes(error):
    import pickle

    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))

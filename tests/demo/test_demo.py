"""Sample data: it is in the package, loads as it is, trains nothing that a golden set asks."""

from typing import get_args

import pytest
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib.demo import DemoName

SIZES = {"sentiment": 14, "sentiment_golden": 20, "airport": 10, "complaints": 40, "complaints_golden": 20}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_each_sample_loads_without_a_word(name, size):
    data = ft.Dataset.load(ft.demo_file(name))
    assert len(data) == size
    assert data.validate().ok


def test_the_worksheet_has_the_slips_that_it_is_there_for():
    with pytest.raises(ft.ReadError, match="several sheets"):
        ft.Dataset.load(ft.demo_file("faq"))
    assert len(ft.Dataset.load(ft.demo_file("faq"), sheet="客服問答").validate().diagnostics) > 2


def test_every_name_is_one():
    assert {*SIZES, "faq"} == set(get_args(DemoName))


@pytest.mark.parametrize("name", ["sentiment", "complaints"])
def test_no_case_of_a_golden_set_was_trained_on(name):
    golden = ft.GoldenSet.load(ft.demo_file(f"{name}_golden"))
    assert golden.check(training=ft.Dataset.load(ft.demo_file(name))).contaminated == frozenset()


def test_complaints_have_five_labels_alike_in_both_sets():
    sets = [ft.GoldenSet.load(ft.demo_file(name)) for name in ("complaints", "complaints_golden")]
    labels = [sorted(case.expected for case in cases) for cases in sets]
    assert [len(set(found)) for found in labels] == [5, 5]
    assert set(labels[0]) == set(labels[1])


def test_a_copy_may_be_changed_and_is_never_overwritten(tmp_path):
    copy = ft.demo_file("airport", folder=tmp_path / "資料")
    assert copy.read_bytes() == ft.demo_file("airport").read_bytes()
    assert ft.demo_file("airport", folder=copy.parent) == copy
    copy.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        ft.demo_file("airport", folder=copy.parent)
    assert copy.read_text(encoding="utf-8") == "mine"


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="sentiment, "):
        ft.demo_file("films")


def test_the_examples_of_the_repository_are_the_same_files():
    beside = {path.name: path for path in (ROOT / "examples" / "data").iterdir()}
    files = [ft.demo_file(name) for name in get_args(DemoName)]
    shared = [path for path in files if path.name in beside]
    assert len(shared) == 4
    assert all(path.read_bytes() == beside[path.name].read_bytes() for path in shared)

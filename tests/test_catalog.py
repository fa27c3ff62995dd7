"""The catalogue of models: found by name, snapshot and fine-tune; each entry with its source."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

import finetune_lib
from finetune_lib import catalog

ENTRIES = catalog.models()


@pytest.mark.parametrize(
    ("model", "entry"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-3.5-turbo-0125", "gpt-3.5-turbo"),
        ("ft:gpt-4o-mini-2024-07-18:org:suffix:id", "gpt-4o-mini"),
        ("ft:o4-mini:org::id", "o4-mini"),
        ("tiny", "tiny"),
    ],
)
def test_a_model_is_found_by_each_of_its_names(model, entry):
    assert catalog.find(model) is ENTRIES[entry]


@pytest.mark.parametrize("model", ["", "gpt", "gpt-4.1-micro", "ft:", "ft:unknown:org::id", "GPT-4.1"])
def test_an_unknown_model_is_not_guessed(model):
    assert catalog.find(model) is None


def test_the_base_of_a_fine_tune_is_its_second_part():
    assert catalog.base_of("ft:gpt-4.1-mini-2025-04-14:org::id") == "gpt-4.1-mini-2025-04-14"
    assert catalog.base_of("gpt-4.1-mini") == "gpt-4.1-mini"


@pytest.mark.parametrize("facts", ENTRIES.values(), ids=list(ENTRIES))
def test_each_entry_has_its_numbers_and_where_they_are_from(facts):
    assert facts.encoding in {"o200k_base", "cl100k_base", "bytes"}
    assert facts.training_limit > 0
    assert facts.source
    assert isinstance(facts.checked, date)


@pytest.mark.parametrize("facts", ENTRIES.values(), ids=list(ENTRIES))
def test_no_model_answers_longer_than_its_dates_allow(facts):
    assert (facts.last_new_job is None) == (facts.shutdown is None)
    if facts.shutdown:
        assert facts.last_new_job <= facts.shutdown


def test_no_model_stands_in_the_file_under_a_dated_name():
    text = Path(finetune_lib.__file__).with_name("catalog.toml").read_text(encoding="utf-8")
    assert not [name for name in tomllib.loads(text) if re.search(r"-\d{4}", name)]

"""JSON values found in what models write."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.texts.json_values import json_values


@pytest.mark.parametrize(
    ("text", "brackets", "found"),
    [
        ('{"a": {"b": 1}}', "{", [{"a": {"b": 1}}]),
        ('First {"a": 1}, then {"a": 2}.', "{", [{"a": 1}, {"a": 2}]),
        ('[{"a": 1}]', "{", [{"a": 1}]),
        ('[{"a": 1}]', "{[", [[{"a": 1}]]),
        ('{x} {"a": "}"} {', "{", [{"a": "}"}]),
        ("no JSON", "{[", []),
    ],
)
def test_the_outermost_values(text, brackets, found):
    assert list(json_values(text, brackets=brackets)) == found


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3), max_size=5))
def test_every_object_among_words(objects):
    assert list(json_values("\n".join(f"so: {json.dumps(one)}," for one in objects))) == objects


@pytest.mark.parametrize("bracket", ["{", "[", '{"a":'])
def test_a_text_of_brackets_alone_takes_no_time(bracket):
    begun = time.process_time()
    assert list(json_values(bracket * 100_000)) == []
    assert time.process_time() - begun < 5

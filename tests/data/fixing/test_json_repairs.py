"""Repairs of broken records: what is mended, what is left to a person, and what is never touched."""

import json

import pytest

from finetune_lib.data.fixing import parted, repair, same_content

SAFE = [
    ('{"a": [1, 2,], "b": 3,},', {"a": [1, 2], "b": 3}, ("J204", "J205")),
    (',{"a": 1}', {"a": 1}, ("J205",)),
    ('\ufeff{"a":\u00a01}', {"a": 1}, ("J224",)),
    ('{“a”: “b”, "c": "他說“好”"}', {"a": "b", "c": "他說“好”"}, ("J202",)),
    ("{“a”：“你好，世界”，“b”：［1］｝", {"a": "你好，世界", "b": [1]}, ("J202", "J227")),
    ("{'a': \"it's\", 'b': None, 'c': [True, 1.5]}", {"a": "it's", "b": None, "c": [True, 1.5]}, ("J203",)),
    ("{'a': 'x\\'y\\n\\xe9\\\\'},", {"a": "x'y\né\\"}, ("J203", "J205")),
    ('{"a": None, "b": [True, False]}', {"a": None, "b": [True, False]}, ("J203",)),
    ('{"a": "C:\\Users\\Documents", "b": "x\\ny"}', {"a": "C:\\Users\\Documents", "b": "x\ny"}, ("J207",)),
    ('{"a": "first\r\nsecond\nthird"}', {"a": "first\nsecond\nthird"}, ("J208",)),
    ('{"a": "x\ty\x01"}', {"a": "x\ty\x01"}, ("J225",)),
    ('"{\\"a\\": \\"x\\\\ny\\"}"', {"a": "x\ny"}, ("J216",)),
    ('{\\"a\\": 1}', {"a": 1}, ("J216",)),
    ('"{""a"": ""x""}"', {"a": "x"}, ("J216",)),
    ('{\n "a": [\n  1,\n ]\n}', {"a": [1]}, ("J204",)),
]


@pytest.mark.parametrize(("text", "value", "codes"), SAFE)
def test_what_loses_nothing_is_safe(text, value, codes):
    mended = repair(text)
    assert (mended.value, mended.codes, mended.kind) == (value, codes, "safe")
    assert json.loads(mended.text) == value
    assert "\n" not in mended.text


UNSAFE = [
    ('{"a": NaN, "b": -Infinity}', {"a": None, "b": None}, ("J215",)),
    ('{"a": 1} // note', {"a": 1}, ("J213",)),
    ('{"a": "https://x" /* note */}', {"a": "https://x"}, ("J213",)),
    ('{a: 1, b: "x: y"}', {"a": 1, "b": "x: y"}, ("J223",)),
    ('{"a": "價格是"100, 200"元"}', {"a": '價格是"100, 200"元'}, ("J206",)),
    ('{"a": "has a "u" in it", "b": 1}', {"a": 'has a "u" in it', "b": 1}, ("J206",)),
]


@pytest.mark.parametrize(("text", "value", "codes"), UNSAFE)
def test_what_a_person_must_confirm_is_unsafe(text, value, codes):
    mended = repair(text)
    assert (mended.value, mended.codes, mended.kind) == (value, codes, "unsafe")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',  # sound
        "42",
        "[{'a': 1}]",  # no object
        "some prose",
        '{"a": "cut off',
        '{"a": [{"b": 1}',
        '{"a": 1,',
        '{"a": "C:\\Users\\new"}',  # \n could be a line break
        '{"a": "C:\\Data\\new"}',
        '{"a": "$\\alpha$", "b": "\\frac"}',
        '{"a": "\\user \\u12"}',
        '{"a": "it\\\'s"}',  # JavaScript's escape
        '{"a": "\\x41"}',
        "{“a”: “他說“好”, 然後走”}",  # which quote ends the text?
        "{‘a’: ‘don’t’}",
        '{"a": "say "yes", please"}',
        '{"a": "{"name": "Bob"}"}',
        "{'a': 1, 'a': 2}",  # Python keeps one of them
        "{'a': 'x' 'y'}",  # Python joins them
        "{'a': (1, 2)}",
        "{'a': 0x10}",
        "{1: 'a'}",
        "{'a': b'x'}",
        "{'a': '\\d'}",
        "{'a': __import__('os').getcwd()}",
        '{"a": 1, "a": 2}',
        '{"a": 1}{"b": 2}',
        '{"a": 1 "b": 2}',
    ],
)
def test_what_could_mean_two_things_is_left_alone(text):
    assert repair(text) is None


def test_content_is_the_same_only_where_every_text_is():
    assert same_content("{“a”: “b c”}", '{"a": "b c"}')
    assert same_content("{'a': 'b',}", '{"a": "b"}')
    assert not same_content("{'a': 'b c'}", '{"a": "bc"}')
    assert not same_content("{'a': 'b'}", '{"a": ""}')
    assert not same_content("{'a': ['b']}", '{"a": "b"}')
    assert not same_content('{"a": "x"y"z"}', '{"a": "x"}')
    assert not same_content('{"a": "C:\\\\new"}', '{"a": "C:\\new"}')
    assert not same_content('{"a": 1} tail', '{"a": 1}')


def test_a_long_broken_record_is_mended_quickly():
    row = {"messages": [{"role": "user", "content": "長文\n" * 20_000}, {"role": "assistant", "content": "“好”"}]}
    mended = repair(json.dumps(row, ensure_ascii=False).replace("\\n", "\n"))
    assert (mended.value, mended.kind) == (row, "safe")


def test_objects_on_one_line():
    assert parted('{"a": 1}{"b": 2}, {"c": 3}\\n{"d": 4}') == ({"a": 1}, {"b": 2}, {"c": 3}, {"d": 4})
    assert parted('{"a": 1} and {"b": 2}') == ()
    assert parted('{"a": 1} [1]') == ()

"""Separators of the old completion models: taken off where all rows have them, and only there."""

import pytest

from finetune_lib.data.formats.legacy_pairs import undo_separators
from finetune_lib.records import Example, Origin

ENDS = [" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n", "\n\n### =>\n\n"]
COMPLETION_ENDS = [" END", " [END]", "***", "+++", "&&&", "$$$", "@@@", "%%%", "\n", "###"]


def examples(rows):
    return [
        Example({"prompt": prompt, "completion": completion}, Origin("data.jsonl", row=n, line=n))
        for n, (prompt, completion) in enumerate(rows, start=1)
    ]


def texts(found):
    return [(example.data["prompt"], example.data["completion"]) for example in found]


PLAIN = [
    ("a fine film", "positive"),
    ("a dull film", "negative"),
    ("這部電影很好看", "positive"),
    ("meh\n- list", "no"),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("stop", ["", *COMPLETION_ENDS])
def test_what_prepare_data_added_is_taken_off(end, stop):
    prepared = examples([(prompt + end, f" {completion}{stop}") for prompt, completion in PLAIN])
    undone, note = undo_separators(prepared)
    assert texts(undone) == PLAIN
    assert note.code == "T270"
    assert note.args["count"] == 4
    assert end.replace("\n", "\\n") in note.message
    assert [example.origin for example in undone] == [example.origin for example in prepared]


def test_the_space_alone_is_enough_where_all_have_it():
    undone, note = undo_separators(examples([(prompt, " " + completion) for prompt, completion in PLAIN]))
    assert texts(undone) == PLAIN
    assert note.args["removed"] == 'completion " …"'


@pytest.mark.parametrize(
    "rows",
    [
        PLAIN,
        [("q1?", "yes."), ("q2?", "no."), ("q3?", "maybe.")],
        [("哪裡退稅？", "一樓。"), ("幾點？", "九點。"), ("行李？", "23 公斤。")],
        [("a ->", " x"), ("b", " y"), ("c", "z")],
        [("a", "WEEKEND"), ("b", "TREND"), ("c", "THE LEGEND")],
        [("a", "one\n"), ("b", "two\n"), ("c", "three\n")],
        [("# a", "x"), ("## b", "y"), ("### c", "z")],
        [("a ->", " x"), ("b ->", " y")],
    ],
)
def test_natural_texts_stay_as_they_are(rows):
    given = examples(rows)
    assert undo_separators(given) == (given, None)


def test_rows_that_lack_it_are_told():
    rows = [(f"q{n} ->", f" a{n} END") for n in range(20)]
    rows[7] = ("q7", " a7 END")
    undone, note = undo_separators(examples(rows))
    assert texts(undone) == [(f"q{n}", f"a{n}") for n in range(20)]
    assert (note.code, note.origin.row, note.args["count"]) == ("T271", 8, 1)


def test_chats_among_the_rows_stay_as_they_are():
    chat = Example({"messages": [{"role": "user", "content": "q ->"}]})
    undone, _ = undo_separators([*examples([(f"q{n} ->", " a") for n in range(5)]), chat])
    assert undone[-1] is chat
    assert undone[5:][0] is chat


def test_there_may_be_no_rows():
    assert undo_separators([]) == ([], None)

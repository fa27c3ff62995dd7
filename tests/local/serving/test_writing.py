"""Pieces of a text on its way: together they are the text, none breaks a character, no stop word shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.local.serving.writing import BROKEN, Writer
from finetune_lib.rendering.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
texts = st.text(alphabet="abc中文🏙é\n", max_size=30)
words = st.lists(st.text(alphabet="abc中🏙", min_size=1, max_size=3), max_size=3)


@given(texts, words)
def test_pieces_are_the_text_up_to_the_first_stop_word(text, stops):
    writer = Writer(TOKENIZER, stops)
    pieces = []
    for token in TOKENIZER(text, add_special_tokens=False)["input_ids"]:
        pieces.append(writer.take(token))
        if writer.stopped:
            break
    pieces.append(writer.rest())
    ends = [text.find(word) for word in stops if word in text]
    # A word that begins earlier may end later: the answer ends at the word that is whole first.
    shown = "".join(pieces)
    assert text.startswith(shown)
    assert not any(word in shown for word in stops)
    assert BROKEN not in shown
    assert writer.stopped == bool(ends)
    if not ends:
        assert shown == text
    else:
        assert any(text[len(shown) :].startswith(word) for word in stops)

"""For any text: redaction ends, leaves nothing, and touches nothing else."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from finetune_lib.data.checks.form.mojibake import garbled, restored
from finetune_lib.data.checks.form.texts import MENDS, text_findings
from finetune_lib.data.checks.privacy import masked, pieces
from finetune_lib.data.checks.quality.repetition import loop_in
from finetune_lib.data.redacting import redact
from finetune_lib.records import NOWHERE

ALPHABET = st.sampled_from("aZ09 @.-+()_/=:,，。中台灣电話\n\u200bÃ©ä½")
PIECES = st.sampled_from(
    [
        "mei.lin@gmail.com",
        "0928-617-504",
        "F131232216",
        "4539 5787 6362 1486",
        "440308199307285212",
        "ab",
        " ",
        "：",
        "中",
    ]
)
PLACEHOLDER = re.compile(r"\[[A-Z_]+\]")
TEXTS = st.one_of(st.text(ALPHABET, max_size=80), st.lists(PIECES, max_size=8).map("".join), st.text(max_size=60))


@given(TEXTS)
@example("電話 0928-617-504mei.lin@gmail.com")
def test_redaction_leaves_nothing_to_find(text):
    clean, counts = redact(text)
    again, more = redact(clean)
    assert again == clean
    assert not more
    assert bool(counts) == bool(pieces(text))


@given(TEXTS)
def test_redaction_touches_nothing_else(text):
    clean, counts = redact(text)
    kept = PLACEHOLDER.split(clean)
    assert len(kept) == sum(counts.values()) + 1
    assert re.fullmatch(".*?".join(map(re.escape, kept)), text, re.DOTALL)


@given(TEXTS)
def test_a_mask_hides_most_of_a_value(text):
    for piece in pieces(text):
        value = text[piece.start : piece.end]
        shown = masked(value, piece.detector)
        assert value not in shown
        assert shown.count("*") >= len(value) // 2 or shown.count("*") >= 24


@given(TEXTS)
def test_mending_a_text_ends(text):
    for mend in MENDS.values():
        assert mend(mend(text)) == mend(text)


@given(TEXTS)
def test_places_lie_in_the_text(text):
    for run in garbled(text):
        assert text[run.start :].startswith(run.text)
    if loop := loop_in(text):
        assert text[loop.start :].startswith(loop.unit * loop.times)
    for finding in text_findings(text, "/x", NOWHERE, role="user", empty=None):
        assert finding.quote is not None
        assert finding.texts("zh-Hant").message


@given(
    st.text(
        st.sampled_from("的一是不了在人有我他这個們中來上大為和國地到以說時要就出會可也你對生"), min_size=2, max_size=30
    )
)
def test_chinese_that_was_read_as_latin_1_is_restored(text):
    assert restored(text.encode().decode("latin-1")) == text

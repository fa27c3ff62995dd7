"""Reading a verdict out of what a model says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.judges import LEVELS, Verdict
from finetune_lib.evaluation.judges.verdicts import verdict_in
from finetune_lib.platforms.asking import Reply, UnreadableAnswerError


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"reason": "r", "level": "tie"}', Verdict("tie", "r")),
        ('{"level": "second_much_better"}', Verdict("second_much_better")),
        ('Here it is:\n```json\n{"reason": " r ", "level": "both_bad"}\n``` Done.', Verdict("both_bad", "r")),
        ('{"reason": "r", "level": "First slightly-better"}', Verdict("first_slightly_better", "r")),
        ('{"thoughts": {"level": "x"}} {"reason": "r", "level": "tie"}', Verdict("tie", "r")),
        ('{"reason": "{\\"level\\": \\"both_bad\\"}", "level": "tie"}', Verdict("tie", '{"level": "both_bad"}')),
        ('{"reason": "a", "level": "tie"} again {"reason": "b", "level": "tie"}', Verdict("tie", "b")),
        ('{"reason": 7, "level": "tie"}', Verdict("tie")),
        ('"tie"', Verdict("tie")),
        ("**second_slightly_better**.", Verdict("second_slightly_better")),
    ],
)
def test_read(text, verdict):
    assert verdict_in(Reply(text)) == verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "null",
        "2 answers compared, 0 wins",
        "A tie, or first_much_better.",
        '{"level": "first"}',
        '{"level": ["tie"]}',
        '{"level": null, "reason": "tie"}',
        '{"reason": "r", "level": "tie"',
        '{"level": "tie"} {"level": "both_bad"}',
        '{"a": ' * 5000,
        '{"a": ' * 100_000,
    ],
)
def test_not_read(text):
    with pytest.raises(UnreadableAnswerError):
        verdict_in(Reply(text))


@given(level=st.sampled_from(LEVELS), reason=st.text(), around=st.text(alphabet="abc \n`。"))
def test_a_sound_answer_is_always_read(level, reason, around):
    text = around + json.dumps({"reason": reason, "level": level}) + around
    assert verdict_in(Reply(text)) == Verdict(level, reason.strip())

"""Polite phrases go; whatever could be the answer stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.judges.boilerplate import bare


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Certainly! Here are the rules: One bag.", "One bag."),
        ("Great question! One bag. Let me know if you need anything else.", "One bag."),
        ("As an AI language model, I cannot know.", "I cannot know."),
        ("I'd be happy to help! One bag. Is there anything else I can help you with?", "One bag."),
        ("好的，以下是退票規定：七天內可退。希望對您有所幫助！", "七天內可退。"),
        ("好的，以下是退票规定：七天内可退。如果您还有其他问题，请随时告诉我。", "七天内可退。"),
        ("這是一個很好的問題！七天。", "七天。"),
        ("作为一个AI语言模型，我无法得知。", "我无法得知。"),
        ("\r\n One\r\nbag. \n", "One\nbag."),
    ],
)
def test_what_goes(text, left):
    assert bare(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Of course.",
        "Sure, you can bring one bag.",
        "當然可以。",
        "好的",
        "Here you go.",
        "Hope is not a plan.",
        "Please feel free to contact us at 02-1234-5678.",
        "如有其他問題，請撥 0800-123-456。",
        "I hope this helps!",
        "Surely here is nobody.",
    ],
)
def test_what_stays(text):
    assert bare(text) == text


@given(st.text())
def test_an_answer_never_becomes_empty_and_only_loses_its_ends(text):
    whole = text.replace("\r\n", "\n").strip()
    assert bare(text) in whole
    assert bool(bare(text)) == bool(whole)


def test_a_huge_answer():
    text = "希望" * 500_000 + "。"
    assert bare(text) == text

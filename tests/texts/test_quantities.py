"""Numbers in words and in digits."""

import pytest

from finetune_lib.texts.quantities import with_digits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("七天內", "7 天内", True),
        ("一千二百三十四元", "1,234 元", True),
        ("二〇二六年", "2026年", True),
        ("兩個半月", "2個0.5月", True),
        ("三天七元", "7 天 3 元", False),
        ("七天", "十七天", False),
        ("七天", "七週", False),
    ],
)
def test_numbers_are_the_same_in_words_and_in_digits(one, other, same):
    assert (with_digits(one) == with_digits(other)) == same

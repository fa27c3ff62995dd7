import pytest

from finetune_lib.texts.languages import language


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("zh_TW.UTF-8", "zh-Hant"), ("zh_HK", "zh-Hant"), ("zh-Hant", "zh-Hant"), ("zh_CN.UTF-8", "zh-Hans"),
        ("zh", "zh-Hans"), ("en_US.UTF-8", "en"), ("C", "en"), ("ja_JP", "en"),
    ],
)  # fmt: skip
def test_the_locale_chooses_the_language(monkeypatch, locale, expected):
    monkeypatch.setenv("FINETUNE_LIB_LANG", locale)
    assert language() == expected

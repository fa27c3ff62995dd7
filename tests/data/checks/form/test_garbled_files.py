"""A file that is mojibake as a whole is an error of the file, not a warning a row."""

import pytest

import finetune_lib as ft

TEXTS = ["怎么退货", "七天内可以退", "运费多少钱", "满九十九元免运费", "多久可以发货", "二十四小时内发货"]


def chats(texts):
    return [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"{text}，请联系客服。"}]}
        for text in texts
    ]


def garbled(text, encoding="gb18030"):
    """UTF-8 that was read in another encoding."""
    return text.encode().decode(encoding, "replace")


def found(texts, **options):
    report = ft.Dataset.from_rows(chats(texts)).validate(**options)
    return [(d.args["count"], d.args["examples"]) for d in report.errors if d.code == "E118"]


@pytest.mark.parametrize("encoding", ["gb18030", "cp950", "cp1252"])
def test_a_file_that_is_all_mojibake_is_one_error(encoding):
    texts = [garbled(f"{text}，请联系客服", encoding) for text in TEXTS]
    assert found(texts) == [(6, 6)]


def test_few_garbled_rows_are_their_own_matter():
    assert found([garbled(TEXTS[0]), *TEXTS[1:]]) == []
    assert found([garbled(text) for text in TEXTS[:4]] + TEXTS) == []


def test_a_lost_character_in_a_prompt_of_all_rows_is_no_garbled_file():
    assert found([f"{text}\ufffd" for text in TEXTS]) == []


def test_more_rows_than_findings_are_kept():
    texts = [garbled(f"第 {number} 个问题，怎么退货") for number in range(1_500)]
    assert found(texts) == [(1500, 1500)]


def test_it_can_be_ignored():
    assert found([garbled(text) for text in TEXTS], ignore=["E118"]) == []

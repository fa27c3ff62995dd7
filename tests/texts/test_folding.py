"""Folding: what differs in script, width, case or punctuation alone becomes equal, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib import Example
from finetune_lib.rows.exchange import fold_prompt, turns_of
from finetune_lib.texts import fold, shingles

EQUAL = {
    "script": ("退貨期限與運費說明", "退货期限与运费说明"),
    "one for several": ("後來皇后在裡面", "后来皇后在里面"),
    "regional form": ("羣眾裏的衞兵啟程", "群众里的卫兵启程"),
    "taiwan's aspect marker": ("看著天空", "看着天空"),
    "width": ("ＡＢＣ１２３％", "abc123%"),
    "chinese punctuation": ("請問，幾天？", "請問幾天"),
    "punctuation by width": ("你好！", "你好!"),
    "case": ("OpenAI API", "openai api"),
    "apostrophes": ("don’t", "don't"),
    "spaces between scripts": ("用 iPhone 15 打電話", "用iPhone 15打電話"),
    "line ends": ("第一行\r\n第二行", "第一行 第二行"),
    "half-width kana": ("ｶﾞｿﾘﾝ", "ガソリン"),
    "composed letters": ("cafe\u0301", "CAFÉ"),
    "invisible characters": ("退\u200b貨\ufeff", "退貨"),
    "quotation marks": ("「退貨」", "“退貨”"),
    "variation selectors": ("❤\ufe0f", "❤"),
}
DIFFERENT = {
    "decimals": ("1.5", "15"),
    "thousands": ("1,5", "1.5"),
    "signs": ("溫度 -5", "溫度 5"),
    "operators": ("3+4", "3-4"),
    "comparisons": ("a<b", "a>b"),
    "not equal": ("a != b", "a = b"),
    "powers": ("10² 公尺", "102 公尺"),
    "brackets": ("(1+2)*3", "1+2*3"),
    "languages": ("C#", "C++"),
    "shares": ("5%", "5"),
    "currencies": ("5€", "5$"),
    "emoji": ("好😀", "好😡"),
    "words": ("new york", "newyork"),
    "pronouns": ("他是誰", "她是誰"),
    "punctuation alone": ("？", "！"),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=list(EQUAL))
def test_forms_of_one_text_fold_to_one(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=list(DIFFERENT))
def test_what_carries_meaning_stays(one, other):
    assert fold(one) != fold(other)


def test_every_pair_of_opencc_folds_to_one():
    # OpenCC is no dependency: whoever installs the extra for scripts checks the table against it.
    opencc = pytest.importorskip("opencc")
    for name in ("t2s", "tw2s", "hk2s", "s2t", "s2tw", "s2hk"):
        convert = opencc.OpenCC(name).convert
        for character in map(chr, range(0x4E00, 0xA000)):
            assert fold(character) == fold(convert(character)), (name, character)


def test_texts_of_the_other_script_fold_to_one_by_opencc():
    opencc = pytest.importorskip("opencc")  # as above
    text = "請問颱風來臨時，台北車站的計程車還能不能叫得到？乾脆搭捷運，麵包與飲料自備，鬍鬚刮乾淨再出發。"
    assert fold(opencc.OpenCC("t2s").convert(text)) == fold(text)


@given(st.text())
def test_any_text_folds_and_stays_when_folded_again_but_for_freed_marks(text):
    folded = fold(text)
    assert folded == folded.strip()
    assert "  " not in folded
    assert bool(folded) == bool("".join(text.split()))


@given(st.text(alphabet="退貨期限與運費 ,.，。!?aB1", max_size=40))
def test_folding_is_stable(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.text())
def test_chinese_commas_between_texts_do_not_matter(one, other):
    assert fold(f"好{one}，好{other}") == fold(f"好{one}。好{other}")


def test_shingles_are_characters_with_their_pairs_and_words_with_triples():
    assert shingles("退货期限") == {"退", "货", "期", "限", "退货", "货期", "期限"}
    assert shingles("的") == {"的"}
    assert shingles("ab cd") == {"ab", "cd", " ab", "ab ", "b c", " cd", "cd "}
    assert shingles("用ab") == {"用", "ab", " ab", "ab "}
    assert shingles("") == set()


def test_the_prompt_is_all_before_the_last_answer_without_instructions():
    example = Example(
        {
            "messages": [
                {"role": "system", "content": "你是客服"},
                {"role": "user", "content": "你好！"},
                {"role": "assistant", "content": "您好。"},
                {"role": "user", "content": "幾天？"},
                {"role": "assistant", "content": "７天。"},
            ]
        }
    )
    assert (fold_prompt(example), fold(turns_of(example).answer)) == ("你好\n您好\n几天", "7天")


@pytest.mark.parametrize(
    "data",
    [
        {"messages": None},
        {"messages": [1, None]},
        {"messages": []},
        {"messages": [{"role": "user", "content": "q"}]},
        {"prompt": 1, "completion": "a"},
        {"input": {"messages": []}, "preferred_output": None},
        {"input": 3, "preferred_output": [], "non_preferred_output": []},
        {"text": "x"},
    ],
)
def test_rows_without_an_answer_have_no_turns(data):
    assert turns_of(Example(data)) is None
    assert fold_prompt(Example(data)) == ""


def test_ids_of_calls_and_the_order_of_arguments_say_nothing():
    def called(identity, arguments):
        call = {"id": identity, "type": "function", "function": {"name": "f", "arguments": arguments}}
        return Example({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}]})

    one, other = called("call_1", '{"a": 1, "b": 2}'), called("call_2", '{"b":2,"a":1}')
    third = called("call_1", '{"a": 2, "b": 2}')
    first, second, other_arguments = (fold(turns_of(example).answer) for example in (one, other, third))
    assert first == second != ""
    assert first != other_arguments


def test_parts_of_a_message_are_read_as_one_text():
    parts = [{"type": "text", "text": "這是"}, {"type": "text", "text": "什麼？"}]
    example = Example({"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "貓"}]})
    assert fold_prompt(example) == "这是什么"


def test_a_preference_is_asked_and_answered_by_its_preferred_side():
    data = {
        "input": {"messages": [{"role": "user", "content": "問"}]},
        "preferred_output": [{"role": "assistant", "content": "好"}],
        "non_preferred_output": [{"role": "assistant", "content": "壞"}],
    }
    turns = turns_of(Example(data))
    assert (turns.prompt, turns.answer, turns.rejected) == (("問",), "好", "壞")

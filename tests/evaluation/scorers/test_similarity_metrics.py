"""chrF, BLEU, CER and edit similarity: what libraries give, and nothing where a metric is undefined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.scorers import Bleu, CharacterErrorRate, ChrF, EditSimilarity, corpus_bleu, corpus_chrf
from finetune_lib.records import Case

ZH = "患者需要在手术前八小时禁食。"
NEAR = "术前八小时患者必须禁食。"


def case(expected):
    return Case("7", (), expected)


@pytest.mark.parametrize("text", [ZH, "手術前八小時禁食", "患者は手術の八時間前から絶食", "The patient must fast."])
@pytest.mark.parametrize("scorer", [ChrF(), Bleu(), EditSimilarity()])
def test_the_same_text_is_1_in_every_language(scorer, text):
    assert scorer(text, case(text)) == 1


@pytest.mark.parametrize("scorer", [ChrF(), Bleu(), EditSimilarity()])
def test_a_fair_paraphrase_in_chinese_is_not_0(scorer):
    assert 0.3 < scorer(NEAR, case(ZH)) < 0.7


def test_the_numbers_are_sacrebleus():
    from sacrebleu.metrics import BLEU, CHRF

    assert ChrF()(NEAR, case(ZH)) == CHRF().sentence_score(NEAR, [ZH]).score / 100
    zh = BLEU(tokenize="zh", effective_order=True)
    assert Bleu()(NEAR, case(ZH)) == zh.sentence_score(NEAR, [ZH]).score / 100
    english = ["the cat sat on the mat", "there is a dog"], ["the cat is on the mat", "there was a dog here"]
    expected = BLEU().corpus_score(english[0], [english[1]])
    assert corpus_bleu(*english).value == expected.score / 100


def test_signatures_say_how():
    assert corpus_bleu([NEAR], [ZH]).signature.startswith("BLEU|nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:")
    assert "tok:char" in corpus_bleu(["絶食してください"], ["絶食を始めてください"]).signature
    assert "tok:13a" in corpus_bleu(["the cat sat down"], ["the cat sat there"]).signature
    assert ChrF().signature.startswith("chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")
    assert str(corpus_chrf([ZH], [ZH])).startswith("1.0000 (chrF2|")


@pytest.mark.parametrize("tokenize", ["13a", "zh"])
def test_a_tokenizer_that_does_not_fit_the_language_is_refused(tokenize):
    text = ZH if tokenize == "13a" else "患者は手術の八時間前から絶食"
    with pytest.raises(ValueError, match="tokenize="):
        Bleu(tokenize=tokenize)("x", case(text))


@pytest.mark.parametrize("scorer", [ChrF(), Bleu(), EditSimilarity(), CharacterErrorRate()])
def test_an_empty_reference_is_no_score(scorer):
    with pytest.raises(ValueError, match="case 7 has no expected text"):
        scorer("x", case(" "))


@pytest.mark.parametrize("scorer", [ChrF(), Bleu(), EditSimilarity()])
def test_an_empty_answer_is_0(scorer):
    assert scorer("", case(ZH)) == 0


def test_the_character_error_rate():
    told = CharacterErrorRate()("今天天汽很好", case("今天天氣很好"))
    assert told.value == pytest.approx(5 / 6)
    assert CharacterErrorRate()("完全不同的一長串字", case("短句")).value == 0
    assert CharacterErrorRate()("ＡＢ", case("AB")).value == 1
    assert CharacterErrorRate()("ab", case("AB")).value == 0


@pytest.mark.parametrize("scorer", [ChrF(), Bleu()])
def test_full_width_forms_are_plain_but_case_counts(scorer):
    assert scorer("ＡＢＣ１，　好", case("ABC1,好")) == 1
    assert scorer("abc1", case("ABC1")) < 1
    assert scorer.signature.endswith("|norm:NFKC+space")


def test_full_width_forms_are_the_same():
    assert EditSimilarity()("ＡＢＣ１", case("ABC1")) == 1
    assert EditSimilarity()("軟件", case("软件")) == 0.5
    assert EditSimilarity(script="same")("軟件", case("软件")) == 1


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_scores_are_from_0_to_1(expected, answer):
    for scorer in (ChrF(), Bleu(), EditSimilarity()):
        assert 0 <= scorer(answer, case(expected)) <= 1
    assert 0 <= CharacterErrorRate()(answer, case(expected)).value <= 1


@pytest.mark.parametrize(
    ("answers", "references"),
    [([], []), (["a"], []), (["a"], [" "]), ("a", "b")],
    ids=["none", "fewer", "empty", "str"],
)
def test_sets_that_cannot_be_measured(answers, references):
    for corpus in (corpus_bleu, corpus_chrf):
        with pytest.raises(ValueError, match=r"as many references|without a text"):
            corpus(answers, references)

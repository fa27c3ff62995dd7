"""Which label an answer means, and how well classes are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.scorers import Choice, classification_report
from finetune_lib.pages.terminal import width
from finetune_lib.records import Case


def label(answer, labels, **options):
    return Choice(labels, **options)(answer, Case("7", (), labels[0])).label


FEELINGS = ["positive", "negative", "neutral"]
SATISFACTION = ["滿意", "不滿意", "普通"]
LETTERS = ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Positive.", "positive"),
        ("**Negative**", "negative"),
        ("The sentiment is positive.", "positive"),
        ("It is not positive; it is negative.", "negative"),
        ('```json\n{"sentiment": "Negative", "confidence": 0.9}\n```', "negative"),
        ("I first thought positive. Final answer: negative", "negative"),
        ("It's neither positive nor negative: neutral", "neutral"),
        ("positive or negative?", None),
        ("answer: positive or negative", None),
        ("not positive", None),
        ("unpositively", None),
        ("", None),
    ],
)
def test_labels_in_words(answer, expected):
    assert label(answer, FEELINGS) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("不滿意", "不滿意"),
        ("客戶並不滿意", "不滿意"),
        ("這不是滿意", None),
        ("分類：滿意", "滿意"),
        ("他的態度是「普通」。", "普通"),
        ("滿意與不滿意各半", None),
    ],
)
def test_labels_within_each_other(answer, expected):
    assert label(answer, SATISFACTION) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("(B)", "B"),
        ("B) Paris", "B"),
        ("The answer is (B).", "B"),
        ("答案是B。", "B"),
        ("我選 C。", "C"),
        (r"\boxed{B}", "B"),
        ("A dog is in the picture, so B", "B"),
        ("I think B.", "B"),
        ("not A but B", "B"),
        ("A is right", "A"),
        ("the answer is a dog", None),
        ("A or B", None),
        ("Answer: A or B", None),
        ("Answer: a", "A"),
        ("Answer: B, a dog", "B"),
        ("not option A", None),
        ("不選A，選B", "B"),
    ],
)
def test_letters(answer, expected):
    assert label(answer, LETTERS) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It is not at all positive.", None),
        ("no longer positive", None),
        ("The review is hardly positive.", None),
        ("far from positive", None),
        ("anything but positive", None),
        ("It is **not** positive.", None),
        ("It is not **positive**.", None),
        ("I don't think the sentiment is positive", None),
        ("not positive or negative", None),
        ("not so much positive as negative", "negative"),
        ("It isn't really positive; rather neutral.", "neutral"),
        ("Answer: positive, not negative", "positive"),
        ("not only positive, but glowing", "positive"),
        ("It couldn't be more positive.", "positive"),
        ("No, it is positive.", "positive"),
    ],
)
def test_denied_labels_in_words(answer, expected):
    assert label(answer, FEELINGS) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("客戶不太滿意。", None),
        ("不夠滿意", None),
        ("難以滿意", None),
        ("談不上滿意", None),
        ("無法令人滿意", None),
        ("不選滿意", None),
        ("沒有不滿意", None),
        ("不是滿意或普通", None),
        ("客戶不太滿意，算是普通。", "普通"),
        ("不是「滿意」而是「普通」", "普通"),
        ("非常滿意", "滿意"),
        ("差不多滿意", "滿意"),
        ("不但滿意，還推薦", "滿意"),
        ("不錯，滿意", "滿意"),
    ],
)
def test_denied_labels_in_chinese(answer, expected):
    assert label(answer, SATISFACTION) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Answer: 1", "1"),
        ("答案：１", "1"),
        ("The answer is 0.", "0"),
        ("Final answer: (1)", "1"),
        ("Answer: 1 because 0 errors were found", "1"),
        ("Answer: 1 or 0", None),
        ("Answer: 1.5", None),
        ("Answer: -1", None),
        ("Answer: 10", None),
        ("-1", None),
        ("Answer: not 1", None),
    ],
)
def test_digits_behind_answer(answer, expected):
    assert label(answer, ["0", "1"]) == expected


@pytest.mark.parametrize("answer", ["-1", "Answer: -1", "The score is -1."])
def test_a_minus_belongs_to_its_number(answer):
    assert label(answer, ["-1", "0", "1"]) == "-1"


@pytest.mark.parametrize(("answer", "expected"), [("Answer: x", "x"), ("答案是 y", "y"), ("Answer: x or y", None)])
def test_small_letters_behind_answer(answer, expected):
    assert label(answer, ["x", "y"]) == expected


def test_letters_for_words_only_when_asked():
    assert label("B", SATISFACTION) is None
    assert label("B", SATISFACTION, letters=True) == "不滿意"


def test_scripts():
    assert label("满意", SATISFACTION) is None
    assert label("满意", SATISFACTION, script="same") == "滿意"


def test_a_field_of_json():
    text = '{"reason": "negative", "label": "positive"}'
    assert label(text, FEELINGS) is None
    assert label(text, FEELINGS, field="label") == "positive"


def test_scores_have_both_labels():
    told = Choice(FEELINGS)("positive or negative", Case("7", (), "negative"))
    assert (told.value, told.label, told.target) == (0, None, "negative")
    assert told.reason == "2 labels in the answer: negative, positive"


def test_without_labels_only_a_label_alone_counts():
    case = Case("7", (), "positive")
    assert Choice()("Positive.", case).value == 1
    assert Choice()('{"x": "positive"}', case).value == 1
    assert Choice()("neg", case).label == "neg"
    assert Choice()("The sentiment is positive", case).label is None


@pytest.mark.parametrize("labels", [[], ["a", "A "], ["a", ""], "abc"])
def test_labels_that_cannot_be_told_apart(labels):
    with pytest.raises(ValueError, match="labels are"):
        Choice(labels)


def test_a_case_of_another_label_is_no_score():
    with pytest.raises(ValueError, match="case 7 expects none of the labels: 'happy'"):
        Choice(FEELINGS)("positive", Case("7", (), "happy"))


@given(
    st.sampled_from(FEELINGS + SATISFACTION),
    st.sampled_from(["{}", "“{}”", " {}。", "**{}**", "Answer: {}", "答案：{}"]),
)
def test_a_label_is_found_in_any_dress(one, dress):
    labels = FEELINGS if one in FEELINGS else SATISFACTION
    assert label(dress.format(one), labels) == one


def test_the_report_of_each_class():
    """The example of scikit-learn's documentation of `classification_report`, version 1.9."""
    right = ["class 0", "class 1", "class 2", "class 2", "class 2"]
    answered = ["class 0", "class 0", "class 2", "class 2", "class 1"]
    report = classification_report(zip(right, answered, strict=True))
    scores = {name: (s.precision, s.recall, round(s.f1, 2), s.support) for name, s in report.classes.items()}
    assert scores == {
        "class 0": (0.5, 1.0, 0.67, 1),
        "class 1": (0.0, 0.0, 0.0, 1),
        "class 2": (1.0, pytest.approx(2 / 3), 0.8, 3),
    }
    assert report.accuracy == 0.6
    assert round(report.macro_f1, 2) == 0.49
    assert round(report.weighted_f1, 2) == 0.61


def test_the_confusion_matrix():
    """The example of scikit-learn's documentation of `confusion_matrix`."""
    right = ["cat", "ant", "cat", "cat", "ant", "bird"]
    answered = ["ant", "ant", "cat", "cat", "ant", "cat"]
    report = classification_report(zip(right, answered, strict=True), labels=["ant", "bird", "cat"])
    assert [row[:-1] for row in report.matrix] == [(2, 0, 0), (0, 0, 1), (1, 0, 2)]


def test_answers_without_a_label():
    report = classification_report([("a", "a"), ("a", None), ("b", "strange")], labels=["a", "b"])
    assert report.matrix == ((1, 0, 1), (0, 0, 1))
    assert report.accuracy == pytest.approx(1 / 3)
    assert "(other)" in str(report)
    assert "without a precision: b" in str(report)


def test_f_scores_of_one_class():
    report = classification_report([("spam", "spam"), ("spam", "ham"), ("ham", "spam"), ("spam", "spam")])
    assert report.f_beta("spam", beta=1) == pytest.approx(report.classes["spam"].f1)
    precision, recall = 2 / 3, 2 / 3
    assert report.f_beta("spam", beta=0.5) == pytest.approx(1.25 * precision * recall / (0.25 * precision + recall))
    with pytest.raises(ValueError, match="one of ham, spam"):
        report.f_beta("eggs", beta=1)


def test_tables_line_up_with_chinese_labels():
    report = classification_report([("滿意", "滿意"), ("不滿意", "滿意"), ("ok", "ok")])
    first = str(report).split("\n\n")[0].splitlines()
    assert len({width(line) for line in first}) == 1


def test_nothing_to_count():
    with pytest.raises(ValueError, match="no labels"):
        classification_report([])
    with pytest.raises(ValueError, match="none of the given ones: c"):
        classification_report([("c", "a")], labels=["a"])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", None])), min_size=1))
def test_totals_add_up(pairs):
    report = classification_report(pairs)
    assert report.total == len(pairs)
    assert report.accuracy == sum(one == other for one, other in pairs) / len(pairs)
    assert sum(scores.support for scores in report.classes.values()) == len(pairs)

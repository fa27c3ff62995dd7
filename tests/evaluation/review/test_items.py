"""What can be reviewed, and what is refused before a page is written."""

import re
import tomllib
from importlib.resources import files

import pytest

from finetune_lib.evaluation.review import REASONS, Beside, write_review
from finetune_lib.records import Message

TEXTS = tomllib.loads(files("finetune_lib.evaluation.review").joinpath("web", "texts.toml").read_text(encoding="utf-8"))
GOOD = {"tuned": "a", "base": "b"}


def test_every_problem_is_told_at_once(tmp_path):
    wrong = [
        Beside("1", "q", {"tuned": "a"}),
        Beside("2", " ", GOOD),
        Beside("3", "q", GOOD, sources={"rag": "x"}),
        Beside("4", "q", GOOD),
        Beside("4", "other", GOOD),
        Beside("5", "q", {"(sound)": "a", "base": "b"}),
    ]
    with pytest.raises(ValueError, match="cannot be reviewed") as told:
        write_review(tmp_path / "r.html", wrong, secret_home=tmp_path)
    text = str(told.value)
    for part in (
        "'1': it takes the answers of exactly two",
        "'2': the question has no text",
        "sources of rag",
        "'4' is given 2 times",
    ):
        assert part in text
    assert "(sound) and (broken) are no names" in text
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("items", [[], [Beside("1", "q", {"tuned": "same", "base": "same\r\n"})]])
def test_nothing_to_choose_between_is_refused(tmp_path, items):
    with pytest.raises(ValueError, match=r"there are none|nothing to choose between"):
        write_review(tmp_path / "r.html", items, secret_home=tmp_path)


@pytest.mark.parametrize(
    "options", [{"reviewers": ["A", " A "]}, {"reviewers": [""]}, {"reviewers": ["x" * 81]}, {"repeat_share": 0.3}]
)
def test_wrong_options_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match=r"reviewers have|repeat_share lies"):
        write_review(tmp_path / "r.html", [Beside("1", "q", GOOD)], secret_home=tmp_path, **options)


def test_a_question_is_a_text_or_a_conversation():
    turns = [Message(role="user", content="hi"), Message(role="assistant"), Message(role="user", content="退票？")]
    assert Beside("1", turns, GOOD).turns == (("user", "hi"), ("user", "退票？"))
    assert Beside("1", "退票？", GOOD).turns == (("user", "退票？"),)


def test_half_a_character_does_not_stop_the_page(tmp_path):
    path = write_review(
        tmp_path / "r.html", [Beside("1", "q\ud83d", {"tuned": "\udc00", "base": "b"})], secret_home=tmp_path
    )
    assert "�" in path.read_text(encoding="utf-8") or "?" in path.read_text(encoding="utf-8")


def test_each_language_has_all_words_and_all_places():
    english = TEXTS["en"]
    assert {f"reason_{reason}" for reason in REASONS} <= english.keys()
    for texts in TEXTS.values():
        assert texts.keys() == english.keys()
        assert len(texts["practice"]) == 2
        for name in english.keys() - {"practice"}:
            assert sorted(re.findall(r"{\w+}", texts[name])) == sorted(re.findall(r"{\w+}", english[name])), name


def test_every_word_is_used_and_every_used_word_is_there():
    folder = files("finetune_lib.evaluation.review").joinpath("web")
    code = "".join(entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name != "texts.toml")
    named = set(re.findall(r'say(?:-label)?(?:="|\(")(\w+)"', code))
    assert named <= TEXTS["en"].keys()
    unused = {name for name in TEXTS["en"] if not re.search(rf"\b{re.sub(r'^(reason|rubric)_.*', '', name)}\b", code)}
    assert unused == set()

import re
import string
import tomllib
from importlib.resources import files

import pytest

from finetune_lib.evaluation.report.views.view import report_words

FOLDER = files("finetune_lib.evaluation.report.views")
TABLES = tomllib.loads(FOLDER.joinpath("words.toml").read_text(encoding="utf-8"))
# Made of a name and an ending, or named by data: outcomes, levels of a judge, choices of an expert.
MADE_UP = re.compile(
    "(better|worse|equivalent|not_shown|cannot_tell)(_short)?|(wins|losses|ties|missing|contaminated)_counted|outcome_.*|.*_one|"
    "quality_(favours_first|favours_second|longer|shorter)|(first|second)_.*_better|tie|both_.*|skip|wrong_question|"
    "(judge|scorer)_kind|(decide|do)_(better|worse|equivalent|not_shown)"
)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_every_language_has_every_word_with_the_same_places(lang):
    english = {key: text for key, text in TABLES["en"].items() if not key.endswith("_one")}
    assert {key: fields(text) for key, text in TABLES[lang].items()} == {k: fields(t) for k, t in english.items()}
    assert [key for key, text in english.items() if report_words(lang)[key] == text] == []


def test_every_word_is_used():
    source = "".join(
        path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.name.endswith((".py", ".js"))
    )
    unused = [w for w in TABLES["en"] if not re.search(rf"[\"'.]{w}\b", source) and not MADE_UP.fullmatch(w)]
    assert unused == []


def test_the_scripts_differ():
    """No traditional character in the simplified words, nor the other way round."""
    hant, hans = ("".join(TABLES[lang].values()) for lang in ("zh-Hant", "zh-Hans"))
    assert not set("較題個結與評審類別費時間") & set(hans) - set("别")
    assert not set("较题个结与评审类费时间") & set(hant) - set("与")

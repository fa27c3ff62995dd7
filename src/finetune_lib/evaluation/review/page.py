"""The page for experts: one file that opens from an e-mail, works without a network, and does not tell who is who."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from os import PathLike
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, TypedDict
from unicodedata import normalize

from finetune_lib.evaluation.review.blinding import Hidden, conceal
from finetune_lib.evaluation.review.items import REASONS, Beside, Practice, check_items
from finetune_lib.evaluation.review.keys import SCHEMA, key_folder, key_of, secret_of
from finetune_lib.files import packaged_text, write_atomically
from finetune_lib.pages.document import digest, json_in_page
from finetune_lib.pages.markup import markup
from finetune_lib.texts.scripts import HAN, language_of

if TYPE_CHECKING:
    from finetune_lib.texts.languages import Language

SCRIPTS = ("texts", "random", "markdown", "differences", "storage", "review", "item", "screens", "keys", "main")
MOST_REPEATED, LONGEST_NAME = 0.25, 80
_HAN = re.compile(f"[{HAN}]")


class PageOptions(TypedDict, total=False):
    """What `write_review` takes besides the file, the items and the reviewers; its documentation explains it."""

    language: Language | None
    title: str | None
    guidelines: str
    reasons: Sequence[str]
    rubric: Sequence[str]
    practice: Sequence[Practice] | None
    repeat_share: float
    attention: int
    seed: int
    secret_home: str | PathLike[str] | None


def write_review(
    path: str | PathLike[str],
    items: Sequence[Beside],
    *,
    reviewers: Sequence[str] = (),
    language: Language | None = None,
    title: str | None = None,
    guidelines: str = "",
    reasons: Sequence[str] = REASONS,
    rubric: Sequence[str] = (),
    practice: Sequence[Practice] | None = None,
    repeat_share: float = 0.07,
    attention: int = 0,
    seed: int = 0,
    secret_home: str | PathLike[str] | None = None,
) -> Path:
    """Write the page on which experts compare two answers to each question, blind.

    The file holds no name of a candidate and nothing that tells them apart. What does is the key: a file of its
    own, for your eyes alone, in `reviews` of your home of finetune_lib; `collect_votes` finds it there. The same
    items make the same page again, so that nobody's work is lost when you send it twice.

    Args:
        path: The HTML file; an older one is replaced.
        items: What is compared. Where both answers are the same text, nobody is asked: it is a tie.
        reviewers: Names to choose from; anybody may type another one.
        language: The language that the page opens in; by default that of the reader's browser.
        title: What the page is called.
        guidelines: What experts should weigh, in their words; Markdown.
        reasons: Tags for what is wrong with the weaker answer: those of `REASONS` in the reader's language,
            others as they are.
        rubric: Criteria to compare the answers by, one by one; folded and optional.
        practice: Items to practise on; by default two about everyday things.
        repeat_share: Share of the items that come a second time with the sides swapped; none below ten items.
        attention: Number of further items on which one answer is plainly broken, to see who does not read.
        seed: Makes another page of the same items, with other sides and in another order.
        secret_home: Where the key is kept, instead of `FINETUNE_LIB_HOME` or `~/.finetune_lib`.

    Raises:
        ValueError: An item cannot be shown; every problem at once.

    Example:
        >>> from finetune_lib.evaluation.review import Beside, write_review
        >>> answers = [{"tuned": f"{n} days.", "base": "It depends."} for n in range(3)]
        >>> items = [Beside(str(n), "How long?", both) for n, both in enumerate(answers)]
        >>> write_review("review.html", items, reviewers=["Dr. Lin"]).name
        'review.html'
    """
    check_items(items)
    names = _names(reviewers)
    if not 0 <= repeat_share <= MOST_REPEATED:
        raise ValueError(f"repeat_share lies between 0 and {MOST_REPEATED}, not at {repeat_share}")
    folder = key_folder(secret_home)
    blind = conceal(items, secret=secret_of(folder), seed=seed, repeat_share=repeat_share, attention=attention)
    key_of(blind).save(folder)
    data = {
        "schema": SCHEMA,
        "set": blind.name,
        "core": blind.core,
        "layouts": list(map(asdict, blind.layouts)),
        "items": list(map(_item, blind.hidden)),
        "title": title,
        "language": language,
        "guidelines": _text(guidelines),
        "reviewers": names,
        "reasons": list(reasons),
        "rubric": list(rubric),
        "practice": None if practice is None else list(map(_practice, practice)),
        "texts": texts(),
    }
    return write_atomically(Path(path), [document(data, language or "en").encode("utf-8", "replace")])


def _names(reviewers: Sequence[str]) -> list[str]:
    """The names as the page will keep them."""
    names = [" ".join(normalize("NFC", name).split()) for name in reviewers]
    wrong = [name for name in names if not 0 < len(name) <= LONGEST_NAME or names.count(name) > 1]
    if wrong:
        raise ValueError(f"reviewers have different names of 1 to {LONGEST_NAME} characters, unlike {wrong}")
    return names


def _item(one: Hidden) -> Mapping[str, Any]:
    """An item without a name; sides without sources have a fold as well, were the other one to have some."""
    item = one.item
    return {
        "id": one.id,
        "question": [{"who": role, **_text(text)} for role, text in item.turns],
        "answers": [_text(item.answers[name]) for name in one.slots],
        "expected": _text(item.expected) if item.expected else None,
        "context": _text(item.context) if item.context else None,
        "sources": [_text(item.sources.get(name, "")) for name in one.slots] if item.sources else None,
    }


def _practice(one: Practice) -> Mapping[str, Any]:
    return {
        "question": [{"who": "user", **_text(one.question)}],
        "answers": [_text(one.left), _text(one.right)],
        "choice": one.choice,
        "explanation": one.explanation,
    }


def _text(text: str) -> Mapping[str, str]:
    """A text and its language, so that Han characters are shown in the forms that its readers know."""
    return {"text": text, "lang": language_of(text) or ("zh" if _HAN.search(text) else "")}


@cache
def texts() -> Mapping[str, Any]:
    """The words of the page, by language; each language has all of them."""
    return tomllib.loads(_file("texts.toml"))


def document(data: Mapping[str, Any], language: str) -> str:
    """The page around its data; the policy lets run and show only the script and the style that belong to it."""
    style, script = _file("style.css"), "\n".join(_file(f"{name}.js") for name in SCRIPTS)
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest(script)}'; style-src 'sha256-{digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = markup(data["title"] or data["texts"][language]["title"])
    places = {"language": language, "title": title, "policy": policy, "style": style, "script": script}
    return Template(_file("page.html")).substitute(places, data=json_in_page(data))


def _file(name: str) -> str:
    return packaged_text("finetune_lib.evaluation.review", "web", name)

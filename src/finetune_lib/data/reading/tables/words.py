"""Which of our words stand in a column's name, who a speaker's name is, and whether a text asks; pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal

from finetune_lib.data.reading.tables.headers import REMARK, folded
from finetune_lib.files import packaged_text

Role = Literal["user", "assistant", "system"]
ROLES: tuple[Role, ...] = ("user", "assistant", "system")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
LATIN = re.compile(r"[a-z]+")
BEHIND_A_NAME = re.compile(r"[\s\d_\-#.、:：()（）\[\]【】]+$")


def is_named(name: str, kind: str) -> bool:
    """Whether a word of this list stands in a column's name."""
    return last_place(name, kind) >= 0


@lru_cache(maxsize=4096)
def last_place(name: str, kind: str) -> int:
    """Where the last word of this list ends in a column's name; -1 where there is none."""
    text = HUMP.sub(" ", folded_name(name, keep_case=True)).casefold()
    latin = f" {' '.join(LATIN.findall(text))} "
    return max((_end(text, latin, word) for word in _table()["name"][kind]), default=-1)


def _end(text: str, latin: str, word: str) -> int:
    if word.isascii():
        found = latin.rfind(f" {word} ")
        return found + len(word) if found >= 0 else -1
    if word.endswith("$"):
        return len(text) if text.endswith(word[:-1]) else -1
    found = text.rfind(word)
    return found + len(word) if found >= 0 else -1


def folded_name(name: str, *, keep_case: bool = False) -> str:
    """A column's name without the remark in brackets behind it."""
    text = unicodedata.normalize("NFKC", name).strip()
    bare = REMARK.sub("", text).strip() or text
    return bare if keep_case else folded(bare)


def asks(text: str) -> bool:
    """Whether a text reads as a question."""
    return bool(_asking().search(text))


def role_of(name: object, told: Mapping[str, str] | None = None) -> str | None:
    """Who speaks under this name: as told, else by our words; None where they do not tell."""
    text = str(name).strip()
    if told and (text in told or folded(text) in map(folded, told)):
        return told.get(text) or next(role for key, role in told.items() if folded(key) == folded(text))
    return _speakers().get(speaker_key(text))


def is_speaker(name: str, told: Mapping[str, str] | None = None) -> bool:
    """Whether somebody who speaks is called so, though perhaps on either side."""
    return role_of(name, told) is not None or speaker_key(name) in _table()["speaker"]["unsure"]


@lru_cache(maxsize=4096)
def speaker_key(name: str) -> str:
    """A speaker's name as it is looked up: `客服 2` and `客服：` are 客服."""
    return BEHIND_A_NAME.sub("", unicodedata.normalize("NFKC", name).strip().casefold())


def short_speakers() -> Sequence[str]:
    """The names of speakers that are known, longest first."""
    return sorted(_speakers(), key=len, reverse=True)


@cache
def _speakers() -> Mapping[str, Role]:
    return {word: role for role in ROLES for word in _table()["speaker"][role]}


@cache
def _asking() -> re.Pattern[str]:
    table = _table()["asking"]
    plain = "|".join(map(re.escape, [*table["marks"], *table["chinese"]]))
    return re.compile(rf"{plain}|\b(?:{'|'.join(table['words'])})\b", re.IGNORECASE)


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(packaged_text("finetune_lib.data.reading.tables", "words.toml"))

"""A whole conversation in one text: who speaks, a colon, and what is said; pure.

Speakers stand at the beginnings of lines; where the text is one line, before the known short names of speakers.
A time before a name is no part of it, and a line without a speaker goes on with what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from finetune_lib.data.reading.tables.words import role_of, short_speakers

STAMP = re.compile(
    r"\s*[\[(（]?(?:\d{2,4}[-/.]\d{1,2}[-/.]\d{1,2}[ T,]*)?(?:[上下]午\s*)?"
    r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*[APap][Mm])?[\])）]?\s*[-–]?\s*"
)
LINE = re.compile(
    r"\s*[【\[(（]?([^\s:：,，。\[\]【】()（）][^:：,，。\n\[\]【】()（）]{0,23}?)[】\])）]?\s*[:：]\s*(.*)",
    re.DOTALL,
)


def turns_in(text: str, roles: Mapping[str, str] | None = None) -> list[tuple[str, str]] | None:
    """The turns of a transcript as pairs of role and text; None where it does not begin with a known speaker.

    Args:
        text: The transcript.
        roles: Speakers that the user names.
    """
    turns: list[list[str]] = []
    for line in _lines(text, roles):
        speaker, said = speaker_of(line)
        role = role_of(speaker, roles) if speaker else None
        if role:
            turns.append([role, said])
        elif turns:
            turns[-1][1] += "\n" + line
        elif line.strip():
            return None
    return [(role, said.strip()) for role, said in turns]


def speakers_in(text: str, roles: Mapping[str, str] | None = None) -> Sequence[str]:
    """The known speakers of a transcript in their order, each as often as they speak."""
    return [role for line in _lines(text, roles) if (name := speaker_of(line)[0]) and (role := role_of(name, roles))]


def names_in(text: str) -> Sequence[str]:
    """Whatever stands before a colon at the beginnings of a transcript's lines."""
    return [name for line in text.splitlines() if (name := speaker_of(line)[0])]


def speaker_of(line: str) -> tuple[str, str]:
    """What stands before the colon of a line, if that may be a name, and what is behind it."""
    stamp = STAMP.match(line)
    match = LINE.fullmatch(line, stamp.end() if stamp else 0)
    return (match[1], match[2]) if match else ("", line)


def _lines(text: str, roles: Mapping[str, str] | None) -> Sequence[str]:
    text = text.replace("\r\n", "\n").strip()
    if "\n" not in text:
        text = _inline(tuple(roles or ())).sub(r"\n\1\2", text).strip()
    return text.split("\n")


@lru_cache(maxsize=16)
def _inline(told: Sequence[str]) -> re.Pattern[str]:
    """Known speakers inside a line, each with its colon."""
    names = "|".join(map(re.escape, [*told, *short_speakers()]))
    return re.compile(rf"\s*(?<!\w)({names})(\s*[:：])", re.IGNORECASE)

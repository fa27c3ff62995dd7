r"""LaTeX whose backslash JSON took for an escape: `\theta` became a tab and `heta`, `\frac` a form feed and `rac`.

JSON reads `\b`, `\f`, `\n`, `\r` and `\t` as characters, so a formula that was pasted into a file without doubling
its backslashes is valid JSON and says something else. A backspace or a form feed before the rest of a command is
hardly anything else; a tab or a line break is taken for it before a rest that is no word, and in a formula before any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from finetune_lib.data.checks.form import characters

LETTERS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
# What is left of commands and is no word, and what is left of those that take braces.
RESTS = {"n": "abla|eq|otin|subseteq", "r": "ho|ightarrow", "t": "imes|heta|herefore|riangle"}
BRACED = {"r": "m", "t": "ext(?:bf|it|rm|tt)?|frac|binom|ilde"}
# What is left of commands and may be a word, or a letter that begins a line.
IN_FORMULA = {
    "n": "u|e|i|ot|eg|mid|less|exists|parallel|cong|leq|geq|earrow|warrow",
    "r": "angle|floor|ceil|ight",
    "t": "o|au|an|anh|op|hinspace",
}
_SURE = "|".join(
    [f"\\{key}(?:{rests})(?![A-Za-z])" for key, rests in RESTS.items()]
    + [rf"\{key}(?:{rests})(?=\{{)" for key, rests in BRACED.items()]
    + [r"\right(?=[)\]}|.])"]
)
_ANY = "|".join([f"\\{key}(?:{rests})(?![A-Za-z])" for key, rests in IN_FORMULA.items()])
_COMMAND = re.compile(rf"[\b\f](?=[a-z]+[{{$\\^_])|{_SURE}")
_POSSIBLE = re.compile(rf"[\b\f][a-z]|{_SURE}|{_ANY}")
_COMMAND_IN_FORMULA = re.compile(rf"[\b\f](?=[a-z])|{_SURE}|{_ANY}")
# As Pandoc tells formulas from amounts: no blank inside the signs, no digit behind them.
_FORMULA = re.compile(r"\$\$[^$]+\$\$|\$(?! )[^$\n]*(?:\n(?!\n)[^$\n]*)*(?<! )\$(?!\d)")
_BROKEN_LINE = re.compile(rf"\n(?:{RESTS['n']}|{IN_FORMULA['n']})(?![A-Za-z])")
_COMMAND_KEPT = re.compile(r"\\[A-Za-z]")
_COMMAND_NAME = re.compile("[a-zA-Z]+")


def is_likely(text: str) -> bool:
    """Whether a text needs a look: nearly none does, and this costs it little."""
    return "\t" in text or "\r" in text or "\f" in text or "\b" in text or _BROKEN_LINE.search(text) is not None


def eaten(text: str) -> list[int]:
    """Where characters stand that were the beginning of a command."""
    if not _POSSIBLE.search(text):
        return []
    return sorted({*(match.start() for match in _COMMAND.finditer(text)), *_in_formulas(text)})


def _in_formulas(text: str) -> Iterator[int]:
    """What only a formula tells; none where commands have their backslash, as a file that was eaten has none left."""
    for formula in _FORMULA.finditer(text) if "$" in text and not _COMMAND_KEPT.search(text) else ():
        yield from (match.start() for match in _COMMAND_IN_FORMULA.finditer(text, formula.start(), formula.end()))


def restored(text: str) -> str:
    """The text with the backslashes of its commands."""
    places = set(eaten(text))
    return "".join(f"\\{LETTERS[c]}" if place in places else c for place, c in enumerate(text)) if places else text


def without_controls(text: str) -> str:
    """The text without control characters, but for those that are what is left of a command."""
    ends = [-1, *eaten(text), len(text)]
    return "".join(text[a : a + 1] * (a >= 0) + characters.without_controls(text[a + 1 : b]) for a, b in pairwise(ends))


def command_at(text: str, place: int) -> tuple[str, str]:
    """The command that was meant, and what is left of it."""
    rest = _COMMAND_NAME.match(text, place + 1)
    left = rest[0] if rest else ""
    return f"\\{LETTERS[text[place]]}{left}", left

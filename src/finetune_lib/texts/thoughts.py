"""What a model thought before it answered, and the answer, where both stand in one text; pure."""

from __future__ import annotations

import re
from typing import NamedTuple

TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think")
PAIRS = [
    *((rf"<{tag}>", rf"</{tag}>") for tag in TAGS),
    (r"\[THINK\]", r"\[/THINK\]"),
    ("◁think▷", "◁/think▷"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|channel>thought\n", r"<channel\|>"),
    ("Here is my thought process:", "Here is my response:"),
]
OPENED = [(re.compile(rf"\s*{begin}", re.IGNORECASE), re.compile(end, re.IGNORECASE)) for begin, end in PAIRS]
# Chat templates often end with the tag that opens, so that the text has only the one that closes, at a line's end.
CLOSED = re.compile(r"(?:</(?:think|thinking|thought|seed:think)>|\[/THINK\]|◁/think▷)[ \t]*(?:\n|\Z)", re.IGNORECASE)
# Around an answer, and only behind a thought: else a text may speak of such tags.
WRAPPED = [
    re.compile(rf"\s*{begin}(?P<answer>.*?)(?:{end}\s*)?\Z", re.DOTALL | re.IGNORECASE)
    for begin, end in (
        ("<answer>", "</answer>"),
        (r"<\|begin_of_solution\|>", r"<\|end_of_solution\|>"),
        (r"<\|START_RESPONSE\|>", r"<\|END_RESPONSE\|>"),
    )
]
# The channels of gpt-oss, and what is left of them where the marks between are not shown.
CHANNELS = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>")
CHANNEL = re.compile(
    r"<\|channel\|>(?P<name>\w+)[^<]*(?:<\|constrain\|>\w*)?<\|message\|>(?P<said>.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
BARE_CHANNELS = re.compile(r"analysis(?P<thought>.*?)assistantfinal(?P<answer>.*)", re.DOTALL)


class Parted(NamedTuple):
    """A thought and an answer; either may be empty."""

    reasoning: str
    answer: str


def parted(text: str) -> Parted:
    """The thought at the start of a text, and the answer behind it; a thought without an end leaves no answer.

    Example:
        >>> parted("<think>8 groups of 9.</think>72")
        Parted(reasoning='8 groups of 9.', answer='72')
        >>> parted("<think>8 groups of")
        Parted(reasoning='8 groups of', answer='')
    """
    if CHANNELS.match(text):
        return _by_channel(text)
    if bare := BARE_CHANNELS.fullmatch(text):
        return Parted(bare["thought"].strip(), bare["answer"].strip())
    thoughts: list[str] = []
    rest = text
    while found := _first_thought(rest, begun=bool(thoughts)):
        thoughts.append(found.reasoning)
        rest = found.answer
    if not thoughts:
        return Parted("", text)
    wrapped = next((match for pattern in WRAPPED if (match := pattern.fullmatch(rest))), None)
    return Parted("\n\n".join(filter(None, thoughts)), (wrapped["answer"] if wrapped else rest).strip())


def _first_thought(text: str, *, begun: bool) -> Parted | None:
    for opens, closes in OPENED:
        if begin := opens.match(text):
            end = closes.search(text, begin.end())
            thought = text[begin.end() : end.start() if end else None].strip()
            return Parted(thought, text[end.end() :] if end else "")
    end = None if begun else CLOSED.search(text)
    if end is None or any(opens.search(text, 0, end.start()) for opens, _ in OPENED):
        return None
    return Parted(text[: end.start()].strip(), text[end.end() :])


def _by_channel(text: str) -> Parted:
    said = [(match["name"], match["said"].strip()) for match in CHANNEL.finditer(text)]
    thought = "\n\n".join(words for name, words in said if name != "final" and words)
    return Parted(thought, "\n\n".join(words for name, words in said if name == "final"))

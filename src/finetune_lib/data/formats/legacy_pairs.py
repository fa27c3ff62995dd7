"""Separators of the old completion models, taken off again: ` ->` behind prompts, ` END` behind completions.

OpenAI's removed `prepare_data` appended them to every row and put a space before each completion, because its models
had no other sign of where a prompt ends (openai-python, `_validators.py`, removed in 3.14.1). Chat models have, and
would learn to write them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, overload

from finetune_lib.data.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin

TRIED = 200
FEWEST = 3
MOST_LACKING = 0.1
PROMPT_END = re.compile(r"[ \n]*(?:[#=*~-]{3,}|[=-]{1,4}>|#{2,} ?=>)[ \n]*\Z")
COMPLETION_END = re.compile(
    r"(?:[ \n]+END|[ \n]*(?:\[END\]|\[DONE\]|###+|\*\*\*|\+\+\+|&&&|\$\$\$|@@@|%%%|<\|endoftext\|>|</s>)\n*|\n+)\Z"
)


@dataclass(frozen=True, slots=True)
class Separators:
    """What ends each prompt, and what begins and ends each completion."""

    prompt_end: str = ""
    completion_start: str = ""
    completion_end: str = ""

    def __bool__(self) -> bool:
        return bool(self.prompt_end or self.completion_start or self.completion_end)

    def __str__(self) -> str:
        prompt = f'prompt "…{_escaped(self.prompt_end)}"' if self.prompt_end else ""
        start = f'"{_escaped(self.completion_start)}…"' if self.completion_start else ""
        end = f'"…{_escaped(self.completion_end)}"' if self.completion_end else ""
        completion = " ".join(filter(None, ["completion" if start or end else "", start, end]))
        return ", ".join(filter(None, [prompt, completion]))

    def on(self, example: Example) -> bool:
        """Whether a row has them all."""
        prompt, completion = _pair(example)
        whole = completion.startswith(self.completion_start) and completion.endswith(self.completion_end)
        return prompt.endswith(self.prompt_end) and whole

    def taken_off(self, example: Example) -> Example:
        """The row without them, as far as it has them."""
        prompt, completion = _pair(example)
        bare = completion.removesuffix(self.completion_end).removeprefix(self.completion_start)
        data = {**example.data, "prompt": prompt.removesuffix(self.prompt_end), "completion": bare}
        return replace(example, data=data)


class Undone(Sequence[Example]):
    """Pairs whose separators are taken off when they are looked at."""

    def __init__(self, examples: Sequence[Example], separators: Separators) -> None:
        self._examples, self._separators = examples, separators

    def __len__(self) -> int:
        return len(self._examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        if isinstance(index, slice):
            return Undone(self._examples[index], self._separators)
        return self._mended(self._examples[index])

    def __iter__(self) -> Iterator[Example]:
        return map(self._mended, self._examples)

    def _mended(self, example: Example) -> Example:
        return self._separators.taken_off(example) if _is_pair(example) else example


def undo_separators(examples: Sequence[Example]) -> tuple[Sequence[Example], Diagnostic | None]:
    """Take off what all pairs have for the sake of the old models alone.

    Nothing is taken off unless nine in ten pairs have the same, and no natural text counts: only signs that those
    models' guides named, and the space before every completion.

    Args:
        examples: Rows of a file; those that are no pairs of texts stay as they are.

    Returns:
        The rows without separators, and the note that says which they were (T270; T271 where some rows lack them);
        the same rows and None where there are none.
    """
    separators = separators_in(examples)
    if not separators:
        return examples, None
    lacking: list[Origin] = []
    pairs = 0
    for example in examples:
        if _is_pair(example):
            pairs += 1
            if not separators.on(example):
                lacking.append(example.origin)
    if len(lacking) > pairs * MOST_LACKING:
        return examples, None
    return Undone(examples, separators), _note(separators, examples[0].origin, lacking, pairs)


def separators_in(examples: Iterable[Example]) -> Separators:
    """The separators that the first pairs have, if they have any."""
    return _found([example for example in islice(examples, TRIED) if _is_pair(example)])


def _note(separators: Separators, first: Origin, lacking: Sequence[Origin], pairs: int) -> Diagnostic:
    removed = str(separators)
    if not lacking:
        return diagnose("T270", Origin(first.source), removed=removed, count=pairs)
    related = tuple(lacking[1:5])
    return diagnose("T271", lacking[0], related=related, removed=removed, count=len(lacking), pairs=pairs)


def _found(pairs: Sequence[Example]) -> Separators:
    if len(pairs) < FEWEST:
        return Separators()
    prompts = [_pair(example)[0] for example in pairs]
    completions = [_pair(example)[1] for example in pairs]
    start = " " if sum(map(_spaced, completions)) >= len(completions) * (1 - MOST_LACKING) else ""
    separators = Separators(_shared(prompts, PROMPT_END), start, _shared(completions, COMPLETION_END))
    signs = separators.prompt_end or separators.completion_end.strip()
    return separators if signs or (separators.completion_start and all(map(_spaced, completions))) else Separators()


def _spaced(text: str) -> bool:
    return text.startswith(" ") and not text.startswith("  ")


def _shared(texts: Sequence[str], pattern: re.Pattern[str]) -> str:
    """The ending that nearly all texts have, among those that a pattern knows."""
    find: Callable[[str], re.Match[str] | None] = pattern.search
    ends = Counter(match[0] for text in texts if (match := find(text[-40:])))
    end, count = ends.most_common(1)[0] if ends else ("", 0)
    return end if count >= len(texts) * (1 - MOST_LACKING) else ""


def _is_pair(example: Example) -> bool:
    texts = example.data.get("prompt"), example.data.get("completion")
    return example.kind == "completion" and all(isinstance(text, str) for text in texts)


def _pair(example: Example) -> tuple[Any, Any]:
    return example.data["prompt"], example.data["completion"]


def _escaped(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t")

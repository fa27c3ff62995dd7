"""Which of the known labels an answer means; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from finetune_lib.evaluation.scorers.negation import affirmed, negated
from finetune_lib.evaluation.scorers.normalising import ScriptPolicy, bounded, normalised, plain
from finetune_lib.texts.json_values import json_in
from finetune_lib.texts.scripts import HAN

AROUND = " \t\r\n\"'`*_~#()[]{}<>.,:;!?-–—「」『』【】《》〈〉“”‘’、。…"
MARKER = re.compile(
    r"(?:\\boxed|\b(?:answer|label|class|category|choice|option|verdict|classification|prediction|result)s?\b(?:\s+is)?"
    r"|答案|標籤|标签|類別|类别|分類|分类|選項|选项|選擇|选择|結果|结果|判斷|判断|答|選|选)"
    r"\s*(?:is|[為为是]|应为|應為)?\s*[:=]?\s*",
    re.IGNORECASE,
)
QUOTED = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|\"([^\"]+)\"|「([^」]+)」|『([^』]+)』|【([^】]+)】|“([^”]+)”")
HAN_CHARACTER = re.compile(f"[{HAN}]")
# What is at most taken for a label where none is known: characters, words, Chinese characters.
LONGEST, MOST_WORDS, MOST_CJK = 30, 3, 8
# A capital letter by itself; A and I are words before another one.
LETTER = re.compile(
    r"(?<![\w'’])(?!(?:A|I)['’]|(?:A|I) (?!(?:or|and|nor|is|because|since)\b)[a-z])[A-Z](?!['’]?[A-Za-z0-9])"
)
# Another letter or digit behind the first: "A or B".
OTHER = re.compile(r"[)\]]?\s*(?:[,/、&或和與与及]|\b(?:or|and)\b)\s*[(\[]?([a-z0-9])(?![^\W_])", re.IGNORECASE)


class Meant(NamedTuple):
    """The label, or None and why there is none."""

    label: str | None
    reason: str = ""


class Labels:
    """The labels of a classification, and how they are found in a text.

    Args:
        labels: The labels as results show them.
        aliases: Other names for each label, in the order of the labels; None where there are none.
        field: The field of a JSON answer that has the label; None takes whichever field has one.
        letters: Whether A, B, C … mean the first, second, third … label.
        script: "same" takes simplified and traditional characters for the same.

    Raises:
        ValueError: There is no label, an empty one, or two that do not differ.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        aliases: Sequence[Sequence[str]] | None = None,
        field: str | None = None,
        letters: bool = False,
        script: ScriptPolicy | None = None,
    ) -> None:
        self._field = field
        self._script: ScriptPolicy | None = script
        self._known = {self._form(label): label for label in labels}
        several = len(self._known) < len(labels)
        for label, others in zip(labels, aliases or (), strict=False):
            several |= any(self._known.setdefault(self._form(other), label) != label for other in others)
        if several or not labels or "" in self._known:
            raise ValueError(f"labels are texts that differ by more than case, width and space, not {list(labels)!r}")
        if letters:
            self._known = {chr(97 + place): label for place, label in enumerate(labels[:26])} | self._known
        longest_first = sorted(self._known, key=len, reverse=True)
        self._within = re.compile("|".join(map(bounded, longest_first)))
        self._short = frozenset(form for form in self._known if len(form) == 1 and form.isascii())

    def meant(self, text: str) -> Meant:
        """The label: all that the answer says, in a JSON field, behind "answer:", in quotes, or within a sentence."""
        if label := self.exact(text):
            return Meant(label)
        said, is_json = self._of_json(text)
        if is_json:
            return said
        for found in (self._marked(text), self._quoted(text), self._mentioned(text)):
            if found:
                return self._one(found)
        return Meant(None, "no label in the answer")

    def all_meant(self, text: str) -> tuple[frozenset[str], str]:
        """All labels that an answer gives, and why there is none: of a JSON list, behind "labels:", or within words."""
        if label := self.exact(text):
            return frozenset({label}), ""
        given = self._listed(text)
        if given is not None:
            labels = [self.exact(entry) for entry in given]
            unknown = [entry for entry, label in zip(given, labels, strict=True) if label is None]
            told = f"{', '.join(unknown)} is no label" if unknown else "" if labels else "no label in the answer"
            return frozenset() if unknown else frozenset(filter(None, labels)), told
        found = self._marked(text) or self._mentioned(text)
        return frozenset(found), "" if found else "no label in the answer"

    def within_cut(self, label: str, text: str) -> bool:
        """Whether a text that was cut off ends in a label which may be the beginning of another one."""
        end = normalised(text, script=self._script)
        ends = [form for form, known in self._known.items() if known == label and end.endswith(form)]
        return any(other != form and other.startswith(form) for form in ends for other in self._known)

    def sole(self, text: str) -> Meant:
        """What an answer is that may be any label: nothing else must be in it, but a field of JSON."""
        said, is_json = self._of_json(text)
        if label := self.exact(text) or said.label:
            return Meant(label)
        if not is_json and _short_enough(bare := _bare(text)):
            return Meant(bare, "another label")
        return Meant(None, "the answer is no label alone: tell the scorer all labels to look for one in it")

    def exact(self, text: str) -> str | None:
        """The label that a text is, whatever quotes and full stops are around it."""
        return self._known.get(self._form(text)) or self._known.get(self._form(_bare(text)))

    def _form(self, text: str) -> str:
        return _bare(normalised(text, script=self._script)) or normalised(text)

    def _of_json(self, text: str) -> tuple[Meant, bool]:
        """The label of a JSON object, and whether the answer is one."""
        try:
            value = json_in(text)
        except ValueError:
            return Meant(None), False
        if not isinstance(value, dict):
            return Meant(None), False
        given = cast("dict[str, Any]", value)
        if self._field is not None:
            label = self.exact(_text(given.get(self._field, "")))
            return Meant(label, "" if label else f"field {self._field} has no label"), True
        found = {label for entry in given.values() if (label := self.exact(_text(entry)))}
        return self._one(found) if found else Meant(None, "no field of the JSON has a label"), True

    def _listed(self, text: str) -> list[str] | None:
        """The texts of a JSON list, or of the lists and texts in an object; None where the answer is neither."""
        try:
            value = json_in(text)
        except ValueError:
            return None
        if isinstance(value, dict):
            named = cast("dict[str, Any]", value)
            fields = [named.get(self._field)] if self._field is not None else list(named.values())
            value = [entry for one in fields for entry in (cast("list[Any]", one) if isinstance(one, list) else [one])]
        elif not isinstance(value, list) or not all(isinstance(one, str) for one in cast("list[Any]", value)):
            return None
        return [_text(entry) for entry in cast("list[Any]", value) if self._field or isinstance(entry, str)]

    def _marked(self, text: str) -> set[str]:
        """Behind the last "answer:"; all labels there up to the end of the line, for "answer: A or B" is none."""
        ends = [match.end() for match in MARKER.finditer(text) if not negated(text, match.start())]
        rest = (text[end:].partition("\n")[0] for end in reversed(ends))
        return next((found for line in rest if (found := self._at_start(line))), set[str]())

    def _at_start(self, line: str) -> set[str]:
        form = _bare(normalised(line, script=self._script))
        first = self._within.match(form)
        if not first or (first[0] in self._short and not _by_itself(form)):
            return set()
        rest = form[first.end() :]
        other = OTHER.match(rest) if first[0] in self._short else None
        more = other and other[1] in self._short and _by_itself(rest[other.start(1) :])
        return {self._known[first[0]], *self._mentions(rest)} | ({self._known[other[1]]} if other and more else set())

    def _quoted(self, text: str) -> set[str]:
        found = affirmed(text, QUOTED.finditer(text))
        parts = (next(part for part in match.groups() if part) for match in found)
        return {label for part in parts if (label := self.exact(part))}

    def _mentioned(self, text: str) -> set[str]:
        """At the start as "B." or "(B)", else wherever they are; letters only as capitals by themselves."""
        form = normalised(text, script=self._script)
        lettered = re.match(r"[(\[]?([a-z0-9])[)\].:、](?=\s|$|\W|[\u3400-\u9fff])", form)
        if lettered and lettered[1] in self._short:
            return {self._known[lettered[1]]}
        return self._mentions(form) or self._letters(text)

    def _mentions(self, form: str) -> set[str]:
        found = (match for match in self._within.finditer(form) if match[0] not in self._short)
        return {self._known[match[0]] for match in affirmed(form, found)}

    def _letters(self, text: str) -> set[str]:
        plain_text = plain(text)
        found = affirmed(plain_text, LETTER.finditer(plain_text))
        return {self._known[match[0].lower()] for match in found if match[0].lower() in self._short}

    def _one(self, found: set[str]) -> Meant:
        if len(found) == 1:
            return Meant(next(iter(found)))
        return Meant(None, f"{len(found)} labels in the answer: {', '.join(sorted(found))}")


def _by_itself(text: str) -> bool:
    """Whether what it begins with is a letter or digit and no word: "a dog" begins with one."""
    return text[:1].isdigit() or LETTER.match(text[:1].upper() + text[1:]) is not None


def _bare(text: str) -> str:
    """A text without quotes and full stops around it; the minus of a number stays."""
    bare = text.strip(AROUND)
    sign = text[: text.find(bare)][-1:]
    return f"-{bare}" if sign == "-" and bare[:1].isdigit() else bare


def _short_enough(text: str) -> bool:
    few = len(text.split()) <= MOST_WORDS and len(HAN_CHARACTER.findall(text)) <= MOST_CJK
    return 0 < len(text) <= LONGEST and "\n" not in text and few


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)

"""The one entry to all checks of a row's form, and to what is gathered of the form over all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from finetune_lib.data.checks.form import chat, pairs, preference
from finetune_lib.data.checks.form.foreign import ForeignRows
from finetune_lib.data.checks.form.formats import MixedFormats
from finetune_lib.data.checks.form.images import ImageExamples
from finetune_lib.data.checks.form.preference import LengthBias
from finetune_lib.data.checks.form.reinforcement import UnevenFields, check_fields
from finetune_lib.data.checks.form.structure import meant_key
from finetune_lib.data.checks.form.texts import text_findings
from finetune_lib.data.checks.form.tools import SomeTools
from finetune_lib.data.checks.rules import PAIR_KEYS, PREFERENCE_KEYS, Rules, form_of
from finetune_lib.data.checks.survey import FormSurvey
from finetune_lib.data.diagnostics import Diagnostic, diagnose, is_error
from finetune_lib.records import Example
from finetune_lib.rows.messages import fields_of, message_lists

FORMAT_KEYS = frozenset({"messages"}) | PREFERENCE_KEYS | PAIR_KEYS


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """Every finding about the form of one row, its texts included, each weighed as the target does."""
    for finding in _found(example, rules):
        if weighed := rules.weigh(finding):
            yield weighed


def first_error(example: Example) -> str | None:
    """The code of the first error of a row by itself, whoever trains on it; None of a sound one."""
    return next((finding.code for finding in check(example, Rules()) if is_error(finding)), None)


def check_texts(example: Example) -> Iterator[Diagnostic]:
    """What the texts of a plain chat say (`plain_chat.is_plain`): all that `check` would find of such a row."""
    for place, message in enumerate(example.data["messages"]):
        path, role = f"/messages/{place}/content", message["role"]
        yield from text_findings(message["content"], path, example.origin, role=role, empty=None)


def surveys(rules: Rules) -> tuple[FormSurvey, ...]:
    """What is gathered over all rows."""
    more: tuple[FormSurvey, ...] = ()
    if rules.method == "reinforcement":
        more += (UnevenFields(),)
    if rules.method == "dpo":
        more += (LengthBias(),)
    if rules.profile.image_examples:
        more += (ImageExamples(),)
    return (ForeignRows(), MixedFormats(rules), SomeTools(), *more)


def _found(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    form = form_of(example.data, rules)
    if form == "unknown":
        yield from _unknown(example)
    elif form not in rules.kinds:
        given: dict[str, Any] = {"method": rules.method, "target": rules.name, "wanted": rules.kinds[0]}
        yield diagnose("P605", example.origin, kind=form, remedy=rules.remedy(form), **given)
        for path, text in _texts(example.data):
            yield from text_findings(text, path, example.origin, role="", empty=None)
    else:
        yield from CHECKS[form](example, rules)
        yield from check_fields(example, rules)


def _texts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a row of another method, each with its place: they are the same once the row is converted."""
    told = [(f"/{key}", data.get(key)) for key in ("prompt", "completion", "text")]
    for path, messages in message_lists(data):
        told += [(f"{path}/{place}/content", fields_of(one).get("content")) for place, one in enumerate(messages)]
    yield from ((path, text) for path, text in told if isinstance(text, str))


CHECKS = {"chat": chat.check, "completion": pairs.check, "text": pairs.check_text, "preference": preference.check}


def _unknown(example: Example) -> Iterator[Diagnostic]:
    """A row of no known format: a misspelt key is named where there is one, and its texts are looked at."""
    for key, text in example.data.items():
        if isinstance(text, str):
            yield from text_findings(text, f"/{key}", example.origin, role=str(key), empty=None)
    misspelt = False
    for key in example.data:
        if key not in FORMAT_KEYS and (meant := meant_key(str(key), FORMAT_KEYS, example.data)):
            misspelt = True
            yield diagnose("S302", example.origin, f"/{key}", key=key, meant=meant)
    if not misspelt:
        yield diagnose("S317", example.origin, keys=", ".join(map(str, example.data)) or "none")

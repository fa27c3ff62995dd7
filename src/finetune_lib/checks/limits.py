"""Limits of the platform and the model: examples, tokens, and the dates after which nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from finetune_lib import catalog
from finetune_lib.checks.rules import MINIMUM_EXAMPLES, Rules
from finetune_lib.diagnostics import Diagnostic, diagnose
from finetune_lib.records import Example, Origin, conversation
from finetune_lib.tokens import counter_for


def size(examples: int, source: str, rules: Rules) -> Iterator[Diagnostic]:
    """Too few examples, and a model whose tokens can only be estimated."""
    if examples < MINIMUM_EXAMPLES:
        missing = MINIMUM_EXAMPLES - examples
        yield diagnose("K701", Origin(source), examples=examples, minimum=MINIMUM_EXAMPLES, missing=missing)
    if rules.model and catalog.find(rules.model) is None:
        yield diagnose("K708", Origin(source), model=rules.model)


def platform(rules: Rules, today: date) -> Iterator[Diagnostic]:
    """The announced end of a model's training, a warning before the day and an error from it on."""
    facts = catalog.find(rules.model) if rules.model else None
    if rules.target != "openai" or facts is None or facts.last_new_job is None:
        return
    closed = today >= facts.last_new_job
    what = f"OpenAI {'takes' if closed else 'will take'} no new job on {rules.model} from {facts.last_new_job}"
    finding = diagnose("K709", Origin(str(rules.model)), what=f"{what}; its fine-tunes stop on {facts.shutdown}")
    yield replace(finding, severity="error" if closed else "warning")


def tokens(example: Example, rules: Rules) -> int:
    """Tokens of a sound example as it is trained on, its tools included."""
    tools = example.data.get("tools")
    return counter_for(rules.model).example(
        conversation(example.data), json.dumps(tools, ensure_ascii=False, default=repr) if tools else ""
    )


def too_long(counted: Iterable[tuple[Example, int]], rules: Rules) -> Iterator[Diagnostic]:
    """Examples with more tokens than the model learns of one."""
    facts = catalog.find(rules.model) if rules.model else None
    for example, count in counted if facts else ():
        if facts and count > facts.training_limit:
            given = {"tokens": count, "limit": facts.training_limit, "model": rules.model}
            yield diagnose("K702", example.origin, "/messages", **given)

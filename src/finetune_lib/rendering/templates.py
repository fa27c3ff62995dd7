"""Chat templates as text: the changes that make one say exactly what is wanted, and templates for bases without one.

A change is written into the template itself, so that every server that reads the saved folder sends the same prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Final

CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + (message['content'] or '') "
    "+ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3: Final = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"
    "{{ (message['content'] or '') | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
# Offered by name to a base that has none.
NAMED: Final[Mapping[str, str]] = {"chatml": CHATML, "llama3": LLAMA3}

# After a block a newline of the template's own would be swallowed; after this it is not.
CLOSED: Final = "{{- '' }}"
CLOCK = re.compile(r"strftime_now\(\s*([\"'])(?P<form>[^\"']*)\1\s*\)")

_PARTS: Final = (
    "{%- set shaped = namespace(messages=[]) -%}{%- for message in messages -%}"
    "{%- if message.content is string -%}{%- set shaped.messages = shaped.messages + "
    "[dict(message, content=[{'type': 'text', 'text': message.content}])] -%}"
    "{%- else -%}{%- set shaped.messages = shaped.messages + [message] -%}{%- endif -%}"
    "{%- endfor -%}{%- set messages = shaped.messages -%}"
)
_MERGED: Final = (
    "{%- if messages | length > 1 and messages[0].role == 'system' and messages[1].role == 'user' -%}"
    "{%- set messages = [dict(messages[1], content=messages[0].content + '\\n\\n' + messages[1].content)] "
    "+ messages[2:] -%}{%- endif -%}"
)


def with_parts(template: str) -> str:
    """For templates of models that see: text stands in a list of parts, else they walk its characters."""
    return _PARTS + CLOSED + template


def with_merged_system(template: str) -> str:
    """For templates that refuse or drop the system message: it begins the first user message."""
    return _MERGED + CLOSED + template


def with_switch(template: str, name: str) -> str:
    """With a switch of the template off unless the caller says otherwise, as `enable_thinking`."""
    return f"{{%- set {name} = {name} | default(false) -%}}{CLOSED}{template}"


def with_prompt(template: str, *, cut: int, bridge: str) -> str:
    """With another end of the prompt for the answer: `cut` characters less, and `bridge` behind it."""
    body = template.removesuffix("\n")  # as the end of a template loses it
    kept = f"rendered[:-{cut}]" if cut else "rendered"
    return (
        f"{{%- set rendered %}}{CLOSED}{body}{{{{ '' -}}}}{{%- endset %}}"
        f"{{%- if add_generation_prompt -%}}{{{{- {kept} + {json.dumps(bridge, ensure_ascii=False)} -}}}}"
        "{%- else -%}{{- rendered -}}{%- endif -%}"
    )


def with_day(template: str, day: date) -> str:
    """With the day in place of the clock: what was trained on one day is asked so on all others."""
    return CLOCK.sub(lambda found: json.dumps(day.strftime(found["form"])), template)

"""From one row shape to another; pure, one example at a time.

A format stands in one file, its signs, reading and writing together; `known` lists them. `pairs` makes chats of
prompt/completion pairs, and `tools` holds the changes that tool calls need on the way.
"""

from finetune_lib.data.formats.exporting import exported
from finetune_lib.data.formats.known import FormatName
from finetune_lib.data.formats.pairs import as_chat
from finetune_lib.data.formats.recognising import dialect_of
from finetune_lib.data.formats.tools import arguments_as_objects, arguments_as_text, functions_to_tools, with_call_ids
from finetune_lib.data.formats.translating import OWN_DIALECTS, UNSAYABLE_DIALECTS, translated

__all__ = [
    "OWN_DIALECTS",
    "UNSAYABLE_DIALECTS",
    "FormatName",
    "arguments_as_objects",
    "arguments_as_text",
    "as_chat",
    "dialect_of",
    "exported",
    "functions_to_tools",
    "translated",
    "with_call_ids",
]

"""From one row shape to another; pure, one example at a time.

`pairs` makes chats of prompt/completion pairs, `dialects` reads the row shapes of other projects, `exporting`
writes them, and `tools` holds the changes that tool calls need on the way.
"""

from finetune_lib.converting.dialects import PREFERENCE_DIALECTS, UNSAYABLE_DIALECTS, dialect_of, translated
from finetune_lib.converting.exporting import Format, exported
from finetune_lib.converting.pairs import as_chat, messages_of, role_of
from finetune_lib.converting.tools import (
    arguments_as_objects,
    arguments_as_text,
    functions_to_tools,
    with_call_ids,
)

__all__ = [
    "PREFERENCE_DIALECTS",
    "UNSAYABLE_DIALECTS",
    "Format",
    "arguments_as_objects",
    "arguments_as_text",
    "as_chat",
    "dialect_of",
    "exported",
    "functions_to_tools",
    "messages_of",
    "role_of",
    "translated",
    "with_call_ids",
]

"""From one row shape to another; pure, one example at a time.

`pairs` makes chats of prompt/completion pairs, `dialects` reads the row shapes of other projects, `exporting`
writes them, and `tools` holds the changes that tool calls need on the way.
"""

from finetune_lib.data.formats.exporting import Format, exported
from finetune_lib.data.formats.pairs import as_chat, messages_of, role_of
from finetune_lib.data.formats.tools import arguments_as_objects, arguments_as_text, functions_to_tools, with_call_ids
from finetune_lib.data.formats.translating import PREFERENCE_DIALECTS, UNSAYABLE_DIALECTS, dialect_of, translated

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

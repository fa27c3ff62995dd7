"""The embedded platform: a server that speaks OpenAI's protocol and trains and serves open models on this machine.

`connect()` starts it for a folder, or joins the one that already serves that folder; `serve()` runs it alone.
Importing this package loads neither torch nor a web framework.
"""

from __future__ import annotations

from finetune_lib.files import home
from finetune_lib.local.collection import gc
from finetune_lib.local.connection import connect, stop
from finetune_lib.local.exporting import export, verify_export

__all__ = ["connect", "export", "gc", "home", "stop", "verify_export"]

"""Where models are trained and asked: OpenAI, a compatible service, or the embedded local platform.

This package alone imports the `openai` client; everything above it talks to a `Platform`.
"""

from __future__ import annotations

from finetune_lib.platforms.completions import Connection
from finetune_lib.platforms.connect import connect, default_platform
from finetune_lib.platforms.platform import Platform

__all__ = ["Connection", "Platform", "connect", "default_platform"]

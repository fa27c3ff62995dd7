"""Answers that a model holds for untrue: findings to look at, and never a change."""

from __future__ import annotations

from finetune_lib.data.doubting.doubting import Doubts, DoubtsOptions, doubts, doubts_async

__all__ = ["Doubts", "DoubtsOptions", "doubts", "doubts_async"]

"""Batches: a file of requests, answered one after the other while nobody waits, each exactly once."""

from __future__ import annotations

from finetune_lib.local.batches.runner import Batches

__all__ = ["Batches"]

"""Leaving a platform that closes: what lies there, until when, and a copy of all that can be had."""

from __future__ import annotations

from finetune_lib.migration.inventory import Inventory, Lost, TunedModel
from finetune_lib.migration.migration import Migration
from finetune_lib.migration.saving import Saved

__all__ = ["Inventory", "Lost", "Migration", "Saved", "TunedModel"]

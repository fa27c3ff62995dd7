"""Leaving a platform that closes: what lies there, until when, a copy of it, and what its models answer."""

from __future__ import annotations

from finetune_lib.migration.inventory import Inventory, Lost, TunedModel
from finetune_lib.migration.migration import Migration
from finetune_lib.migration.recording import Recording, RecordingPlan
from finetune_lib.migration.saving import Saved

__all__ = ["Inventory", "Lost", "Migration", "Recording", "RecordingPlan", "Saved", "TunedModel"]

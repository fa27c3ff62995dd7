"""Record what a model answers while it still does: a plan first, then each answer kept the moment it arrives."""

from __future__ import annotations

from finetune_lib.migration.recording.plan import RecordingPlan, planned
from finetune_lib.migration.recording.recorder import record
from finetune_lib.migration.recording.recording import Recording

__all__ = ["Recording", "RecordingPlan", "planned", "record"]

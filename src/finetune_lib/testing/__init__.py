"""Servers for tests of your own code: a platform over HTTP that follows a script, faults included."""

from finetune_lib.testing.faults import FAULTS, Fault
from finetune_lib.testing.requests import Request
from finetune_lib.testing.scripted import ScriptedPlatform

__all__ = ["FAULTS", "Fault", "Request", "ScriptedPlatform"]

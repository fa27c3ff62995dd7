"""What an Evaluator does: its units of work, and how each is called, kept and counted."""

from __future__ import annotations

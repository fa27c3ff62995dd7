"""Conversations in tables: a turn a row, turns in columns, a whole one in a cell, multiple choice with its options."""

from finetune_lib.data.reading.tables.conversations.recognising import Head, Recognised, recognise_conversations

__all__ = ["Head", "Recognised", "recognise_conversations"]

"""What people see in a cell: values under their number formats."""

from finetune_lib.data.reading.tables.shown.dates import days
from finetune_lib.data.reading.tables.shown.looks import Form, Look, look, text_look

__all__ = ["Form", "Look", "days", "look", "text_look"]

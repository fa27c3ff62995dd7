"""From files to rows: what a file is, its encoding, its shape, and a finding for each part that gave no row.

What makes the whole file unreadable is a `ReadError`.
"""

from finetune_lib.data.reading.options import Options, ReadError, Reading

__all__ = ["Options", "ReadError", "Reading"]

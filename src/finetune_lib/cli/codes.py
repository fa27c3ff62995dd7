"""Exit codes: clean, errors in what was looked at or a claim that is not shown, wrong usage or an unreadable file."""

from finetune_lib.errors import FinetuneError

CLEAN, ERRORS, UNUSABLE = 0, 1, 2
INTERRUPTED, CLOSED = 130, 141  # as shells tell them of a program that Ctrl-C ended, and of one whose reader has left
PROBLEMS = (FinetuneError, ValueError, OSError, OverflowError)  # what is told in one line

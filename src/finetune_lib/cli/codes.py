"""Exit codes: clean, errors in what was looked at or a claim that is not shown, wrong usage or an unreadable file."""

CLEAN, ERRORS, UNUSABLE = 0, 1, 2
INTERRUPTED = 130  # as shells tell it of a program that Ctrl-C ended

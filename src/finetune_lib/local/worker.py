"""The worker: one training job, one process, one directory. It knows neither the server nor its database.

Run as `python -m finetune_lib.local.worker DIRECTORY`.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from filelock import Timeout

from finetune_lib.local.disk import is_full
from finetune_lib.local.job_directory import JobDirectory

ALREADY_RUNNING, FULL = 76, 28
LOCK_SECONDS = 5.0


def main(directory: JobDirectory) -> int:
    """Train; the outcome lies in the directory, the exit code only says whether this process did the work."""
    try:
        with directory.lock().acquire(timeout=LOCK_SECONDS):
            return _work(directory)
    except Timeout:
        return ALREADY_RUNNING


def _work(directory: JobDirectory) -> int:
    try:
        return _train(directory)
    except Exception as error:
        if not is_full(error):
            raise
    directory.full.touch()  # it passes: the supervisor starts another worker when there is room again
    directory.repair()
    return FULL


def _train(directory: JobDirectory) -> int:
    directory.repair()
    if directory.outcome() or directory.cancelled or directory.paused:
        return 0
    from finetune_lib.local.training.run import TrainingError, train  # imports torch: seconds

    try:
        train(directory)
    except TrainingError as error:
        directory.fail(error.code, str(error))
    except Exception as error:
        if is_full(error):
            raise
        # It would come again: only a death without a word is worth another attempt
        traceback.print_exc()
        directory.fail("training_failed", f"{type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(JobDirectory(Path(sys.argv[1]))))

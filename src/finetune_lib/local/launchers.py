"""Where a worker runs: as a process of this machine."""

from __future__ import annotations

import os
import subprocess
import sys

from finetune_lib.local.job_directory import JobDirectory

KILL_AFTER_SECONDS = 10.0
MODULE = "finetune_lib.local.worker"


def spawn(directory: JobDirectory) -> subprocess.Popen[bytes]:
    """Start a worker in a session of its own: it outlives this server."""
    quiet = {"TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false"}
    # Without it, OpenMP's threads spin while they wait, and a busy machine trains tens of times slower.
    # One card: on several, the trainer would want to be launched by torchrun.
    card = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "CUDA_VISIBLE_DEVICES": card, **quiet}
    with directory.log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", MODULE, str(directory.path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )


def end(worker: subprocess.Popen[bytes]) -> None:
    """Ask a worker to end, then make it."""
    worker.terminate()
    try:
        worker.wait(KILL_AFTER_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()

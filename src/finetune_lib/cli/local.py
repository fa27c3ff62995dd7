"""`serve`: the local platform."""

from __future__ import annotations

import os
from pathlib import Path

from finetune_lib.cli.codes import CLEAN


def serve(
    *,
    root: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    until_idle: bool = False,
) -> int:
    """Run the local platform.

    Args:
        root: folder of files, jobs and models (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)
        host: a loopback address (default: 127.0.0.1)
        port: 0 takes a free one (default)
        token: what clients must send (default: FINETUNE_LIB_TOKEN, else a random one)
        until_idle: stop after 15 minutes without a job or a call
    """
    from finetune_lib.local.connection import home, require_platform
    from finetune_lib.platforms.policy import policy

    require_platform()
    if not policy().hub:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's own package is imported, here and in each worker
    from finetune_lib.local.server import serve as run

    folder = (root or home()).absolute()
    token = token or os.environ.get("FINETUNE_LIB_TOKEN")
    run(folder, host=host, port=port, token=token, until_idle=until_idle)
    return CLEAN

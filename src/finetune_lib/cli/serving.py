"""`serve`: the local platform."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import cast

from finetune_lib.cli.codes import CLEAN


def add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", type=Path, help="folder of files, jobs and models (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--token", help="what clients must send (default: FINETUNE_LIB_TOKEN, else a random one)")
    parser.add_argument("--until-idle", action="store_true", help="stop after 15 minutes without a job or a call")
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from finetune_lib.local.connection import home, require_platform

    require_platform()
    from finetune_lib.local.server import serve

    token = cast("str | None", options.token or os.environ.get("FINETUNE_LIB_TOKEN"))
    root = (options.root or home()).absolute()
    serve(root, host=options.host, port=options.port, token=token, until_idle=options.until_idle)
    return CLEAN

"""`serve`, `export` and `local gc`: the local platform."""

from __future__ import annotations

import os
from pathlib import Path

from finetune_lib.cli.choices import Precision
from finetune_lib.cli.codes import CLEAN, ERRORS


def serve(
    *,
    root: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    until_idle: bool = False,
    keep_days: float | None = None,
    alias: list[str] | None = None,
) -> int:
    """Run the local platform.

    Args:
        root: folder of files, jobs and models (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)
        host: a loopback address (default: 127.0.0.1)
        port: 0 takes a free one (default)
        token: what clients must send (default: FINETUNE_LIB_TOKEN, else a random one)
        until_idle: stop after 15 minutes without a job or a call
        keep_days: delete files and models that are older (default: FINETUNE_LIB_KEEP_DAYS, else keep all)
        alias: a name that stands for a base, as gpt-4o-mini=Qwen/Qwen3-0.6B or '*=tiny'; can be given several times
    """
    from finetune_lib.local.aliases import parsed
    from finetune_lib.local.connection import home, require_platform
    from finetune_lib.platforms.policy import policy

    require_platform()
    if not policy().hub:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's own package is imported, here and in each worker
    from finetune_lib.local.server import serve as run

    folder = (root or home()).absolute()
    token = token or os.environ.get("FINETUNE_LIB_TOKEN")
    if keep_days is None and (told := os.environ.get("FINETUNE_LIB_KEEP_DAYS")):
        keep_days = _days(told)
    table = parsed(alias or [])
    run(folder, host=host, port=port, token=token, until_idle=until_idle, keep_days=keep_days, aliases=table)
    return CLEAN


def _days(told: str) -> float:
    try:
        days = float(told)
    except ValueError:
        days = -1.0
    if not days >= 0:
        raise ValueError(f"FINETUNE_LIB_KEEP_DAYS is a number of days, not {told!r}")
    return days


def export(
    model: str,
    folder: Path,
    /,
    *,
    adapter: bool = False,
    gguf: Precision | None = None,
    verify: Path | None = None,
    root: Path | None = None,
) -> int:
    """Write a model of the local platform as a folder that other servers load.

    Args:
        model: the model, as ft:tiny:local::abc
        folder: what to write; it may not be there yet
        adapter: an adapter alone, not put into its base
        gguf: also write a GGUF file, for llama.cpp and Ollama
        verify: ask the questions of this golden set; exit code 1 where the export answers otherwise
        root: folder of the platform (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)
    """
    from finetune_lib import local
    from finetune_lib.evaluation.golden import GoldenSet

    golden = GoldenSet.load(verify) if verify else None
    written = local.export(model, folder, merge=not adapter, gguf=gguf, root=root)
    print(f"wrote {written.path}: {_megabytes(written.bytes)}, {', '.join(written.files)}")
    for note in written.notes:
        print(note)
    if golden is None:
        return CLEAN
    targets = [written.path, *written.path.glob("*.gguf")]
    checks = [local.verify_export(target, golden, root=root) for target in targets]
    print(*checks, sep="\n")
    return CLEAN if all(checks) else ERRORS


def gc(*, root: Path | None = None, keep_days: float | None = None, dry_run: bool = False) -> int:
    """Delete what nobody can reach any more on the local platform.

    Args:
        root: folder of files, jobs and models (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)
        keep_days: also delete files and models that are older, unless they are in use
        dry_run: only say what would be deleted
    """
    from finetune_lib.local import gc as collect

    removed = collect(root, keep_days=keep_days, dry_run=dry_run)
    for one in removed:
        print(f"{_megabytes(one.bytes):>10}  {one.name}  ({one.why})")
    print(f"{'would free' if dry_run else 'freed'} {_megabytes(sum(one.bytes for one in removed))}")
    return CLEAN


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"

"""`doctor` and `completion`: what this machine has, and the keys of its shell."""

from __future__ import annotations

import os
import platform as machine
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from finetune_lib.cli.choices import Shell
from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.where import print_json

# A package that shows whether an extra is installed.
SIGNS = {
    "cli": "cyclopts",
    "excel": "python_calamine",
    "parquet": "pyarrow",
    "frames": "pandas",
    "documents": "pypdf",
    "eval": "scipy",
    "zh": "opencc",
    "fast": "rensa",
    "local": "trl",
}
KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "FINETUNE_LIB_PLATFORM")


def doctor(*, json: bool = False) -> int:
    """What is installed, which device trains, where calls would go; nothing is sent.

    Args:
        json: print one JSON object
    """
    found = dict(_found())
    advice = list(_advice(found))
    if json:
        print_json({**found, "advice": advice})
    else:
        wide = max(map(len, found))
        print("\n".join(f"{name:<{wide}}  {_said(value)}" for name, value in found.items()))
        print("\n".join(f"! {one}" for one in advice), end="\n" if advice else "")
    return ERRORS if advice else CLEAN


def _said(value: object) -> str:
    if isinstance(value, list):
        listed: list[object] = [*value]  # pyright: ignore[reportUnknownArgumentType]
        return ", ".join(map(str, listed)) or "–"
    return str(value)


def _found() -> Iterator[tuple[str, Any]]:
    from finetune_lib import __version__
    from finetune_lib.files import home

    yield "finetune_lib", __version__
    yield "python", f"{machine.python_version()} on {machine.system()} {machine.machine()}"
    yield "cores", os.cpu_count()
    yield "installed extras", [extra for extra, sign in SIGNS.items() if find_spec(sign)]
    yield "missing extras", [extra for extra, sign in SIGNS.items() if not find_spec(sign)]
    yield "torch", _version("torch")
    yield "device", _device()
    yield "platform", _platform()
    yield "set in the environment", [name for name in KEYS if os.environ.get(name, "").strip()]
    yield "hub", "closed by HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") == "1" else "open, not asked"
    yield "folder", str(home())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _device() -> str:
    """What training would use."""
    if not find_spec("torch"):
        return "none: torch is not installed"
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name(0)}"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _platform() -> str:
    """Where a call that names no platform goes; the local one is not started for it."""
    named = os.environ.get("FINETUNE_LIB_PLATFORM", "").strip()
    if named:
        return f"{named}: FINETUNE_LIB_PLATFORM is set"
    azure = all(os.environ.get(name, "").strip() for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"))
    hosted = any(os.environ.get(name, "").strip() for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"))
    return "azure" if azure else "openai" if hosted else "local"


def _advice(found: dict[str, Any]) -> Iterator[str]:
    if "+cu" in found["torch"] and not found["device"].startswith("cuda"):
        yield (
            "this torch is built for graphics cards, and there is none: its build for processors is gigabytes smaller "
            "(PyTorch's own guide to installing it has the command, under Compute Platform: CPU)"
        )
    if found["platform"].startswith("local") and "local" in found["missing extras"]:
        yield 'calls would go to the local platform, which is not installed: pip install "finetune_lib[local]"'


def completion(shell: Shell, /) -> int:
    """Print what makes a shell complete commands and options.

    Args:
        shell: of which kind
    """
    from finetune_lib.cli.app import app

    print(app.generate_completion(shell=shell))
    return CLEAN

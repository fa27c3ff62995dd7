"""finetune_lib: from a messy spreadsheet to a fine-tuned model that you can prove is better.

`import finetune_lib as ft` costs next to nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import os

from finetune_lib.version import __version__ as __version__

# The stub says the names once, to type checkers and here: one a line, `from HOME import NAME as NAME`.
_STUB = __spec__.loader.get_data(f"{__path__[0]}/__init__.pyi").decode()  # out of a zip file, too
_HOMES = {line.split()[-1]: line.split()[1] for line in _STUB.splitlines() if line.startswith("from ")}
_FOLDERS = (__name__, f"{__name__}.data", f"{__name__}.evaluation")  # what is named of these is a module
POLICY_AT_IMPORT = os.environ.get("FINETUNE_LIB_POLICY")  # what binds is not lifted by taking it away later

__all__ = sorted(name for name, home in _HOMES.items() if home not in _FOLDERS)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home in _FOLDERS:
        return importlib.import_module(f"{home}.{name}")
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])

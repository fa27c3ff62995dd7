"""Optional packages: imported when first used, and one clear error where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from finetune_lib.errors import MissingExtraError


def require(module: str, *, extra: str, feature: str) -> Any:
    """Import an optional module.

    Args:
        module: The module's import name, as `scipy.stats`.
        extra: The extra of finetune_lib that installs it.
        feature: What needs it, as the subject of the error's first sentence.

    Raises:
        MissingExtraError: It is not installed; the message names the pip command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # installed, but something that it needs itself is not
        raise MissingExtraError(feature=feature, package=package, extra=extra) from error

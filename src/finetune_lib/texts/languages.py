"""The languages that we write to people, and which of them is theirs."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["en", "zh-Hant", "zh-Hans"]
TRADITIONAL = ("TW", "HK", "MO", "HANT")


def language() -> Language:
    """The language of messages: `FINETUNE_LIB_LANG`, else that of the locale, else English."""
    for name in ("FINETUNE_LIB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if chosen := os.environ.get(name, ""):
            return _language_of(chosen)
    return "en"


def _language_of(name: str) -> Language:
    """From a locale's name: `zh_TW.UTF-8` and `zh-Hant` write the traditional script."""
    parts = name.split(".")[0].replace("-", "_").upper().split("_")
    if parts[0] != "ZH":
        return "en"
    return "zh-Hant" if any(part in TRADITIONAL for part in parts) else "zh-Hans"

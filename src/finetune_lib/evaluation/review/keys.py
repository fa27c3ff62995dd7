"""The key of a review: which slot holds which candidate. It stays with who made the page."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.evaluation.review.blinding import Concealed
from finetune_lib.evaluation.review.items import Beside
from finetune_lib.files import home as default_home
from finetune_lib.files import require_known, write_atomically

SCHEMA = 1
SHOWN_QUESTION = 200


@dataclass(frozen=True, slots=True)
class KeyItem:
    """What an opaque id stands for.

    Attributes:
        case_id: The case.
        slots: The candidate of the first and of the second slot.
        category: The case's category.
        question: The beginning of its last turn, for summaries.
    """

    case_id: str
    slots: tuple[str, str]
    category: str | None
    question: str


@dataclass(frozen=True, slots=True)
class Key:
    """What unblinds the votes on one set.

    Attributes:
        set: The hash of the set.
        items: What was shown, by opaque id.
        identical: The cases that were not shown, because both answers are the same text.
    """

    set: str
    items: Mapping[str, KeyItem]
    identical: tuple[KeyItem, ...]

    def save(self, folder: Path) -> Path:
        """Write it for its owner alone."""
        return _write_private(folder / f"{self.set}.json", json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1))


def key_of(blind: Concealed) -> Key:
    """The key of what a page shows, and of what it leaves out."""
    items = {one.id: _key_item(one.item, one.slots) for one in blind.hidden}
    return Key(blind.name, items, tuple(_key_item(item, item.pair) for item in blind.identical))


def _key_item(item: Beside, slots: tuple[str, str]) -> KeyItem:
    return KeyItem(item.case_id, slots, item.category, item.turns[-1][1][:SHOWN_QUESTION])


def load_key(path: Path) -> Key:
    """Read a key.

    Raises:
        DataError: It is no key of a review, or one of a later version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        require_known(data["schema"], known=SCHEMA, path=path)
        items = {name: _read_item(item) for name, item in data["items"].items()}
        return Key(data["set"], items, tuple(map(_read_item, data["identical"])))
    except DataError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no key of a review: {error}") from error


def _read_item(data: Mapping[str, Any]) -> KeyItem:
    first, second = data["slots"]
    return KeyItem(data["case_id"], (first, second), data["category"], data["question"])


def key_folder(home: str | PathLike[str] | None = None) -> Path:
    """Where keys lie: `reviews` in `home`, else in `FINETUNE_LIB_HOME`, else in `~/.finetune_lib`."""
    return (Path(home) if home else default_home()) / "reviews"


def secret_of(folder: Path) -> bytes:
    """The secret of this folder, made once, so that the same items make the same page again.

    Keys do not depend on it: were it lost, only a page made anew would differ from the one before.
    """
    path = folder / "secret"
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return bytes.fromhex(path.read_text(encoding="ascii"))


def _write_private(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # before the file, which is then never readable for others
    write_atomically(path, [text.encode("utf-8", "replace")])
    path.chmod(0o600)
    return path

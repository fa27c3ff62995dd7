"""Base models: hub ids, local folders, GGUF files, and those that are made on first use: `tiny` and `smollm2`.

`tiny` is a randomly initialised causal model of 0.9 million parameters over UTF-8 bytes. It knows no language:
it proves that data, training, serving and evaluation work, and learns small tasks by heart in seconds. Its
embeddings are untied and drawn wide (std 1.0, head 0.1): with the usual 0.02 the logits of a frozen head are
bounded so low that training with frozen embeddings has a floor of loss it cannot get under.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import json
import shutil
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune_lib.catalog import models
from finetune_lib.data.bases import HUB_ID
from finetune_lib.errors import PolicyError
from finetune_lib.local.aliases import base_named, load
from finetune_lib.local.gguf_bases import SMOLLM2, convert, gguf_of, noted, smollm2_file
from finetune_lib.local.gguf_bases import source_of as gguf_source
from finetune_lib.platforms.policy import policy
from finetune_lib.rendering.tiny import TINY, tiny_tokenizer

# Importing transformers from two threads at once fails: whoever loads or makes a model holds this.
LOADING = threading.Lock()
BUILT_IN = (TINY, SMOLLM2)
SEED = 7
NARROW = 0.02
WIDE = {"model.embed_tokens.weight": 1.0, "lm_head.weight": 0.1}
# What "auto" means for tiny: about 300 example-epochs in steps of 2 learn any dozen of rows by heart.
TINY_DEFAULTS = {
    "example_epochs": 300,
    "min_epochs": 3,
    "max_epochs": 50,
    "batch_size": 2,
    "learning_rate": 2e-3,
    "few_learning_rate": 5e-3,
    "shares": {"dpo": 0.25, "reinforcement": 1.0},
}


@dataclass(frozen=True, slots=True)
class Base:
    """A base model: the name that people use, and where transformers loads it from."""

    name: str
    source: str


def find_base(model: str, root: Path) -> Base | None:
    """The base of this name; None where there is none.

    It is `tiny`, `smollm2` where its package is installed, the full path of a model's folder or of a GGUF file, a hub
    id, or an alias of one.
    An alias that is written out goes before a base of that name, one with `*` behind. A hub id that would have to be
    downloaded, which the policy forbids, is none.
    """
    written = None if model in BUILT_IN else load(root).get(model)
    found = None if written else _own_base(model, root)
    stands_for = written or (None if found else base_named(root, model))
    if stands_for is None:
        return found
    known = _own_base(stands_for, root)
    return Base(model, known.source) if known else None


def _own_base(model: str, root: Path) -> Base | None:
    if model == TINY:
        return Base(TINY, str(tiny_folder(root)))
    if model == SMOLLM2:
        gguf = smollm2_file()
        return Base(SMOLLM2, str(noted(gguf, root, name=SMOLLM2))) if gguf else None
    folder = Path(model)
    if folder.is_absolute():
        if (folder / "config.json").is_file():
            return Base(folder.name, model)
        gguf = gguf_of(folder)
        return Base(gguf.stem, str(noted(gguf, root))) if gguf else None
    return Base(model, model) if HUB_ID.fullmatch(model) and _may_be_loaded(model) else None


def _may_be_loaded(model: str) -> bool:
    try:
        policy().admit_hub(model)
    except PolicyError:
        return False
    return True


def tiny_folder(root: Path) -> Path:
    """Where `tiny` lies, or will lie."""
    return root / "bases" / TINY


def ensure_tiny(root: Path) -> Path:
    """Make the built-in base where it is not there yet: an ordinary Hugging Face folder, always the same."""
    folder = tiny_folder(root)
    with LOADING:
        if not folder.exists():
            _make_tiny(folder)
    return folder


def ensure_made(source: str) -> str:
    """Make a base that this machine makes where it is not there yet; the source as it was given.

    Raises:
        MissingExtraError: It needs a package that is not installed.
        DataError: Its file cannot be read.
    """
    folder = Path(source)
    if folder.is_absolute() and not folder.exists():
        with LOADING:
            if folder.exists():
                return source
            if folder.name == TINY and folder.parent.name == "bases":
                _make_tiny(folder)
            elif gguf := gguf_source(folder):
                convert(gguf, folder)
    return source


def _make_tiny(folder: Path) -> None:
    partial = folder.with_name(f".{TINY}-{uuid.uuid4().hex}")
    _save_tiny(partial)
    try:
        partial.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(partial)


def _save_tiny(folder: Path) -> None:
    tokenizer = tiny_tokenizer()
    model = _random_model(len(tokenizer), tokenizer)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "finetune_defaults.json").write_text(json.dumps(TINY_DEFAULTS, indent=2))


def _random_model(vocabulary: int, tokenizer: Any) -> Any:
    """The same weights each time, whatever else draws random numbers at the same time."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=models()[TINY].training_limit,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    model: Any = Qwen3ForCausalLM(config)
    generator = torch.Generator().manual_seed(SEED)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:  # the others are norms, which begin as ones
            torch.nn.init.normal_(weight, std=WIDE.get(name, NARROW), generator=generator)
    return model

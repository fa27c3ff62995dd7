"""Folders of bases without weights: the tokenizer of bytes with any chat template, and a configuration."""

from __future__ import annotations

import json
from pathlib import Path

from finetune_lib.rendering.tiny import tiny_tokenizer


def folder_of_base(folder: Path, *, chat_template: str | None, limit: int = 4096) -> Path:
    """A base whose words are bytes, as far as a tokenizer and the length of an example are concerned."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    config = {"model_type": "qwen3", "max_position_embeddings": limit}
    (folder / "config.json").write_text(json.dumps(config))
    return folder

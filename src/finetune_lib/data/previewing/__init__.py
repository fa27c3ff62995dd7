"""What a base is trained on, token by token, before anything is trained."""

from __future__ import annotations

from finetune_lib.data.previewing.preview import Preview, PreviewedExample, Stretch, Token, preview

__all__ = ["Preview", "PreviewedExample", "Stretch", "Token", "preview"]

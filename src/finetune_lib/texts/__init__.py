"""Texts made comparable: what differs in script, width, case or punctuation alone becomes equal."""

from finetune_lib.texts.folding import fold
from finetune_lib.texts.shingles import jaccard, shingles

__all__ = ["fold", "jaccard", "shingles"]

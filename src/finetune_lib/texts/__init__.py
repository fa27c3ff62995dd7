"""Texts made comparable: what differs in script, width, case or punctuation alone becomes equal."""

from finetune_lib.texts.folding import fold
from finetune_lib.texts.shingles import jaccard, shingles
from finetune_lib.texts.turns import Turns, fold_answer, fold_prompt, turns_of

__all__ = ["Turns", "fold", "fold_answer", "fold_prompt", "jaccard", "shingles", "turns_of"]

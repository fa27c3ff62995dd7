"""What makes more training examples of those there are: an augmenter gives the children of one example.

Built-in ones are frozen dataclasses; a plain function from an example to rows, sync or async, serves as well.
"""

from __future__ import annotations

from finetune_lib.asking import Price, Spent
from finetune_lib.augmenters.augmenter import Augmenter, Child, Missing, randomness
from finetune_lib.augmenters.gate import CHANGED, PERTURBED, REWORDED, SLIPPED, Gate
from finetune_lib.augmenters.lineage import Lineage, content_hash, family_of
from finetune_lib.augmenters.noise import Noise
from finetune_lib.augmenters.paraphrase import Paraphrase
from finetune_lib.augmenters.persona import PersonaVariants
from finetune_lib.augmenters.script import Script
from finetune_lib.augmenters.system_prompts import SystemPrompts
from finetune_lib.augmenters.template import Template
from finetune_lib.augmenters.translate import BackTranslation

__all__ = [
    "CHANGED",
    "PERTURBED",
    "REWORDED",
    "SLIPPED",
    "Augmenter",
    "BackTranslation",
    "Child",
    "Gate",
    "Lineage",
    "Missing",
    "Noise",
    "Paraphrase",
    "PersonaVariants",
    "Price",
    "Script",
    "Spent",
    "SystemPrompts",
    "Template",
    "content_hash",
    "family_of",
    "randomness",
]

"""What makes more training examples of those there are: an augmenter gives the children of one example.

Built-in ones are frozen dataclasses; a plain function from an example to rows, sync or async, serves as well.
"""

from __future__ import annotations

from finetune_lib.data.augmenters.augmenter import Augmenter, Child, Missing, randomness
from finetune_lib.data.augmenters.gate import CHANGED, PERTURBED, REWORDED, SLIPPED, Gate
from finetune_lib.data.augmenters.lineage import Lineage, family_of
from finetune_lib.data.augmenters.noise import Noise
from finetune_lib.data.augmenters.paraphrase import Paraphrase
from finetune_lib.data.augmenters.persona import PersonaVariants
from finetune_lib.data.augmenters.script import Script
from finetune_lib.data.augmenters.system_prompts import SystemPrompts
from finetune_lib.data.augmenters.template import Template
from finetune_lib.data.augmenters.translate import BackTranslation
from finetune_lib.platforms.asking import Price, Spent
from finetune_lib.rows.identity import content_hash

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

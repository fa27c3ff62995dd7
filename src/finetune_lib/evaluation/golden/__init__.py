"""The golden set: cases with the answers that experts would give, checked before a cent is spent on them."""

from finetune_lib.evaluation.golden.checking import GoldenCheck, Power
from finetune_lib.evaluation.golden.golden_set import GoldenSet
from finetune_lib.evaluation.golden.overlaps import Contamination, Repeated

__all__ = ["Contamination", "GoldenCheck", "GoldenSet", "Power", "Repeated"]

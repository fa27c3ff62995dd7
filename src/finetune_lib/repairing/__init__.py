"""Repairs of broken records, each accepted only with a proof that no text was lost or changed."""

from finetune_lib.repairing.json_text import Repair, parted, repair
from finetune_lib.repairing.same_content import same_content

__all__ = ["Repair", "parted", "repair", "same_content"]

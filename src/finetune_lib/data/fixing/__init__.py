"""Repairs of broken records, each accepted only with a proof that no text was lost or changed."""

from finetune_lib.data.fixing.json_proof import same_content
from finetune_lib.data.fixing.json_repairs import Repair, parted, repair

__all__ = ["Repair", "parted", "repair", "same_content"]

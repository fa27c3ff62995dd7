"""Which rows belong together: one relation, and the searches by it."""

from finetune_lib.data.together.links import groups
from finetune_lib.data.together.relating import Relation, relation

__all__ = ["Relation", "groups", "relation"]

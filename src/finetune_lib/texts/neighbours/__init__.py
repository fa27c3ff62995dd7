"""Near-equal texts: pairs above a Jaccard similarity, each verified exactly, and the groups they form."""

from finetune_lib.texts.neighbours.clusters import Pair, clusters
from finetune_lib.texts.neighbours.pairs import near_items, near_pairs
from finetune_lib.texts.neighbours.views import View

__all__ = ["Pair", "View", "clusters", "near_items", "near_pairs"]

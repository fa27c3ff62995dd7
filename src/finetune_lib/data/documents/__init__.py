"""Documents for people, as PDF, Word, HTML, Markdown and text: read into passages that tell where they stand."""

from __future__ import annotations

from finetune_lib.data.documents.passages import Passage, cut, passages_in
from finetune_lib.data.documents.reading import ENDINGS, read_documents
from finetune_lib.data.documents.section import Place, Section

__all__ = ["ENDINGS", "Passage", "Place", "Section", "cut", "passages_in", "read_documents"]

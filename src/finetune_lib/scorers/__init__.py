"""What scores an answer: built-in scorers, and any function `(answer, case) -> number`."""

from __future__ import annotations

from finetune_lib.scorers.choice import Choice
from finetune_lib.scorers.classification import ClassificationReport, ClassScores, classification_report
from finetune_lib.scorers.edits import CharacterErrorRate, EditSimilarity
from finetune_lib.scorers.graders import from_openai
from finetune_lib.scorers.language import SameLanguage, Script
from finetune_lib.scorers.normalising import normalised
from finetune_lib.scorers.numeric import NumericMatch
from finetune_lib.scorers.rubric import Rubric
from finetune_lib.scorers.scorer import Scorer
from finetune_lib.scorers.semantic import SemanticSimilarity
from finetune_lib.scorers.similarity import Bleu, ChrF, CorpusScore, corpus_bleu, corpus_chrf
from finetune_lib.scorers.structured import JsonMatch, JsonSchemaMatch
from finetune_lib.scorers.style import Forbids, Format, Length
from finetune_lib.scorers.text import Contains, ExactMatch, RegexMatch
from finetune_lib.scorers.tool_calls import ToolCallMatch

__all__ = [
    "Bleu",
    "CharacterErrorRate",
    "Choice",
    "ChrF",
    "ClassScores",
    "ClassificationReport",
    "Contains",
    "CorpusScore",
    "EditSimilarity",
    "ExactMatch",
    "Forbids",
    "Format",
    "JsonMatch",
    "JsonSchemaMatch",
    "Length",
    "NumericMatch",
    "RegexMatch",
    "Rubric",
    "SameLanguage",
    "Scorer",
    "Script",
    "SemanticSimilarity",
    "ToolCallMatch",
    "classification_report",
    "corpus_bleu",
    "corpus_chrf",
    "from_openai",
    "normalised",
]

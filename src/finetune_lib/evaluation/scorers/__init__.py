"""What scores an answer: built-in scorers, and any function `(answer, case) -> number`."""

from __future__ import annotations

from finetune_lib.evaluation.scorers.abstaining import Abstains
from finetune_lib.evaluation.scorers.choice import Choice
from finetune_lib.evaluation.scorers.classification import ClassificationReport, ClassScores, classification_report
from finetune_lib.evaluation.scorers.edits import CharacterErrorRate, EditSimilarity
from finetune_lib.evaluation.scorers.graders import from_openai
from finetune_lib.evaluation.scorers.grounded import CitesPassages, Grounded
from finetune_lib.evaluation.scorers.grounded_by_judge import GroundedByJudge
from finetune_lib.evaluation.scorers.language import SameLanguage, Script
from finetune_lib.evaluation.scorers.normalising import normalised
from finetune_lib.evaluation.scorers.numeric import NumericMatch
from finetune_lib.evaluation.scorers.rubric import Rubric
from finetune_lib.evaluation.scorers.scorer import Scorer
from finetune_lib.evaluation.scorers.semantic import SemanticSimilarity
from finetune_lib.evaluation.scorers.similarity import Bleu, ChrF, CorpusScore, corpus_bleu, corpus_chrf
from finetune_lib.evaluation.scorers.structured import JsonMatch, JsonSchemaMatch
from finetune_lib.evaluation.scorers.style import Forbids, Format, Length
from finetune_lib.evaluation.scorers.text import Contains, ExactMatch, RegexMatch
from finetune_lib.evaluation.scorers.tool_calls import ToolCallMatch

__all__ = [
    "Abstains",
    "Bleu",
    "CharacterErrorRate",
    "Choice",
    "ChrF",
    "CitesPassages",
    "ClassScores",
    "ClassificationReport",
    "Contains",
    "CorpusScore",
    "EditSimilarity",
    "ExactMatch",
    "Forbids",
    "Format",
    "Grounded",
    "GroundedByJudge",
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

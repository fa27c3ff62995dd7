"""Answers that keep to a JSON schema: at each token, what would break it is ruled out."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from finetune_lib.extras import require
from finetune_lib.local.inference import SchemaError

EXTRA = "structured"


class Words:
    """The tokens of a model, as a grammar sees them; made once for each model."""

    def __init__(self, tokenizer: Any, *, width: int, end: int) -> None:
        guidance = require("llguidance", extra=EXTRA, feature="response_format")
        require("llguidance.hf", extra=EXTRA, feature="response_format")
        self.width = width
        self.tokens = guidance.hf.from_tokenizer(tokenizer, n_vocab=width, eos_token=end)


class Grammar:
    """Where an answer stands in its schema.

    Raises:
        SchemaError: The schema is not understood.
    """

    def __init__(self, words: Words, schema: Mapping[str, Any]) -> None:
        import torch

        guidance: Any = require("llguidance", extra=EXTRA, feature="response_format")
        # Without blanks between its parts: a weak model would write nothing else.
        told = {**schema, "x-guidance": {"whitespace_flexible": False}}
        grammar = guidance.LLMatcher.grammar_from_json_schema(json.dumps(told))
        if problem := guidance.LLMatcher.validate_grammar(grammar, words.tokens):
            raise SchemaError(f"the schema cannot be kept to: {problem}")
        self._matcher = guidance.LLMatcher(words.tokens, grammar)
        self._mask = torch.full((1, (words.width + 31) // 32), -1, dtype=torch.int32)
        self._bits = torch.arange(32, dtype=torch.int32)

    def masked(self, scores: Any) -> Any:
        """The scores, without what the schema does not allow next."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.data_ptr(), self._mask.numel() * 4)
        allowed = ((self._mask[:, :, None] >> self._bits) & 1).bool().reshape(-1)[: len(scores)]
        return scores.masked_fill(~allowed.to(scores.device), float("-inf"))

    def take(self, token: int) -> None:
        """Go on behind a token."""
        self._matcher.consume_token(token)

"""Families by the names of models, and the warning that goes with them."""

from __future__ import annotations

import pytest

from finetune_lib.evaluation.judges import family_of, self_preference


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4.1", "gpt"),
        ("ft:gpt-4.1-mini-2025-04-14:my-org:claude-style:a1b2", "gpt"),
        ("o4-mini", "gpt"),
        ("chatgpt-4o-latest", "gpt"),
        ("openai/gpt-oss-120b", "gpt"),
        ("claude-sonnet-4-5", "claude"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude"),
        ("gemini-2.5-pro", "gemini"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "llama"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen"),
        ("accounts/fireworks/models/qwen2p5-72b-instruct", "qwen"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral"),
        ("phi4", "phi"),
        ("tiny", None),
        ("my-deployment", None),
        ("sophia", None),
        ("delphi-2", None),
        ("./runs/gpt-like", None),
        ("/models/llama", None),
        ("C:\\models\\qwen", None),
        ("", None),
    ],
)
def test_family(model, family):
    assert family_of(model) == family


def test_a_judge_of_one_side_is_warned_of():
    (warning,) = self_preference(["gpt-4.1"], ["ft:gpt-4.1-mini:org::id", "claude-haiku-4"])
    assert "gpt-4.1 is of the same family (gpt) as ft:gpt-4.1-mini:org::id" in warning
    assert "over the others" in warning


def test_a_judge_of_both_sides_is_warned_of_in_other_words():
    (warning,) = self_preference(["gpt-4.1"], ["gpt-4.1-mini", "ft:gpt-4.1-mini:org::id", "gpt-4.1-mini"])
    assert "others" not in warning


@pytest.mark.parametrize(
    ("judges", "candidates"),
    [(["claude-opus-4"], ["gpt-4.1"]), (["tiny"], ["tiny"]), ([], ["gpt-4.1"]), (["gpt-4.1"], [])],
)
def test_no_warning_without_a_family_in_common(judges, candidates):
    assert self_preference(judges, candidates) == []


def test_each_judge_is_told_once():
    assert len(self_preference(["gpt-4.1", "gpt-4.1", "qwen3"], ["gpt-4o", "qwen2.5"])) == 2

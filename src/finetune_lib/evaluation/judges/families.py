"""Families of models: a judge tends to prefer answers of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from finetune_lib.catalog import base_of

# How the names of each family's models begin.
FAMILIES: Mapping[str, str] = {
    "gpt": r"gpt|chatgpt|o\d+(?![a-z\d])|davinci|codex",
    "claude": r"claude",
    "gemini": r"gemini|gemma|palm",
    "llama": r"llama|codellama|vicuna|alpaca",
    "qwen": r"qwen|qwq|qvq",
    "deepseek": r"deepseek",
    "mistral": r"mistral|mixtral|ministral|codestral|magistral|devstral|pixtral|mathstral",
    "phi": r"phi",
    "grok": r"grok",
    "command": r"command|aya|c4ai",
    "glm": r"glm|chatglm",
    "yi": r"yi",
    "kimi": r"kimi|moonshot",
    "ernie": r"ernie",
    "doubao": r"doubao|seed",
    "hunyuan": r"hunyuan",
    "minimax": r"minimax|abab",
    "nova": r"nova|titan",
}
# After the beginning: the end, a digit or a sign, as in `qwen2.5`, `llama-3` and `phi4`.
_NAME = re.compile(rf"(?<![a-z\d])(?:{'|'.join(f'(?P<{name}>{begin})' for name, begin in FAMILIES.items())})(?![a-z])")
_FOLDER = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")


def family_of(model: str) -> str | None:
    """The family of a model by its name; of a fine-tuned model, that of its base.

    None where the name does not tell: a folder, a deployment's own name, a fine-tune of the local platform. Of a name
    with two families, as of a distilled model, the first counts.

    Example:
        >>> family_of("ft:gpt-4.1-mini-2025-04-14:my-org::a1b2"), family_of("meta-llama/Llama-3.1-8B-Instruct")
        ('gpt', 'llama')
        >>> family_of("./models/my-own") is None
        True
    """
    if _FOLDER.match(model):
        return None
    found = _NAME.search(base_of(model).rpartition("/")[2].lower())
    return found.lastgroup if found else None


def self_preference(judge_models: Iterable[str], candidate_models: Iterable[str]) -> list[str]:
    """A sentence for each judge that has candidates of its own family before it, with what to do; empty where none has.

    Where every candidate is of the family, the preference is much the same for both sides, and the sentence says so.
    Candidates that are no models, and those whose family the name does not tell, are not counted.

    Source: Panickssery, Bowman and Feng, "LLM Evaluators Recognize and Favor Their Own Generations", 2024.

    Args:
        judge_models: The models that judge.
        candidate_models: The models that are judged.

    Example:
        >>> self_preference(["claude-sonnet-4"], ["gpt-4.1-mini"])
        []
    """
    candidates = list(dict.fromkeys(candidate_models))
    warnings = (_warning(judge, candidates) for judge in dict.fromkeys(judge_models))
    return [warning for warning in warnings if warning]


def of_own_family(judge_models: Mapping[str, str], models: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By judge, the candidates of its own family of models; both by name."""
    families = {name: family_of(model) for name, model in models.items()}
    found = {
        judge: tuple(name for name, family in families.items() if family is not None and family == family_of(model))
        for judge, model in judge_models.items()
    }
    return {judge: names for judge, names in found.items() if names}


def _warning(judge: str, candidates: list[str]) -> str | None:
    family = family_of(judge)
    own = [model for model in candidates if family and family_of(model) == family]
    if not own:
        return None
    said = f"The judge {judge} is of the same family ({family}) as {', '.join(own)}"
    if len(own) == len(candidates):
        return f"{said}: it may favour what sounds like itself. A judge of another family, or experts, would show it."
    return f"{said}, and may favour it over the others. Add a judge of another family, or ask experts."

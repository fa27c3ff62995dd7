"""The base of a training: loaded, rendered as it will be served, and the reasons why that cannot be."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune_lib.local.job_directory import Order
from finetune_lib.local.training.recipe import LORA_FROM_PARAMETERS
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import Renderer


class TrainingError(Exception):
    """Training cannot be done, for a reason that the user can mend."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def load(base: str) -> tuple[Any, Any]:
    """The base and its tokenizer; safetensors only, and no code from the folder or the hub."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        model = _model(base)
    except (OSError, ValueError) as error:
        raise TrainingError("model_load_failed", f"the base {base} does not load: {error}") from error
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return model, tokenizer


def _model(base: str) -> Any:
    """A base, or an adapter on its base to be trained further.

    What is trained as a whole is held in float32: in bfloat16 the small steps of a low learning rate are lost.
    """
    options: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    frozen = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    if (Path(base) / "adapter_config.json").is_file():
        return AutoPeftModelForCausalLM.from_pretrained(base, is_trainable=True, dtype=frozen, **options)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=frozen, **options)
    return model if is_large(model) else model.float()


def is_large(model: Any) -> bool:
    return sum(parameter.numel() for parameter in model.parameters()) >= LORA_FROM_PARAMETERS


def renderer_for(order: Order, tokenizer: Any, rows: Sequence[Mapping[str, Any]]) -> Renderer:
    day = date.fromisoformat(order.day) if order.day else None
    try:
        return renderer_of(tokenizer, Needs.of(rows), chat_template=order.chat_template, day=day)
    except RenderingError as error:
        code = "template_not_supported" if tokenizer.chat_template else "no_chat_template"
        raise TrainingError(code, f"{order.base}: {error}") from error


def serve_as_trained(model: Any, tokenizer: Any, renderer: Renderer) -> None:
    """What is saved sends the prompt that was trained, reads the answer back, and stops where it ends."""
    tokenizer.chat_template = renderer.template
    if renderer.family and (renderer.tools or renderer.reasoning):
        tokenizer.response_template = dict(renderer.family)
    settings = model.generation_config
    own = settings.eos_token_id
    ends = [*([own] if isinstance(own, int) else own or []), *renderer.end_ids]
    settings.eos_token_id = ends[0] if len(set(ends)) == 1 else list(dict.fromkeys(ends)) or None

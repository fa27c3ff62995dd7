"""The base of a training: loaded, rendered as it will be served, and the reasons why that cannot be."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import AutoPeftModelForCausalLM, LoraConfig, PeftConfig, prepare_model_for_kbit_training
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from finetune_lib.errors import DataError, MissingExtraError
from finetune_lib.local.base_models import ensure_made
from finetune_lib.local.job_directory import Order
from finetune_lib.local.training.strategy import Strategy, strategy_for
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import Renderer

ADAPTER = "adapter_config.json"


class TrainingError(Exception):
    """Training cannot be done, for a reason that the user can mend."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def load(order: Order, *, examples: int) -> tuple[Any, Any, Strategy]:
    """The base, its tokenizer, and what is trained of it; safetensors only, and no code from the folder or the hub."""
    try:
        base = ensure_made(order.base)
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        continued = (Path(base) / ADAPTER).is_file()
        parameters = _parameters(str(PeftConfig.from_pretrained(base).base_model_name_or_path) if continued else base)
        strategy = strategy_for(
            order.strategy, parameters=parameters, examples=examples, memory=_memory(), continued=continued
        )
        model = _model(base, strategy, continued=continued)
    except (DataError, MissingExtraError) as error:
        raise TrainingError("model_load_failed", str(error)) from error
    except (OSError, ValueError) as error:
        raise TrainingError("model_load_failed", f"the base {order.base} does not load: {error}") from error
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return model, tokenizer, strategy


def _parameters(base: str) -> int:
    """Counted on a model without memory."""
    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    return sum(parameter.numel() for parameter in model.parameters())


def _memory() -> int:
    """Bytes of the card, or of this machine without one."""
    return torch.cuda.mem_get_info()[1] if torch.cuda.is_available() else psutil.virtual_memory().total


def _model(base: str, strategy: Strategy, *, continued: bool) -> Any:
    """A base, or an adapter on its base to be trained further, with its frozen weights frozen.

    What is trained is held in float32: in bfloat16 the small steps of a low learning rate are lost.
    """
    options: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    half = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    if continued:
        return AutoPeftModelForCausalLM.from_pretrained(base, is_trainable=True, dtype=half, **options)
    if strategy.kind == "qlora":
        return _quantized(base, options)
    model: Any = AutoModelForCausalLM.from_pretrained(
        base, dtype=half if strategy.adapted else torch.float32, **options
    )
    if strategy.kind == "last_layers":
        _freeze_all_but(model, strategy.layers)
    return model


def _quantized(base: str, options: Mapping[str, Any]) -> Any:
    """With weights of four bits; source: Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023."""
    if find_spec("bitsandbytes") is None:
        how = 'pip install "finetune_lib[qlora]"'
        raise TrainingError("missing_package", f"weights of four bits need bitsandbytes: {how}, or ask for lora")
    bits = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    model = AutoModelForCausalLM.from_pretrained(base, quantization_config=bits, dtype=torch.bfloat16, **options)
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=torch.cuda.is_available())


def _freeze_all_but(model: Any, layers: int) -> None:
    """All but the last layers, and the norms behind them: the earlier ones find features, which stay."""
    stacks = [(name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.ModuleList)]
    name, stack = max(stacks, key=lambda named: len(named[1]))
    parent = model.get_submodule(name.rpartition(".")[0])
    names = [key for key, _ in parent.named_children()]
    behind = list(parent.children())[names.index(name.rpartition(".")[2]) + 1 :]
    trained = [*stack[-layers:], *(module for module in behind if "norm" in type(module).__name__.lower())]
    model.requires_grad_(False)
    for module in trained:
        module.requires_grad_(True)


def adapter_of(strategy: Strategy, *, continued: bool) -> LoraConfig | None:
    """The adapter that is put beside the weights; None where none is, or one is there."""
    if not strategy.adapted or continued:
        return None
    targets = strategy.targets if isinstance(strategy.targets, str) else list(strategy.targets)
    return LoraConfig(r=strategy.rank, lora_alpha=strategy.alpha, target_modules=targets, task_type="CAUSAL_LM")


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

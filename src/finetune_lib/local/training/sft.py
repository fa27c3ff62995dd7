"""Supervised fine-tuning with TRL: one job from its directory to `final/` and `result.json`."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from datasets import Dataset
from peft import AutoPeftModelForCausalLM, LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig

from finetune_lib.data.checks.profiles import profiles
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.results import checkpoint_metrics
from finetune_lib.local.training.checkpoints import Checkpoints, settle
from finetune_lib.local.training.examples import ExampleError, prepared, read_rows
from finetune_lib.local.training.progress import Progress
from finetune_lib.local.training.recipe import DEFAULTS, LORA_FROM_PARAMETERS, Recipe, choose, defaults_of
from finetune_lib.local.training.soundness import OwnLoss, TokenMeanTrainer, own_loss
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import Renderer

WARMUP_STEPS = 5
HARM = 0.1  # nats a token: a model that knew its rows by heart may stay there, a little up or down
LONGEST_EXAMPLE = 65_536
TRAINING_FILE = "training file"
FEWEST_EXAMPLES = profiles()["local"].minimum

Rows = list[dict[str, list[int]]]


class TrainingError(Exception):
    """Training cannot be done, for a reason that the user can mend."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def train(directory: JobDirectory) -> None:
    """Train the job of a directory, from its last complete checkpoint where there is one.

    Where memory runs out, the step is cut into smaller parts, and training goes on from the last checkpoint.

    Raises:
        TrainingError: The base does not load, the data does not suit it, or the model came out worse than its base.
    """
    parts: int | None = 1
    while parts:
        parts = _train(directory, parts)


def _train(directory: JobDirectory, parts: int) -> int | None:
    """None once it has ended; where memory ran out, the parts that each step is to be cut into next."""
    order = directory.order()
    model, tokenizer = _load(order.base)
    train_rows = read_rows(directory.train)
    held_out_rows = read_rows(directory.validation) if directory.validation.exists() else []
    renderer = _renderer(order, tokenizer, [row for _, row in [*train_rows, *held_out_rows]])
    _serve_as_trained(model, tokenizer, renderer)
    rows = _rows(directory, TRAINING_FILE, train_rows, renderer, model)
    held_out = _rows(directory, "validation file", held_out_rows, renderer, model) if held_out_rows else None
    adapted = isinstance(model, PeftModel)
    lora = adapted or _is_large(model)
    recipe = choose(order.hyperparameters, defaults_of(order.base), examples=len(rows), lora=lora)
    directory.append({"type": "resolved", "hyperparameters": recipe.hyperparameters()})
    progress, epoch = Progress(directory), math.ceil(len(rows) / recipe.batch_size)
    trainer: Any = TokenMeanTrainer(
        model=model,
        args=_settings(directory.path, order, recipe, epoch=epoch, parts=parts, validate=held_out is not None),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held_out) if held_out else None,
        processing_class=tokenizer,
        callbacks=[progress, Checkpoints(directory, epoch=epoch)],
        peft_config=LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM") if lora and not adapted else None,
    )
    trainer.remove_callback(PrinterCallback)
    base = own_loss(trainer.model, rows)
    last = list(directory.checkpoints().values())[-1:]
    try:
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    except Exception as error:
        if not should_reduce_batch_size(error):
            raise
        return _smaller(directory, recipe.batch_size, parts, error)
    if not (directory.cancelled or progress.paused):
        _require_better(directory, trainer, rows, base, progress.diverged)
        _publish(directory, trainer, tokenizer)
        settle(directory, epoch=epoch)
        tokens = sum(len(row["input_ids"]) for row in rows)
        directory.succeed({"trained_tokens": recipe.n_epochs * tokens})
    return None


def _smaller(directory: JobDirectory, batch: int, parts: int, error: Exception) -> int:
    """The next larger number of equal parts of a step; the step itself, and what it learns, stays the same."""
    following = next((number for number in range(parts + 1, batch + 1) if batch % number == 0), None)
    if following is None:
        message = f"memory does not suffice for one example at a time: {error}; take a smaller base or shorter examples"
        raise TrainingError("out_of_memory", message)
    message = f"Memory ran out with {batch // parts} examples at a time: going on with {batch // following}"
    directory.append({"type": "message", "level": "warn", "message": message})
    return following


def _require_better(directory: JobDirectory, trainer: Any, rows: Rows, base: OwnLoss, diverged: int | None) -> None:
    """A model that knows its own training rows worse than before has been harmed, however its curve looks."""
    advice = "lower learning_rate_multiplier, or look for examples that contradict each other"
    if diverged is not None:
        reason = f"the loss or its gradient was not finite at step {diverged}"
        raise TrainingError("training_diverged", f"{reason}: {advice}")
    tuned = own_loss(trainer.model, rows)
    if not tuned.loss <= base.loss + HARM:  # also where it is not a number
        for step, folder in directory.checkpoints().items():
            loss = checkpoint_metrics(folder, step).get("train_loss")
            if loss is None or loss > base.loss:
                shutil.rmtree(folder)
        reason = (
            f"the model ended worse than its base on its own training examples (loss {tuned.loss:.2f}, the base's "
            f"{base.loss:.2f})"
        )
        raise TrainingError("training_diverged", f"{reason}: {advice}")
    if not tuned.accuracy:
        message = "The model chooses none of the learned tokens itself, not even on its own training examples"
        directory.append({"type": "message", "level": "warn", "message": message})


def _load(base: str) -> tuple[Any, Any]:
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
    return model if _is_large(model) else model.float()


def _is_large(model: Any) -> bool:
    return sum(parameter.numel() for parameter in model.parameters()) >= LORA_FROM_PARAMETERS


def _renderer(order: Order, tokenizer: Any, rows: Sequence[Mapping[str, Any]]) -> Renderer:
    day = date.fromisoformat(order.day) if order.day else None
    try:
        return renderer_of(tokenizer, Needs.of(rows), chat_template=order.chat_template, day=day)
    except RenderingError as error:
        code = "template_not_supported" if tokenizer.chat_template else "no_chat_template"
        raise TrainingError(code, f"{order.base}: {error}") from error


def _serve_as_trained(model: Any, tokenizer: Any, renderer: Renderer) -> None:
    """What is saved sends the prompt that was trained, reads the answer back, and stops where it ends."""
    tokenizer.chat_template = renderer.template
    if renderer.family and (renderer.tools or renderer.reasoning):
        tokenizer.response_template = dict(renderer.family)
    settings = model.generation_config
    own = settings.eos_token_id
    ends = [*([own] if isinstance(own, int) else own or []), *renderer.end_ids]
    settings.eos_token_id = ends[0] if len(set(ends)) == 1 else list(dict.fromkeys(ends)) or None


def _rows(
    directory: JobDirectory, name: str, data: Sequence[tuple[int, Mapping[str, Any]]], renderer: Renderer, model: Any
) -> Rows:
    """The examples as tokens and labels; what does not fit is told, and too little of it ends the job."""
    limit = min(getattr(model.config, "max_position_embeddings", LONGEST_EXAMPLE), LONGEST_EXAMPLE)
    try:
        found = prepared(data, renderer, limit=limit)
    except ExampleError as error:
        raise TrainingError("template_not_supported", f"{name}, {error}") from error
    if not found.rows:
        raise TrainingError("nothing_to_learn", f"no example has an answer within the base's {limit} tokens")
    if told := found.told(name):
        counts = {"examples": found.examples, "cut": found.cut, "left_out": found.left_out, "limit": limit}
        directory.append({"type": "message", "level": "warn", "message": told, "data": {"file": name, **counts}})
    if name == TRAINING_FILE and found.left_out and found.kept < FEWEST_EXAMPLES:
        raise TrainingError("too_few_examples", f"{told}; {found.kept} are left, and {FEWEST_EXAMPLES} are needed")
    return found.rows


def _settings(folder: Path, order: Order, recipe: Recipe, *, epoch: int, parts: int, validate: bool) -> SFTConfig:
    """A checkpoint and a validation an epoch; a fixed seed and no precision tricks, so that a run repeats."""
    gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=recipe.n_epochs,
        per_device_train_batch_size=recipe.batch_size // parts,
        per_device_eval_batch_size=recipe.batch_size // parts,
        gradient_accumulation_steps=parts,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=min(WARMUP_STEPS, epoch * recipe.n_epochs // 10),
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=epoch,
        eval_strategy="steps" if validate else "no",
        eval_steps=epoch if validate else None,
        seed=order.seed,
        data_seed=order.seed,
        max_length=None,
        bf16=gpu,
        gradient_checkpointing=gpu,
        packing=False,
        dataloader_pin_memory=gpu,
        use_cpu=not gpu,
        report_to="none",
        disable_tqdm=True,
    )


def _publish(directory: JobDirectory, trainer: Any, tokenizer: Any) -> None:
    """Move the model to its place in one step."""
    partial = directory.partial
    shutil.rmtree(partial, ignore_errors=True)
    trainer.model.save_pretrained(str(partial))
    tokenizer.save_pretrained(str(partial))
    defaults = Path(directory.order().base) / DEFAULTS
    if defaults.is_file():  # who goes on from this model wants the base's own recipe too
        shutil.copy(defaults, partial)
    shutil.rmtree(directory.final, ignore_errors=True)
    partial.rename(directory.final)

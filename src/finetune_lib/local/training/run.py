"""One job from its directory to `final/` and `result.json`, by whichever method it learns."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from peft import PeftModel
from transformers import PrinterCallback

from finetune_lib.data.checks.profiles import profiles
from finetune_lib.local.disk import states_of
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.results import checkpoint_metrics
from finetune_lib.local.training.bases import TrainingError, adapter_of, load, renderer_for, serve_as_trained
from finetune_lib.local.training.checkpoints import Checkpoints, EarlyStop, best_of, settle
from finetune_lib.local.training.method import Method, OwnLoss, Setup
from finetune_lib.local.training.preference import Preference
from finetune_lib.local.training.progress import Progress
from finetune_lib.local.training.recipe import DEFAULTS, Recipe, choose, defaults_of
from finetune_lib.local.training.strategy import Strategy
from finetune_lib.local.training.supervised import Supervised
from finetune_lib.rendering.examples import ExampleError, Line, limit_of, prepared
from finetune_lib.rendering.renderer import Renderer

WARMUP_STEPS = 5
HARM = 0.1  # nats a token: a model that knew its rows by heart may stay there, a little up or down
TRAINING_FILE = "training file"
FEWEST_EXAMPLES = profiles()["local"].minimum


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
    train_rows = read_rows(directory.train)
    model, tokenizer, strategy = load(order, examples=len(train_rows))
    held_out_rows = read_rows(directory.validation) if directory.validation.exists() else []
    renderer = renderer_for(order, tokenizer, [row for _, row in [*train_rows, *held_out_rows]])
    serve_as_trained(model, tokenizer, renderer)
    continued = isinstance(model, PeftModel)
    method = _method(order, renderer)
    limit = limit_of(model.config)
    rows = _rows(directory, TRAINING_FILE, train_rows, method, limit)
    held_out = _rows(directory, "validation file", held_out_rows, method, limit) if held_out_rows else []
    defaults = defaults_of(order.base)
    recipe = choose(
        order.hyperparameters, defaults, examples=len(rows), few=strategy.kind != "full", method=order.method
    )
    directory.append({"type": "resolved", "hyperparameters": recipe.hyperparameters()})
    progress, epoch = Progress(directory), method.steps(len(rows), recipe.batch_size)
    patience = [EarlyStop(order.early_stopping)] if order.early_stopping else []
    setup = Setup(
        recipe,
        _settings(directory.path, order, recipe, epoch=epoch, parts=parts, validate=bool(held_out)),
        [progress, Checkpoints(directory, epoch=epoch), *patience],
        adapter_of(strategy, continued=continued),
    )
    trainer = method.trainer(model, tokenizer, rows, held_out, setup)
    trainer.remove_callback(PrinterCallback)
    base = method.own(trainer)
    if parts == 1 and not directory.checkpoints():
        directory.append({"type": "message", "level": "info", "message": _plan(strategy, method, base)})
    last = list(directory.checkpoints().values())[-1:]
    try:
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    except Exception as error:
        if not should_reduce_batch_size(error):
            raise
        return _smaller(directory, recipe.batch_size, parts, error)
    if not (directory.cancelled or progress.paused):
        _require_better(directory, method, trainer, base, progress.diverged)
        _publish(directory, trainer, tokenizer, best=_best(directory, order, trainer.state))
        settle(directory, epoch=epoch)
        tokens = sum(map(method.tokens, rows))
        directory.succeed({"trained_tokens": recipe.n_epochs * tokens})
    return None


def read_rows(path: Path) -> list[Line]:
    """The rows of a JSONL file, each with its line."""
    with path.open(encoding="utf-8-sig") as lines:
        return [(number, json.loads(line)) for number, line in enumerate(lines, start=1) if line.strip()]


def _method(order: Order, renderer: Renderer) -> Method:
    if order.method == "reinforcement":
        from finetune_lib.local.training.reinforcement import Reinforcement  # brings scorers and trl's own generation

        return Reinforcement(renderer, grader=order.grader, answer=order.max_completion_tokens)
    return Preference(renderer) if order.method == "dpo" else Supervised(renderer)


def _plan(strategy: Strategy, method: Method, base: OwnLoss) -> str:
    """What is trained and why, and how near the examples are to what the base knows already."""
    known = f"the base's own {method.measure} on the examples is {abs(base.loss):.2f}"
    return f"Strategy {strategy}; {known}{' nats a token' if method.measure == 'loss' else ''}"


def _smaller(directory: JobDirectory, batch: int, parts: int, error: Exception) -> int:
    """The next larger number of equal parts of a step; the step itself, and what it learns, stays the same."""
    following = next((number for number in range(parts + 1, batch + 1) if batch % number == 0), None)
    if following is None:
        message = f"memory does not suffice for one example at a time: {error}; take a smaller base or shorter examples"
        raise TrainingError("out_of_memory", message)
    message = f"Memory ran out with {batch // parts} examples at a time: going on with {batch // following}"
    directory.append({"type": "message", "level": "warn", "message": message})
    return following


def _require_better(directory: JobDirectory, method: Method, trainer: Any, base: OwnLoss, diverged: int | None) -> None:
    """A model that knows its own training rows worse than before has been harmed, however its curve looks."""
    advice = "lower learning_rate_multiplier, or look for examples that contradict each other"
    if diverged is not None:
        reason = f"the loss or its gradient was not finite at step {diverged}"
        raise TrainingError("training_diverged", f"{reason}: {advice}")
    tuned = method.own(trainer)
    if not tuned.loss <= base.loss + HARM:  # also where it is not a number
        for step, folder in directory.checkpoints().items():
            if method.is_worse(checkpoint_metrics(folder, step), base):
                shutil.rmtree(folder)
        reason = (
            "the model ended worse than its base on its own training examples "
            f"({method.measure} {abs(tuned.loss):.2f}, the base's {abs(base.loss):.2f})"
        )
        raise TrainingError("training_diverged", f"{reason}: {advice}")
    if doubt := method.doubt(trainer, tuned):
        directory.append({"type": "message", "level": "warn", "message": doubt})


def _rows(directory: JobDirectory, name: str, data: Sequence[Line], method: Method, limit: int) -> list[Any]:
    """What is learned of the examples; what does not fit is told, and too little of it ends the job."""
    try:
        found = prepared(data, method.take, limit=limit)
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


def _settings(folder: Path, order: Order, recipe: Recipe, *, epoch: int, parts: int, validate: bool) -> dict[str, Any]:
    """A checkpoint and a validation an epoch; a fixed seed and no precision tricks, so that a run repeats."""
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": recipe.n_epochs,
        "per_device_train_batch_size": recipe.batch_size // parts,
        "per_device_eval_batch_size": recipe.batch_size // parts,
        "gradient_accumulation_steps": parts,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": min(WARMUP_STEPS, epoch * recipe.n_epochs // 10),
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": epoch,
        "eval_strategy": "steps" if validate else "no",
        "eval_steps": epoch if validate else None,
        "seed": order.seed,
        "data_seed": order.seed,
        "bf16": gpu,
        "gradient_checkpointing": gpu,
        "dataloader_pin_memory": gpu,
        "use_cpu": not gpu,
        "report_to": "none",
        "disable_tqdm": True,
    }


def _best(directory: JobDirectory, order: Order, state: Any) -> Path | None:
    """The checkpoint that is the model in place of the last weights, where the job asks for an early stop."""
    best = best_of(directory, state) if order.early_stopping else None
    if best is None or best[0] == state.global_step:
        return None
    step, folder = best
    message = f"Training ended at step {state.global_step}; the model is that of step {step}, which validated best"
    directory.append({"type": "message", "level": "info", "message": message})
    return folder


def _publish(directory: JobDirectory, trainer: Any, tokenizer: Any, *, best: Path | None) -> None:
    """Move the model to its place in one step: the last weights, or those of a checkpoint."""
    partial = directory.partial
    shutil.rmtree(partial, ignore_errors=True)
    if best:
        shutil.copytree(best, partial)
        for state in states_of(partial):
            state.unlink()
    else:
        trainer.model.save_pretrained(str(partial))
    tokenizer.save_pretrained(str(partial))
    defaults = Path(directory.order().base) / DEFAULTS
    if defaults.is_file():  # who goes on from this model wants the base's own recipe too
        shutil.copy(defaults, partial)
    shutil.rmtree(directory.final, ignore_errors=True)
    partial.rename(directory.final)

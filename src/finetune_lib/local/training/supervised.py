"""Supervised fine-tuning: the model learns to write the answers."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from finetune_lib.local.training.method import OwnLoss, Setup, lost, spread
from finetune_lib.rendering.examples import sequences_within
from finetune_lib.rendering.renderer import Encoded, Renderer


class Supervised:
    """Learns each answer, token by token."""

    measure = "loss"
    is_worse = staticmethod(lost)

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._rows: Sequence[Encoded] = ()

    def take(self, row: Mapping[str, Any], limit: int, /) -> tuple[list[Encoded], bool]:
        """Its sequences."""
        return sequences_within(self._renderer, row, limit)

    def tokens(self, row: Encoded, /) -> int:
        """Of a sequence."""
        return len(row["input_ids"])

    def steps(self, rows: int, batch: int) -> int:
        """The last one may be smaller."""
        return math.ceil(rows / batch)

    def trainer(
        self, model: Any, tokenizer: Any, rows: Sequence[Encoded], held_out: Sequence[Encoded], setup: Setup
    ) -> Any:
        """TRL's."""
        self._rows = rows
        return TokenMeanTrainer(
            model=model,
            args=SFTConfig(**setup.settings, max_length=None, packing=False),
            train_dataset=Dataset.from_list(list(rows)),
            eval_dataset=Dataset.from_list(list(held_out)) if held_out else None,
            processing_class=tokenizer,
            callbacks=setup.callbacks,
            peft_config=setup.adapter,
        )

    def own(self, trainer: Any, /) -> OwnLoss:
        """Over learned tokens."""
        model, total, right, count = trainer.model, 0.0, 0, 0
        was_training = model.training
        model.eval()
        with torch.no_grad():
            for row in spread(self._rows):
                labels = torch.tensor(row["labels"][1:], device=model.device)
                logits = model(input_ids=torch.tensor([row["input_ids"]], device=model.device)).logits[0, :-1].float()
                learned = labels >= 0
                total += torch.nn.functional.cross_entropy(logits[learned], labels[learned], reduction="sum").item()
                right += int((logits[learned].argmax(-1) == labels[learned]).sum())
                count += int(learned.sum())
        model.train(was_training)
        return OwnLoss(total / max(count, 1), right / max(count, 1))

    def doubt(self, trainer: Any, tuned: OwnLoss) -> str | None:  # noqa: ARG002 - the seam's
        """A model that gets no token right."""
        if tuned.accuracy:
            return None
        return "The model chooses none of the learned tokens itself, not even on its own training examples"


class TokenMeanTrainer(SFTTrainer):
    """Validates by the mean over all learned tokens; a mean of the means of batches depends on the batch size."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._validated: list[tuple[int, float, float]] = []

    def prediction_step(self, model: Any, inputs: Any, *rest: Any, **options: Any) -> Any:
        loss, logits, labels = super().prediction_step(model, inputs, *rest, **options)
        count = int((inputs["labels"][:, 1:] >= 0).sum())
        self._validated.append((count, float(loss), self._metrics["eval"]["mean_token_accuracy"][-1]))
        return loss, logits, labels

    def log(self, logs: dict[str, float], *rest: Any, **options: Any) -> None:
        if "eval_loss" in logs and self._validated:
            total = sum(count for count, _, _ in self._validated)
            logs["eval_loss"] = sum(count * loss for count, loss, _ in self._validated) / total
            accuracy = sum(count * right for count, _, right in self._validated) / total
            self._metrics["eval"]["mean_token_accuracy"] = [accuracy]
            self._validated = []
        super().log(logs, *rest, **options)

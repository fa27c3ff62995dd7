"""What is told of a model is true: losses over tokens, not over batches, and whether tuning made it worse."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from trl import SFTTrainer

MEASURED_ROWS = 32


@dataclass(frozen=True, slots=True)
class OwnLoss:
    """How well a model knows rows that it was trained on.

    Attributes:
        loss: Mean cross-entropy in nats a learned token.
        accuracy: Share of the learned tokens that it would choose itself.
    """

    loss: float
    accuracy: float


def own_loss(model: Any, rows: Sequence[dict[str, list[int]]]) -> OwnLoss:
    """Measured on at most 32 rows, spread over the data; it draws no random number."""
    step = max(1, len(rows) // MEASURED_ROWS)
    total, right, count = 0.0, 0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for row in rows[::step][:MEASURED_ROWS]:
            labels = torch.tensor(row["labels"][1:], device=model.device)
            logits = model(input_ids=torch.tensor([row["input_ids"]], device=model.device)).logits[0, :-1].float()
            learned = labels >= 0
            total += torch.nn.functional.cross_entropy(logits[learned], labels[learned], reduction="sum").item()
            right += int((logits[learned].argmax(-1) == labels[learned]).sum())
            count += int(learned.sum())
    model.train(was_training)
    return OwnLoss(total / max(count, 1), right / max(count, 1))


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

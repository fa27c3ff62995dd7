"""Direct preference optimisation: the model learns to write the preferred answer rather than the other one.

Source: Rafailov, Sharma, Mitchell, Ermon, Manning and Finn, "Direct Preference Optimization: Your Language Model is
Secretly a Reward Model", 2023. The reference is the base as it was: what it gives each answer is computed once, before
the first step, so that no second model is held.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from peft import get_peft_model
from transformers import Trainer, TrainingArguments, set_seed

from finetune_lib.local.training.method import OwnLoss, Setup, lost, spread
from finetune_lib.local.training.recipe import BETA
from finetune_lib.rendering.examples import SIDES, pair_within
from finetune_lib.rendering.renderer import IGNORED, Encoded, Renderer

Pair = dict[str, Any]


class Preference:
    """Learns which of two answers is preferred."""

    measure = "loss"
    is_worse = staticmethod(lost)

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._pairs: Sequence[Pair] = ()

    def take(self, row: Mapping[str, Any], limit: int, /) -> tuple[list[Pair], bool]:
        """Both answers, each behind the prompt."""
        return pair_within(self._renderer, row, limit)

    def tokens(self, row: Pair, /) -> int:
        """Of both."""
        return sum(len(row[side]["input_ids"]) for side in SIDES)

    def steps(self, rows: int, batch: int) -> int:
        """The last one may be smaller."""
        return math.ceil(rows / batch)

    def trainer(self, model: Any, tokenizer: Any, rows: Sequence[Pair], held_out: Sequence[Pair], setup: Setup) -> Any:
        """With what the base gives each answer."""
        self._pairs, judged = _with_reference(model, rows), _with_reference(model, held_out)
        args = TrainingArguments(**setup.settings, remove_unused_columns=False)
        if setup.adapter is not None:
            set_seed(args.seed)
            model = get_peft_model(model, setup.adapter)
        return PreferenceTrainer(
            setup.recipe.beta or BETA,
            tokenizer.pad_token_id,
            model=model,
            args=args,
            train_dataset=self._pairs,
            eval_dataset=judged or None,
            processing_class=tokenizer,
            callbacks=setup.callbacks,
        )

    def own(self, trainer: Any, /) -> OwnLoss:
        """Over pairs."""
        pairs, model = spread(self._pairs), trainer.model
        was_training = model.training
        model.eval()
        with torch.no_grad():
            margins = torch.cat([trainer.margins(model, trainer.data_collator([pair]))[0] for pair in pairs])
        model.train(was_training)
        loss = -torch.nn.functional.logsigmoid(margins).mean()
        return OwnLoss(loss.item(), (margins > 0).float().mean().item())

    def doubt(self, trainer: Any, tuned: OwnLoss) -> str | None:  # noqa: ARG002 - the seam's
        """A model that orders no pair rightly."""
        if tuned.accuracy:
            return None
        return "The model prefers none of the preferred answers more than its base did, not even its own rows'"


def _with_reference(model: Any, rows: Sequence[Pair]) -> list[Pair]:
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found = [{**row, "reference": [_alone(model, row[side]) for side in SIDES]} for row in rows]
    model.train(was_training)
    return found


def _alone(model: Any, side: Encoded) -> float:
    batch = {name: torch.tensor([values], device=model.device) for name, values in side.items()}
    return log_likelihood(model(input_ids=batch["input_ids"]).logits, batch["labels"]).item()


def log_likelihood(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The log-probability of the learned tokens of each sequence, summed."""
    after = labels[:, 1:]
    chances = logits[:, :-1].float().log_softmax(-1)
    picked = chances.gather(-1, after.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (picked * (after != IGNORED)).sum(-1)


class PreferenceTrainer(Trainer):
    """Widens the margin between the preferred answers and the others, as the base sees both."""

    def __init__(self, beta: float, pad: int, **options: Any) -> None:
        self._beta, self._pad = beta, pad
        super().__init__(data_collator=self._collated, **options)
        self.model_accepts_loss_kwargs = False  # a step in parts is a mean of its parts
        self._seen: defaultdict[str, list[torch.Tensor]] = defaultdict(list)
        self._tokens = 0

    def _collated(self, pairs: Sequence[Pair]) -> dict[str, torch.Tensor]:
        sides = [pair[side] for side in SIDES for pair in pairs]
        longest = max(len(side["input_ids"]) for side in sides)

        def padded(name: str, filler: int) -> torch.Tensor:
            return torch.tensor([side[name] + [filler] * (longest - len(side[name])) for side in sides])

        ids = padded("input_ids", self._pad)
        mask = torch.tensor([[1] * len(side["labels"]) + [0] * (longest - len(side["labels"])) for side in sides])
        reference = torch.tensor([pair["reference"] for pair in pairs])
        return {"input_ids": ids, "attention_mask": mask, "labels": padded("labels", IGNORED), "reference": reference}

    def margins(self, model: Any, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, Any]:
        """By how much each preferred answer is likelier than the other one, beyond what the base thought; in beta."""
        here = {name: values.to(model.device) for name, values in batch.items()}
        output = model(input_ids=here["input_ids"], attention_mask=here["attention_mask"])
        chosen, rejected = log_likelihood(output.logits, here["labels"]).chunk(2)
        before = here["reference"]
        return self._beta * ((chosen - before[:, 0]) - (rejected - before[:, 1])), output

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean over pairs."""
        del num_items_in_batch
        margins, output = self.margins(model, inputs)
        name = "" if model.training else "eval_"
        self._seen[f"{name}rewards/margins"].append(margins.detach())
        self._seen[f"{name}rewards/accuracies"].append((margins > 0).float())
        self._tokens += int(inputs["attention_mask"].sum()) if model.training else 0
        loss = -torch.nn.functional.logsigmoid(margins).mean()
        return (loss, output) if return_outputs else loss

    def prediction_step(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
        with torch.no_grad():
            loss = self.compute_loss(model, inputs)
        return loss.detach(), None, None

    def log(self, logs: dict[str, float], *rest: Any, **options: Any) -> None:
        kind = "eval_" if "eval_loss" in logs else ""
        for name in (f"{kind}rewards/margins", f"{kind}rewards/accuracies"):
            if seen := self._seen.pop(name, []):
                logs[name] = torch.cat(seen).mean().item()
        super().log({**logs, "num_tokens": float(self._tokens)}, *rest, **options)

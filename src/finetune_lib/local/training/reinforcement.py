"""Reinforcement by a grader: a model answers, and learns from those of its answers that earn more than the others.

Source: Shao et al., "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models", 2024 (GRPO),
by TRL's trainer. What a model is asked, and what it has said, is told by the renderer that serves it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import RepeatSampler

from finetune_lib.concurrency import call, in_own_loop
from finetune_lib.evaluation.scorers import from_openai
from finetune_lib.local.training.bases import TrainingError
from finetune_lib.local.training.method import OwnLoss, Setup, spread
from finetune_lib.records import Answer, Case, ToolCall
from finetune_lib.rendering.renderer import Renderer
from finetune_lib.rows.messages import tools_of

LONGEST_ANSWER = 256
MEASURED = 8  # questions that are answered once more to see whether a model got better
NOT_ITEM = frozenset({"messages", "tools", "parallel_tool_calls"})
Row = dict[str, Any]


class Reinforcement:
    """Learns to give answers that a grader rewards."""

    measure = "reward"

    def __init__(self, renderer: Renderer, *, grader: Mapping[str, Any] | None, answer: int | None = None) -> None:
        self._renderer = renderer
        self._answer = answer or LONGEST_ANSWER
        self._score = from_openai(grader or {})
        self._rows: Sequence[Row] = ()
        self.failures: list[str] = []

    def take(self, row: Mapping[str, Any], limit: int, /) -> tuple[list[Row], bool]:
        """What is asked; none where no room is left for an answer."""
        asked = self._renderer.asked(row)
        if len(asked.ids) + self._answer > limit:
            return [], False
        item = {name: value for name, value in row.items() if name not in NOT_ITEM}
        return [{"ids": list(asked.ids), "text": asked.text, "item": item, "tools": tools_of(row)}], True

    def tokens(self, row: Row, /) -> int:
        """Of the question."""
        return len(row["ids"])

    def steps(self, rows: int, batch: int) -> int:
        """A step takes whole batches of questions alone."""
        return max(1, rows // batch)

    def trainer(self, model: Any, tokenizer: Any, rows: Sequence[Row], held_out: Sequence[Row], setup: Setup) -> Any:
        """TRL's, asked and read by the renderer."""
        self._rows = rows
        answers = setup.recipe.answers or 2
        settings = dict(setup.settings)
        for name in ("per_device_train_batch_size", "per_device_eval_batch_size"):
            settings[name] *= answers
        args = GRPOConfig(
            **settings,
            num_generations=answers,
            max_completion_length=self._answer,
            temperature=1.0,
            beta=0.0,
            disable_dropout=True,
            remove_unused_columns=False,
        )
        if len(ends := self._renderer.end_ids) == 1:  # what ends an answer must be one token that trl knows
            tokenizer.eos_token = tokenizer.convert_ids_to_tokens(ends[0])
        return RewardTrainer(
            [*rows, *held_out],
            model=model,
            reward_funcs=self._rewards([*rows, *held_out]),
            args=args,
            train_dataset=_numbered(0, len(rows)),
            eval_dataset=_numbered(len(rows), len(held_out)) if held_out else None,
            processing_class=tokenizer,
            callbacks=setup.callbacks,
            peft_config=setup.adapter,
        )

    def own(self, trainer: Any, /) -> OwnLoss:
        """The mean reward of its likeliest answers, below zero, and the share of questions with any."""
        rows, model = spread(self._rows, MEASURED), trainer.model
        was_training = model.training
        model.eval()
        with torch.no_grad():
            rewards = [self._reward(row, _likeliest(model, row, self._answer)) for row in rows]
        model.train(was_training)
        return OwnLoss(-sum(rewards) / len(rewards), sum(reward > 0 for reward in rewards) / len(rewards))

    def is_worse(self, metrics: Mapping[str, Any], base: OwnLoss) -> bool:
        """Whether a checkpoint earned less than the base."""
        reward = metrics.get("train_mean_reward")
        return reward is None or reward < -base.loss

    def doubt(self, trainer: Any, tuned: OwnLoss) -> str | None:
        """What may have kept it from learning."""
        if self.failures:
            return f"The grader failed, and the answer got no reward: {self.failures[0]}"
        spreads = [log["frac_reward_zero_std"] for log in trainer.state.log_history if "frac_reward_zero_std" in log]
        if spreads and min(spreads) == 1:
            return "All answers to a question got the same reward in every step, so nothing could be learned from them"
        return None if tuned.accuracy else "The model's likeliest answers get no reward, not even on its own questions"

    def _rewards(self, rows: Sequence[Row]) -> Callable[..., list[float]]:
        def grader(prompts: Sequence[str], completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
            return [self._reward(rows[int(prompt)], ids) for prompt, ids in zip(prompts, completion_ids, strict=True)]

        return grader

    def _reward(self, row: Row, ids: Sequence[int]) -> float:
        """A grader that fails gives nothing, as OpenAI's do."""
        case = Case("1", (), metadata=row["item"])
        try:
            return float(in_own_loop(call(self._score, self._said(row, ids), case)).value)
        except (ValueError, TimeoutError, RuntimeError) as error:
            self.failures.append(str(error))
            return 0.0

    def _said(self, row: Row, ids: Sequence[int]) -> Answer:
        """The answer as a server would tell it."""
        written = self._renderer.tokenizer.decode(ids, skip_special_tokens=False)
        found = self._renderer.read(written, prompt=row["text"], tools=row["tools"])
        if found is None:
            at = [place for end in self._renderer.ends if (place := written.find(end.strip())) >= 0]
            return Answer(written[: min(at, default=len(written))].strip())
        calls = (one["function"] for one in found.tool_calls)
        made = tuple(ToolCall(one["name"], one["arguments"]) for one in calls)
        return Answer(found.text, reasoning=found.reasoning, tool_calls=made)


def _numbered(first: int, count: int) -> Dataset:
    """Questions by their number: how they are asked, the trainer looks up."""
    return Dataset.from_list([{"prompt": str(first + number)} for number in range(count)])


def _likeliest(model: Any, row: Row, answer: int) -> list[int]:
    ids = torch.tensor([row["ids"]], device=model.device)
    written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=answer, do_sample=False)
    return written[0, ids.shape[1] :].tolist()


class RewardTrainer(GRPOTrainer):
    """Asks by the tokens of the renderer, in which people's words are no control tokens."""

    def __init__(self, rows: Sequence[Row], **options: Any) -> None:
        self._asked = [row["ids"] for row in rows]
        super().__init__(**options)

    def _tokenize_prompts(self, prompts: Sequence[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [self._asked[int(prompt)] for prompt in prompts], None, {}

    def _generate_single_turn(self, *given: Any, **options: Any) -> Any:
        try:
            return super()._generate_single_turn(*given, **options)
        except RuntimeError as error:
            if "probability tensor" not in str(error):
                raise
            reason = f"at step {self.state.global_step} the model's probabilities were no numbers any more"
            raise TrainingError("training_diverged", f"{reason}: lower learning_rate_multiplier") from error

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        usual: Any = super()._get_train_sampler(dataset)
        counts = usual.mini_repeat_count, usual.batch_size, usual.repeat_count
        return InOrderOfEpoch(usual.data_source, *counts, shuffle=usual.shuffle, seed=usual.seed)


class InOrderOfEpoch(RepeatSampler):
    """Shuffles each pass by its number, so that a run that goes on in a later pass sees what it would have seen."""

    def set_epoch(self, epoch: int) -> None:
        """The trainer tells which pass begins."""
        self.generator.manual_seed((self.seed or 0) + epoch)

"""How the next token is chosen from a model's numbers, for one answer by itself, be it alone or in company."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finetune_lib.local.inference import Sampling
from finetune_lib.local.serving.grammar import Grammar


@dataclass(frozen=True, slots=True)
class Chance:
    """A token that was chosen, how likely the model held it, and the likeliest ones."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()


class Drawing:
    """Chooses the tokens of one answer.

    Log-probabilities are those of the model, before temperature, penalties and grammar.
    """

    def __init__(self, sampling: Sampling, *, seed: int | None, device: Any, grammar: Grammar | None = None) -> None:
        import torch

        self.sampling, self.grammar = sampling, grammar
        self.chances: list[Chance] = []
        self._written: Counter[int] = Counter()
        self._random = torch.Generator(device)
        self._random.seed() if seed is None else self._random.manual_seed(seed)

    def choose(self, logits: Any) -> int:
        """The next token."""
        scores = self._weighed(logits.float())
        token = int(scores.argmax()) if self.sampling.temperature == 0 else self._drawn(scores)
        if self.sampling.logprobs is not None:
            self.chances.append(_chance(logits.float(), token, self.sampling.logprobs))
        if self.grammar:
            self.grammar.take(token)
        self._written[token] += 1
        return token

    def _weighed(self, scores: Any) -> Any:
        sampling = self.sampling
        if sampling.bias or sampling.presence_penalty or sampling.frequency_penalty:
            scores = scores.clone()
            for token, weight in sampling.bias:
                scores[token] += weight
            for token, count in self._written.items():
                scores[token] -= sampling.presence_penalty + count * sampling.frequency_penalty
        return self.grammar.masked(scores) if self.grammar else scores

    def _drawn(self, scores: Any) -> int:
        import torch

        scores = scores / self.sampling.temperature
        if self.sampling.top_p < 1:
            ascending, order = scores.sort()
            out = ascending.softmax(-1).cumsum(-1) <= 1 - self.sampling.top_p
            out[-1] = False
            scores = scores.masked_fill(out.scatter(0, order, out), -torch.inf)
        return int(torch.multinomial(scores.softmax(-1)[None], 1, generator=self._random))


def _chance(logits: Any, token: int, top: int) -> Chance:
    chances = logits.log_softmax(-1)
    values, tokens = chances.topk(min(top, len(chances)))
    pairs: Sequence[tuple[int, float]] = list(zip(tokens.tolist(), values.tolist(), strict=True))
    return Chance(token, float(chances[token]), tuple(pairs))

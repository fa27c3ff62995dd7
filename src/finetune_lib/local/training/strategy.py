"""Which weights of a base are trained: a rule of its size, the memory and the number of examples; pure.

Source of the ranks and rates: measured on `tiny` and SmolLM2-135M (2026-11-30), where LoRA on all linear layers, the
last layers and all weights learn the same rows; and Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Kind = Literal["full", "lora", "qlora", "last_layers"]
KINDS: Mapping[Kind, tuple[str, ...]] = {
    "full": (),
    "lora": ("rank", "alpha", "targets"),
    "qlora": ("rank", "alpha", "targets"),
    "last_layers": ("layers",),
}
LORA_FROM_PARAMETERS = 300_000_000
STATE = 16  # bytes a weight that is trained: in float32, with its gradient and AdamW's two moments
HALF, USABLE = 2, 0.8  # bytes a weight in bfloat16, and the share of the memory that weights may take
RANKS = ((100, 8), (10_000, 16))  # below so many examples
HIGHEST_RANK = 32
ALL_LINEAR = "all-linear"
LAST_LAYERS = 2


@dataclass(frozen=True, slots=True)
class Strategy:
    """What is trained of a base.

    Attributes:
        kind: `full`, all weights; `lora`, adapters beside frozen weights; `qlora`, the same beside weights of four
            bits; `last_layers`, the last layers alone.
        reason: Why, for the job's events.
        rank: Of adapters.
        alpha: What adapters are multiplied with, divided by the rank.
        targets: The layers that get adapters: `all-linear`, or their names.
        layers: How many of the last layers are trained.
    """

    kind: Kind
    reason: str
    rank: int = 0
    alpha: int = 0
    targets: str | tuple[str, ...] = ALL_LINEAR
    layers: int = 0

    @property
    def adapted(self) -> bool:
        """Whether adapters are trained."""
        return self.kind in ("lora", "qlora")

    def __str__(self) -> str:
        numbers = {
            "lora": f" of rank {self.rank}",
            "qlora": f" of rank {self.rank}",
            "last_layers": f" ({self.layers})",
        }
        return f"{self.kind}{numbers.get(self.kind, '')}: {self.reason}"


def strategy_for(
    wanted: Mapping[str, Any] | str | None, *, parameters: int, examples: int, memory: int, continued: bool
) -> Strategy:
    """What is asked for, else what the size of base and data and the memory suggest.

    All weights of a base under 300 million are trained where 16 bytes of each fit into memory, adapters of larger ones,
    and those beside weights of four bits where weights of two bytes take more than four fifths of it.

    Args:
        wanted: As the job asks: a kind, or one with its numbers, as `{"type": "lora", "rank": 16}`.
        parameters: Of the base.
        examples: That are trained on.
        memory: Bytes, of the card where there is one.
        continued: Whether the base is an adapter itself, which goes on as such.
    """
    asked: Mapping[str, Any] = {"type": wanted} if isinstance(wanted, str) else wanted or {}
    if continued:
        return _of("lora", {}, examples, "the adapter that it begins with is trained further")
    if "type" in asked:
        return _of(cast("Kind", asked["type"]), asked, examples, "asked for")
    size = f"{parameters / 1e6:,.1f} million weights"
    if parameters < LORA_FROM_PARAMETERS and parameters * STATE <= memory:
        return _of("full", {}, examples, f"{size} and what training them takes fit into memory")
    if parameters * HALF > memory * USABLE:
        return _of("qlora", {}, examples, f"{size} of two bytes take more than four fifths of the memory")
    return _of("lora", {}, examples, f"{size}, {examples:,} examples")


def _of(kind: Kind, asked: Mapping[str, Any], examples: int, reason: str) -> Strategy:
    if kind == "last_layers":
        return Strategy(kind, reason, layers=asked.get("layers", LAST_LAYERS))
    if kind == "full":
        return Strategy(kind, reason)
    rank = asked.get("rank") or next((rank for below, rank in RANKS if examples < below), HIGHEST_RANK)
    targets = asked.get("targets") or ALL_LINEAR
    named = targets if isinstance(targets, str) else tuple(targets)
    return Strategy(kind, reason, rank=rank, alpha=asked.get("alpha") or 2 * rank, targets=named)


def strategy_problem(wanted: object) -> str | None:
    """What is wrong with a strategy that a job asks for, in words; None where nothing is."""
    if wanted is None or (isinstance(wanted, str) and wanted in KINDS):
        return None
    asked: Mapping[str, Any] = cast("Mapping[str, Any]", wanted) if isinstance(wanted, Mapping) else {}
    kind: Any = asked.get("type")
    if kind not in get_args(Kind):
        return f"one of {', '.join(KINDS)}, or an object with one of them as its type"
    known = KINDS[cast("Kind", kind)]
    if unknown := sorted(set(asked) - {"type", *known}):
        return f"a strategy {kind} without {', '.join(unknown)}; it has {', '.join(known) or 'no numbers'}"
    for name in ("rank", "alpha", "layers"):
        value = asked.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1024):
            return f"a {name} from 1 to 1024"
    targets: Any = asked.get("targets")
    listed: list[object] = cast("list[object]", targets) if isinstance(targets, list) and targets else [targets]
    if targets is not None and not all(isinstance(name, str) and name for name in listed):
        return "targets as names of layers, or all-linear"
    return None

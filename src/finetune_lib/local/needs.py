"""What a training needs on this machine: time, memory and disk, by a rule over the numbers of the base and the data.

The rule, from how `training` works, with its constants measured on `tiny` (Intel CPU, 2 cores, 2026-12-01):

- memory: the process itself; of a base that is trained as a whole its weights, gradients and AdamW's two moments, of
  one with adapters its weights and, at a hundredth of them, the same of the adapters; and for each token of a step the
  values that the way back needs, of each layer and of the vocabulary.
- disk: three kept checkpoints and the one that is written, each with weights and moments, and the model.
- time: the start of the process, each step, each checkpoint, and 6 operations a weight and token (4 with adapters) and
  those of attention. Earlier trainings on this machine correct it.

On a GPU memory is told by the same rule, and time by earlier trainings alone: neither was measured there.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finetune_lib.local.training.recipe import Recipe
from finetune_lib.local.training.strategy import LORA_FROM_PARAMETERS

GB = 10**9
PROCESS_BYTES = 0.55e9
WEIGHT, STATE = 4, 16  # bytes a weight: in float32; with its gradient and AdamW's two moments
HALF = 2  # in bfloat16, as a frozen base lies on a GPU
SAVED = 12  # in a checkpoint: the weight and the two moments
ADAPTER_SHARE = 0.01
# Values a token that a layer keeps, as multiples of its two sizes; of the vocabulary; and what allocation adds.
HIDDEN_VALUES, INNER_VALUES, VOCABULARY_VALUES, SPARE = 16, 5, 3, 1.2
KEPT_CHECKPOINTS = 3
START_SECONDS, STEP_SECONDS, SAVE_SECONDS, SAVE_BYTES_A_SECOND = 5.0, 0.008, 0.05, 200e6
OPERATIONS_A_CORE = 40e9  # a second; of two cores one does the work of both in small products
HEADER = 8  # bytes before the header of a safetensors file that tell its length
LINKS = 3  # an adapter on an adapter on a base: what is deeper is not followed


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a base.

    Attributes:
        parameters: All of its weights.
        layers: Their number.
        hidden: Numbers that stand for a token between them.
        inner: Numbers in the middle of a layer.
        vocabulary: Tokens that it knows.
        context: Tokens that it reads at most.
    """

    parameters: int
    layers: int
    hidden: int
    inner: int
    vocabulary: int
    context: int

    @property
    def adapted(self) -> bool:
        """Whether adapters are trained in place of all weights."""
        return self.parameters >= LORA_FROM_PARAMETERS


TINY_SHAPE = Shape(parameters=919_936, layers=4, hidden=128, inner=384, vocabulary=260, context=4096)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Attributes:
        examples: Their number.
        tokens: Of all examples together.
        longest: Of the longest example.
        validation_tokens: Of all validation examples together.
    """

    examples: int
    tokens: int
    longest: int
    validation_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """What is free here.

    Attributes:
        memory_bytes: Where training runs: of the GPU where there is one.
        disk_bytes: Below the platform's folder.
        cores: Of the CPU.
        gpu: Whether there is one.
    """

    memory_bytes: int
    disk_bytes: int
    cores: int
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What a training needs; `told` gives it as the wire does.

    Attributes:
        seconds: From its start to its end; None where that is not known.
        memory_bytes: At its peak.
        disk_bytes: At its peak; a part of it stays.
    """

    seconds: float | None
    memory_bytes: int
    disk_bytes: int

    def told(self, machine: Machine) -> dict[str, Any]:
        """The needs beside what is free."""
        fits = self.memory_bytes <= machine.memory_bytes and self.disk_bytes <= machine.disk_bytes
        free = {"free_memory_bytes": machine.memory_bytes, "free_disk_bytes": machine.disk_bytes}
        return {**asdict(self), **free, "fits": fits, "largest_parameters": largest(machine)}


def needs(shape: Shape, recipe: Recipe, work: Work, machine: Machine, *, pace: float | None = None) -> Needs:
    """What a training needs by the rule of this module; `pace` is how much slower earlier ones were than it."""
    steps = math.ceil(work.examples / recipe.batch_size) * recipe.n_epochs
    longest = min(work.longest, shape.context)
    seconds = seconds_of(shape, machine, steps=steps, epochs=recipe.n_epochs, work=work)
    trained = shape.parameters * (ADAPTER_SHARE if shape.adapted else 1.0)
    frozen = shape.parameters * (HALF if machine.gpu else WEIGHT) if shape.adapted else 0
    activations = recipe.batch_size * longest * _token_bytes(shape, machine)
    saved = trained * SAVED * min(recipe.n_epochs, KEPT_CHECKPOINTS + 1)
    return Needs(
        seconds=None if machine.gpu and pace is None else seconds * (pace or 1.0),
        memory_bytes=round(PROCESS_BYTES * (not machine.gpu) + trained * STATE + frozen + activations),
        disk_bytes=round(saved + trained * WEIGHT),
    )


def seconds_of(shape: Shape, machine: Machine, *, steps: int, epochs: int, work: Work) -> float:
    """The seconds of a training on a CPU by the rule, before any correction."""
    mean = min(work.tokens / max(work.examples, 1), shape.context)
    attention = 12 * shape.layers * shape.hidden * mean
    learning = (4 if shape.adapted else 6) * shape.parameters + attention
    looking = 2 * shape.parameters + attention / 3
    operations = epochs * (work.tokens * learning + work.validation_tokens * looking)
    trained = shape.parameters * (ADAPTER_SHARE if shape.adapted else 1.0)
    saving = epochs * (SAVE_SECONDS + trained * SAVED / SAVE_BYTES_A_SECOND)
    return START_SECONDS + steps * STEP_SECONDS + saving + operations / (OPERATIONS_A_CORE * machine.cores)


def largest(machine: Machine) -> int:
    """About how many weights a base may have to be trained in this memory, a quarter of it left for the data."""
    free = machine.memory_bytes * 0.75 - (0 if machine.gpu else PROCESS_BYTES)
    each = (HALF if machine.gpu else WEIGHT) + ADAPTER_SHARE * STATE
    found = max(0, int(free / each))
    return found if found >= LORA_FROM_PARAMETERS else min(LORA_FROM_PARAMETERS, max(0, int(free / STATE)))


def _token_bytes(shape: Shape, machine: Machine) -> float:
    """What one token of a step takes; on a GPU layers are computed again on the way back, one at a time."""
    layer = HIDDEN_VALUES * shape.hidden + INNER_VALUES * shape.inner
    layers = shape.layers * shape.hidden + layer if machine.gpu else shape.layers * layer
    return WEIGHT * SPARE * (layers + VOCABULARY_VALUES * shape.vocabulary)


def shape_of(folder: Path) -> Shape | None:
    """The size of a base that lies in a folder, or of the base of an adapter there; None where it does not tell."""
    try:
        for _ in range(LINKS):
            if not (folder / "adapter_config.json").is_file():
                break
            folder = Path(json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"])
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        config |= config.get("text_config") or {}
        hidden = int(config["hidden_size"])
        return Shape(
            parameters=sum(map(_weights, folder.glob("*.safetensors"))),
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            inner=int(config.get("intermediate_size") or 4 * hidden),
            vocabulary=int(config["vocab_size"]),
            context=int(config.get("max_position_embeddings") or 2**31),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None


def _weights(file: Path) -> int:
    """The weights in a safetensors file, by its header."""
    with file.open("rb") as opened:
        (size,) = struct.unpack("<Q", opened.read(HEADER))
        header: Mapping[str, Any] = json.loads(opened.read(size))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def cached_bases() -> Iterator[tuple[str, Path]]:
    """The models of a hub that lie on this machine, each with its folder."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        found = scan_cache_dir().repos
    except (CacheNotFound, OSError, ValueError):
        return
    for repo in found:
        for revision in repo.revisions:
            if repo.repo_type == "model" and (revision.snapshot_path / "config.json").is_file():
                yield repo.repo_id, revision.snapshot_path
                break

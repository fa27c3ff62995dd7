"""The settings of a job: checked all at once before anything is sent, and put into the request that creates it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from finetune_lib.platforms.kinds import Kind

TrainingMethod = Literal["supervised", "dpo", "reinforcement"]
AUTO = "auto"
MOST_SEED = 2**31 - 1
# OpenAI's OpenAPI document f85dbe2: metadata, and the hyperparameters of each method with their ranges.
MOST_PAIRS, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
SHARED = {"n_epochs": (1, 50), "batch_size": (1, 256), "learning_rate_multiplier": (0, None)}
HYPERPARAMETERS: Mapping[str, Mapping[str, tuple[float, float | None]]] = {
    "supervised": SHARED,
    "dpo": {**SHARED, "beta": (0, 2)},
    "reinforcement": {
        **SHARED,
        "compute_multiplier": (0, 10),
        "eval_interval": (1, None),
        "eval_samples": (1, None),
    },
}
EFFORTS = ("default", "low", "medium", "high")
# Those that may be any number above zero, and not zero itself.
ABOVE = frozenset({"learning_rate_multiplier", "beta", "compute_multiplier"})
# Fields of the request that are made of other settings; in `extra` they would hide what the job is found by.
OWN = frozenset(
    {"model", "training_file", "validation_file", "method", "hyperparameters", "suffix", "seed", "metadata"}
)
MARK = "finetune_lib_key"  # the pair of metadata by which a job is found again


@dataclass(frozen=True)
class Settings:
    """How a job trains.

    Attributes:
        method: `supervised`, `dpo` or `reinforcement`.
        hyperparameters: As the method has them; the platform chooses the rest.
        suffix: What the new model's name carries.
        seed: For repeatable training.
        metadata: Pairs of text kept with the job.
        grader: What gives a reward, of `reinforcement`.
        response_format: The form of answers, of `reinforcement`.
        integrations: Services that the platform reports to, as OpenAI's `integrations`.
        extra: Fields of the platform's own, beside OpenAI's.
    """

    _: KW_ONLY
    method: TrainingMethod = "supervised"
    hyperparameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    suffix: str | None = None
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    grader: Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    integrations: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def problems(self, kind: Kind) -> Iterator[str]:
        """Everything that a platform of this kind would refuse, in words."""
        if self.method not in kind.methods:
            yield f"{kind.title} trains by {' or '.join(kind.methods)}, not {self.method!r}"
        if self.suffix is not None and not (_is_text(self.suffix) and kind.suffix.fullmatch(self.suffix)):
            yield f"suffix {self.suffix!r} does not fit {kind.title}: it takes {kind.suffix.pattern}"
        if self.seed is not None and not (_is_whole(self.seed) and 0 <= self.seed <= MOST_SEED):
            yield f"seed is a whole number from 0 to {MOST_SEED}, not {self.seed!r}"
        yield from self._metadata_problems(kind)
        yield from self._hyperparameter_problems(kind)
        if (self.grader is None) is (self.method == "reinforcement"):
            yield f"grader= belongs to method='reinforcement', and that one needs it (here: {self.method!r})"
        if self.response_format is not None and self.method != "reinforcement":
            yield "response_format= belongs to method='reinforcement'"
        if own := sorted(OWN.intersection(self.extra)):
            yield f"extra= has {', '.join(own)}, which have a way of their own"
        yield from self._unsendable()

    def _unsendable(self) -> Iterator[str]:
        """What JSON has no form for."""
        for name in ("grader", "response_format", "integrations", "extra"):
            try:
                json.dumps(getattr(self, name), allow_nan=False)
            except (TypeError, ValueError) as error:
                yield f"{name}= cannot be sent as JSON: {error}"

    def _metadata_problems(self, kind: Kind) -> Iterator[str]:
        most = MOST_PAIRS - (1 if kind.metadata else 0)
        if len(self.metadata) > most:
            yield f"metadata has {len(self.metadata)} pairs; at most {most} are kept (one is for finding the job again)"
        for name, value in self.metadata.items():
            if name == MARK:
                yield f"metadata[{name!r}] is kept for finding the job again"
            elif not (_is_text(name, LONGEST_NAME) and _is_text(value, LONGEST_VALUE)):
                yield f"metadata[{name!r}] must be text: names to {LONGEST_NAME}, values to {LONGEST_VALUE} characters"

    def _hyperparameter_problems(self, kind: Kind) -> Iterator[str]:
        known = HYPERPARAMETERS.get(self.method, {})
        for name, value in self.hyperparameters.items():
            if name == "reasoning_effort" and self.method == "reinforcement":
                if value not in EFFORTS:
                    yield f"reasoning_effort is one of {', '.join(EFFORTS)}, not {value!r}"
            elif name not in known:
                if kind.takes == "hosted":
                    yield f"{self.method} has no hyperparameter {name!r}; it has {', '.join(known)}"
            elif not _in_range(value, name, *known[name]):
                low, high = known[name]
                bounds = f"{'above' if name in ABOVE else 'at least'} {low:g}" + (f", at most {high:g}" if high else "")
                yield f'{name} is "auto" or a number {bounds}, not {value!r}'

    def body(self, kind: Kind, *, model: str, files: Mapping[str, str], mark: str) -> dict[str, Any]:
        """The body of the request that creates the job."""
        own: dict[str, Any] = {"hyperparameters": dict(self.hyperparameters)} if self.hyperparameters else {}
        if self.grader is not None:
            own["grader"] = dict(self.grader)
        if self.response_format is not None:
            own["response_format"] = dict(self.response_format)
        metadata = {**self.metadata, **({MARK: mark} if kind.metadata else {})}
        options = {
            "suffix": self.suffix,
            "seed": self.seed,
            "metadata": metadata or None,
            "integrations": [dict(one) for one in self.integrations] or None,
        }
        given = {name: value for name, value in options.items() if value is not None}
        return {
            "model": model,
            "method": {"type": self.method, self.method: own},
            **files,
            **kind.body,
            **given,
            **self.extra,
        }

    @property
    def content(self) -> str:
        """What makes two jobs on the same data the same; metadata does not."""
        told = {name: value for name, value in vars(self).items() if name != "metadata"}
        return json.dumps(told, sort_keys=True, default=str)


def _is_text(value: object, most: float = math.inf) -> bool:
    return isinstance(value, str) and len(value) <= most


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _in_range(value: Any, name: str, low: float, high: float | None) -> bool:
    if value == AUTO:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    if name not in ABOVE and not isinstance(value, int):
        return False
    return (value > low if name in ABOVE else value >= low) and (high is None or value <= high)

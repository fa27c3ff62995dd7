"""The rules that data is held against: those of one target, method and model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Literal, cast, get_args

from finetune_lib import catalog
from finetune_lib.data.checks.form.graders import grader_fields
from finetune_lib.data.checks.profiles import Form, Profile, profiles
from finetune_lib.data.diagnostics import Diagnostic
from finetune_lib.records import Method, kind_of

Target = Literal["openai", "azure", "compatible", "local", "together", "fireworks", "mistral", "trl"]
MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "weight", "refusal", "audio", "tool_calls", "tool_call_id", "function_call"}
)
PREFERENCE_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
PAIR_KEYS = frozenset({"prompt", "completion"})
LIMITS = frozenset(
    {"minimum", "maximum", "upload_bytes", "file_bytes", "image_bytes", "images_per_example", "image_examples"}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one target, method and model.

    Attributes:
        target: Whose rules; by default those of the model's platform, or without one OpenAI's format, which the
            others build on, without its dates.
        method: The training method.
        model: The base model; None leaves its limits unchecked.
        grader: The grader of a reinforcement job as the platform takes it.
        limits: Limits of a service that are not those of the table, each by its name in `LIMITS` with its number.
        grader_fields: The fields that the grader reads of each row.
        facts: What the catalogue knows of the model.
        profile: The target's section of the table, with the limits of the service.
    """

    target: Target | None = None
    method: Method = "supervised"
    model: str | None = None
    grader: Mapping[str, Any] | None = None
    limits: tuple[tuple[str, int], ...] = ()
    grader_fields: frozenset[str] = field(init=False, repr=False)
    facts: catalog.ModelFacts | None = field(init=False, repr=False, compare=False)
    profile: Profile = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the grader and look the model up once, and refuse targets, methods and limits that there are not."""
        if self.target is not None and self.target not in get_args(Target):
            raise ValueError(f"there is no target {self.target!r}; there are {', '.join(get_args(Target))}")
        if self.method not in get_args(Method):
            raise ValueError(f"there is no method {self.method!r}; there are {', '.join(get_args(Method))}")
        if unknown := [name for name, _ in self.limits if name not in LIMITS]:
            raise ValueError(f"there is no limit {unknown[0]!r}; there are {', '.join(sorted(LIMITS))}")
        object.__setattr__(self, "grader_fields", grader_fields(self.grader or {}))
        object.__setattr__(self, "facts", catalog.find(self.model) if self.model else None)
        if self.target is None and self.facts:
            object.__setattr__(self, "target", self.facts.platform)
        own: dict[str, Any] = dict(self.limits)
        if "maximum" in own:
            own["maximum"] = {self.method: own["maximum"]}
        object.__setattr__(self, "profile", replace(profiles()[self.target or "default"], **own))

    @property
    def name(self) -> str:
        """What findings call the target."""
        return self.profile.name

    @property
    def kinds(self) -> tuple[Form, ...]:
        """The forms of a row that the method learns from; OpenAI's where the target does not offer the method."""
        return self.profile.formats.get(self.method) or profiles()["openai"].formats[self.method]

    @property
    def maximum(self) -> int:
        """The most examples that are trained on; 0 where no limit is known."""
        return self.profile.maximum.get(self.method, 0)

    @property
    def training_limit(self) -> float:
        """Tokens that the model learns of one example; infinite where no limit is known."""
        return self.facts.training_limit if self.facts else inf

    @property
    def extra_keys(self) -> bool:
        """Whether a row may have further keys: reinforcement's graders read them."""
        return self.method == "reinforcement" or self.profile.severity.get("S306") == "off"

    @property
    def learns_plain_chats(self) -> bool:
        """Whether a row that `plain_chat.is_plain` says is plain has no finding about its form under these rules."""
        return self.method == "supervised"

    def call_id_fits(self, id: str) -> bool:
        """Whether the id of a tool call looks as the target wants it."""
        form = self.profile.call_id_form
        return not form or re.fullmatch(form, id) is not None

    def weigh(self, finding: Diagnostic) -> Diagnostic | None:
        """The finding with the severity that it has at the target; None where it is none there."""
        own = self.profile.severity.get(finding.code)
        if own is None or own == finding.severity:
            return finding
        return None if own == "off" else replace(finding, severity=own)

    def remedy(self, kind: Form) -> str:
        """How to come from rows of another kind to what the method needs."""
        if kind == "completion":
            return 'turn the pairs into chats: Dataset.load(path, system="…")'
        return f'pass method="{"dpo" if kind == "preference" else "supervised"}", or bring other data'


def form_of(data: Mapping[str, Any], rules: Rules) -> Form:
    """The form of a row; plain text alone is one only where the target learns from it."""
    kind = kind_of(data)
    if kind == "unknown" and isinstance(data.get("text"), str) and "text" in rules.kinds:
        return "text"
    return cast("Form", kind)

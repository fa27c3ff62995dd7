"""What platforms differ in: one frozen value a kind, with flags for what it offers.

Nothing else asks a platform's name. A service that is added here is known by its address. Sources stand beside the
values; what was tried, and against what, is told in docs/reference/platforms.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

ENDED = frozenset({"succeeded", "failed", "cancelled"})
_OPENAIS = ENDED | {"validating_files", "queued", "running", "paused"}
# From the words of other platforms (Azure, LiteLLM, Mistral, older Azure) to OpenAI's own.
STATUSES: Mapping[str, str] = {
    "pending": "queued",
    "notrunning": "queued",
    "started": "running",
    "validating": "validating_files",
    "validated": "queued",
    "in_progress": "running",
    "success": "succeeded",
    "completed": "succeeded",
    "failed_validation": "failed",
    "error": "failed",
    "canceled": "cancelled",
    "cancellation_requested": "running",
    "deleted": "cancelled",
    "pausing": "paused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What one kind of platform takes and tells.

    Attributes:
        name: As `connect` and reports call it.
        title: As people call it.
        hosts: Its official hosts, or the ends of their names.
        target: The rules that `Dataset.validate` holds data for it against.
        takes: The models that it may be sent: `hosted` ones of its own alone, `any` that it has itself (folders and
            names of a hub among them), or those of its own `list`.
        fine_tuning: Whether it speaks OpenAI's protocol of fine-tuning jobs.
        instead: What to do where it does not.
        listed_prices: Whether the prices and dates of the catalogue are its own.
        free: Whether calls and training cost no money.
        batch_share: The share of the price that calls in a batch cost.
        account: Whether organisation and project of the environment are told to it.
        proxied: Whether the proxies of the environment lead to it.
        suffix: What a suffix may look like.
        body: What it wants beside OpenAI's own fields when a job is created.
        metadata: Whether it keeps the metadata of a job, and lists by it.
        events: Whether it tells the events of a job.
        idempotent: Whether it knows a request that is sent twice by its `Idempotency-Key`.
        uploads: Whether it takes files in parts.
        pauses: Whether jobs can be paused and resumed.
        webhooks: Whether it tells the end of a job by a signed webhook.
        deploys: Whether a tuned model answers only once it is deployed.
        estimates: Whether it tells what a training needs: time, memory, disk.
        methods: The methods that it trains by.
    """

    name: str
    title: str
    hosts: tuple[str, ...] = ()
    target: Literal["openai", "azure", "local", "compatible", "together", "fireworks", "mistral"] = "compatible"
    takes: Literal["hosted", "any", "list"] = "list"
    fine_tuning: bool = True
    instead: str = ""
    listed_prices: bool = False
    free: bool = False
    batch_share: float = 1.0
    account: bool = False
    proxied: bool = True
    suffix: re.Pattern[str] = re.compile(r".{1,64}", re.DOTALL)
    body: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: bool = True
    events: bool = True
    idempotent: bool = False
    uploads: bool = True
    pauses: bool = False
    webhooks: bool = False
    deploys: bool = False
    estimates: bool = False
    methods: tuple[str, ...] = ("supervised", "dpo", "reinforcement")


OPENAI = Kind(
    name="openai",
    title="OpenAI",
    hosts=("api.openai.com", ".api.openai.com"),
    target="openai",
    takes="hosted",
    listed_prices=True,
    batch_share=0.5,  # developers.openai.com/docs/guides/batch
    account=True,
    pauses=True,
    webhooks=True,
)
# Microsoft Learn, fine-tuning by REST: a suffix of 40 characters; BerriAI/litellm#24687: a job without `trainingType`
# is refused as "The specified base model does not support fine-tuning".
AZURE = Kind(
    name="azure",
    title="Azure",
    hosts=(".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", "management.azure.com"),
    target="azure",
    takes="hosted",
    suffix=re.compile(r"[A-Za-z0-9_-]{1,40}"),
    body={"trainingType": "GlobalStandard"},
    pauses=True,
    deploys=True,
)
LOCAL = Kind(
    name="local",
    title="the local platform",
    target="local",
    takes="any",
    free=True,
    proxied=False,
    suffix=re.compile(r"[\w. -]{1,64}"),
    pauses=True,
    idempotent=True,
    estimates=True,
)
COMPATIBLE = Kind(name="compatible", title="an OpenAI-compatible service", uploads=False)
NEBIUS = Kind(
    name="nebius",
    title="Nebius",
    hosts=("api.tokenfactory.nebius.com", "api.studio.nebius.com"),
    metadata=False,
    uploads=False,
    methods=("supervised",),
)
MISTRAL = Kind(
    name="mistral",
    title="Mistral",
    hosts=("api.mistral.ai",),
    target="mistral",
    fine_tuning=False,
    instead="its jobs have a body of their own (training_files, auto_start): use Mistral's client for them",
)
TOGETHER = Kind(
    name="together",
    title="Together",
    hosts=("api.together.xyz", "api.together.ai"),
    target="together",
    fine_tuning=False,
    instead="its jobs are at /v1/fine-tunes in a protocol of their own: use Together's client for them",
)
FIREWORKS = Kind(
    name="fireworks",
    title="Fireworks",
    hosts=("api.fireworks.ai",),
    target="fireworks",
    fine_tuning=False,
    instead="its jobs are supervisedFineTuningJobs in a protocol of their own: use firectl for them",
)
KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (OPENAI, AZURE, LOCAL, COMPATIBLE, NEBIUS, MISTRAL, TOGETHER, FIREWORKS)
}


def kind_at(address: str) -> Kind:
    """The kind of the platform at an address: of an official host its own, else a compatible service."""
    host = urlsplit(address).hostname or ""
    return next((kind for kind in KINDS.values() if any(map(partial(_is_at, host), kind.hosts))), COMPATIBLE)


def _is_at(host: str, known: str) -> bool:
    return host.endswith(known) if known.startswith(".") else host == known


def status_of(word: object) -> str:
    """OpenAI's word for what a platform says of a job; an unknown word as it is, nothing as `unknown`."""
    said = str(word or "unknown").strip()
    low = said.lower()
    return STATUSES.get(low, low if low in _OPENAIS else said)

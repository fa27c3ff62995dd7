"""Deployments of tuned models, which Azure makes through its management plane."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.errors import PlatformError
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.platform import TOO_MANY, Platform
from finetune_lib.platforms.secrets import scrubbed
from finetune_lib.shown import Shown

if TYPE_CHECKING:
    import httpx2

MANAGEMENT = "https://management.azure.com"
VERSION = "2024-10-01"  # of the management plane; Microsoft Learn, Cognitive Services: Deployments - Create Or Update
SHOWN, POLL_SECONDS = 200, 2.0
READY, BROKEN = "succeeded", frozenset({"failed", "canceled", "deleting", "disabled"})


def az_command(model: str, *, resource_group: str, account: str) -> str:
    """The command line that deploys a tuned model; Microsoft Learn, fine-tuning: deploy a model."""
    return (
        f"az cognitiveservices account deployment create --resource-group {resource_group} --name {account} "
        f"--deployment-name {name_for(model)} --model-name {model} --model-version 1 --model-format OpenAI "
        "--sku-capacity 1 --sku-name Standard"
    )


def name_for(model: str) -> str:
    """The name of a model's deployment, which takes fewer characters than that of a model."""
    return re.sub(r"[^\w.-]+", "-", model)[-60:].strip("-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureDeployment(Shown):
    """A deployment on Azure as it is wanted: where, of what kind and size.

    Attributes:
        subscription: The id of the subscription.
        resource_group: The resource group.
        account: The resource of Azure OpenAI or Foundry.
        token: Gives a token for the management plane each time, as azure-identity's `get_bearer_token_provider` makes
            one for `https://management.azure.com/.default`.
        name: Of the deployment; by default it is made of the model's.
        sku: Its kind, as `Standard`, `GlobalStandard` or `DeveloperTier`.
        capacity: In thousands of tokens a minute.
        management: The address of the management plane.
    """

    subscription: str
    resource_group: str
    account: str
    token: Callable[[], str]
    name: str | None = None
    sku: str = "Standard"
    capacity: int = 1
    management: str = MANAGEMENT

    def address(self, deployment: str) -> str:
        """The resource of a deployment."""
        return (
            f"{self.management.rstrip('/')}/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.CognitiveServices/accounts/{self.account}/deployments/{deployment}"
        )


async def deployed(platform: Platform, model: str, wanted: AzureDeployment, *, patience: Patience) -> str:
    """Deploy a model, and wait until it is there; the same call again changes nothing. Gives the deployment's name.

    Raises:
        PlatformError: Azure refuses, or the time is over.
        PolicyError: The policy forbids the management plane.
    """
    name = wanted.name or name_for(model)
    model_told = {"format": "OpenAI", "name": model, "version": "1"}
    body = {"sku": {"name": wanted.sku, "capacity": wanted.capacity}, "properties": {"model": model_told}}
    async with platform.async_http() as http:

        async def ask(method: str, content: Mapping[str, Any] | None) -> str:
            headers = {"Authorization": f"Bearer {wanted.token()}"}
            with platform.calls(f"deploy {model}"):
                answer = await _sent(http, method, wanted.address(name), headers, content, patience.answer_seconds)
            return _state(answer, f"deploy {model} as {name}", headers)

        state = await patience.trying(lambda: ask("PUT", body))
        while state != READY:
            if state in BROKEN or patience.left <= 0:
                left = "" if state in BROKEN else "; it goes on: call again to wait for it"
                raise PlatformError(f"the deployment {name} of {model} is {state or 'not described'}{left}", code=state)
            await patience.sleep(min(POLL_SECONDS, max(0.0, patience.left)))
            state = await patience.trying(lambda: ask("GET", None))
    return name


async def _sent(
    http: httpx2.AsyncClient,
    method: str,
    address: str,
    headers: Mapping[str, str],
    content: Mapping[str, Any] | None,
    seconds: float,
) -> httpx2.Response:
    """An answer of the management plane.

    Raises:
        PlatformError: There is none.
    """
    import httpx2

    try:
        return await http.request(
            method, address, params={"api-version": VERSION}, headers=dict(headers), json=content, timeout=seconds
        )
    except httpx2.HTTPError as error:
        raise PlatformError(
            f"no answer from Azure's management plane ({type(error).__name__})", retryable=True
        ) from None


def _state(answer: httpx2.Response, doing: str, headers: Mapping[str, str]) -> str:
    """How far a deployment is, in small letters.

    Raises:
        PlatformError: The request was refused.
    """
    try:
        told: Any = answer.json()
    except ValueError:
        told = None
    found = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    if answer.status_code >= 400 or not found:
        reason: Any = found.get("error") or answer.text
        words: Any = cast("dict[str, Any]", reason).get("message") if isinstance(reason, dict) else reason
        token = headers["Authorization"].removeprefix("Bearer ")
        raise PlatformError(
            f"could not {doing}: Azure answered {answer.status_code}: {scrubbed(str(words), [token])[:SHOWN]}",
            status_code=answer.status_code,
            retryable=answer.status_code in {408, TOO_MANY} or answer.status_code >= 500,
        )
    properties: Any = found.get("properties")
    state: Any = cast("dict[str, Any]", properties).get("provisioningState") if isinstance(properties, dict) else None
    return str(state or "").lower()

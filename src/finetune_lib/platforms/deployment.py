"""Deployments of tuned models, which Azure makes through its management plane."""

from __future__ import annotations

import re


def az_command(model: str, *, resource_group: str, account: str) -> str:
    """The command line that deploys a tuned model; Microsoft Learn, fine-tuning: deploy a model."""
    name = re.sub(r"[^\w.-]+", "-", model)[-60:].strip("-.")
    return (
        f"az cognitiveservices account deployment create --resource-group {resource_group} --name {account} "
        f"--deployment-name {name} --model-name {model} --model-version 1 --model-format OpenAI "
        "--sku-capacity 1 --sku-name Standard"
    )

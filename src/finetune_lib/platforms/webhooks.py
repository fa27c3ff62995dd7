"""Webhooks: that they come from the platform, and which job they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def job_in(body: str | bytes, headers: Mapping[str, str], *, secret: str) -> str:
    """The id of the job that a signed webhook tells of.

    Raises:
        ValueError: The signature does not fit, is older than five minutes, or the event is about no job.
    """
    import openai

    client = openai.OpenAI(api_key="not needed: nothing is sent")
    try:
        event: Any = client.webhooks.unwrap(body, headers, secret=secret)
    except (openai.InvalidWebhookSignatureError, ValueError) as error:
        raise ValueError(f"the webhook is not to be trusted: {error}") from None
    if not str(event.type).startswith("fine_tuning.job."):
        raise ValueError(f"the webhook tells of {event.type}, not of a fine-tuning job")
    return str(event.data.id)

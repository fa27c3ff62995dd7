"""What the routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from finetune_lib.local.batches import Batches
from finetune_lib.local.inference import Engine
from finetune_lib.local.store import Store
from finetune_lib.local.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Services:
    """The platform behind the wire."""

    root: Path
    store: Store
    supervisor: Supervisor
    batches: Batches
    engine: Engine


def services(request: Request) -> Services:
    """The services of the application that a request came to."""
    return request.app.state.services

"""What the routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from finetune_lib.local.app.errors import WireError
from finetune_lib.local.batches import Batches
from finetune_lib.local.deleting import delete_file
from finetune_lib.local.objects import Object, now
from finetune_lib.local.serving.engine import Engine
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


def file_of(platform: Services, id: str) -> Object | None:
    """A file that is there and has not expired."""
    drop_expired(platform)
    return platform.store.get("file", id)


def drop_expired(platform: Services) -> None:
    """Delete the files whose time is over."""
    for file in platform.store.expired("file", now()):
        delete_file(platform.root, platform.store, file["id"])


def require_file(platform: Services, id: object, *, purpose: str, param: str) -> None:
    """See that a file that a request names is there, and for this purpose.

    Raises:
        WireError: It is not.
    """
    found = file_of(platform, id) if isinstance(id, str) else None
    if found is None:
        raise WireError(400, f"File '{id}' does not exist.", param=param, code="invalid_file")
    if found["purpose"] != purpose:
        message = f"File '{id}' has the purpose '{found['purpose']}', not '{purpose}'."
        raise WireError(400, message, param=param, code="invalid_file")

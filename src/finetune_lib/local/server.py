"""The server process: one for a folder, on loopback, with a token; it stops cleanly on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from finetune_lib.errors import PlatformError
from finetune_lib.local.aliases import load, save
from finetune_lib.local.app import Activity, create_app
from finetune_lib.local.app.batches import answering
from finetune_lib.local.app.services import Services
from finetune_lib.local.base_models import find_base
from finetune_lib.local.batches import Batches
from finetune_lib.local.connection import Address
from finetune_lib.local.deleting import HOUR, collect
from finetune_lib.local.serving.engine import Engine
from finetune_lib.local.store import Store
from finetune_lib.local.supervisor import Supervisor

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
log = logging.getLogger(__name__)
IDLE_SECONDS, IDLE_CHECK_SECONDS, GRACE_SECONDS = 900.0, 5.0, 3


def serve(
    root: Path,
    *,
    host: str,
    port: int,
    token: str | None,
    until_idle: bool,
    keep_days: float | None = None,
    aliases: Mapping[str, str] | None = None,
) -> None:
    """Serve a folder until SIGTERM or SIGINT, or until it has been idle for a quarter of an hour.

    Prints `serving http://HOST:PORT/v1` when it answers; address and token are in `server.json` of the folder.
    With `keep_days`, files and models that are older are deleted, at the start and once an hour.

    Aliases that are given take the place of those that held before.

    Raises:
        ValueError: An alias stands for no base; the host is not on loopback: the platform is for this machine.
        PlatformError: Another server serves this folder, or the port is taken.
    """
    if host not in LOOPBACK:
        raise ValueError(f"the server binds to loopback only (127.0.0.1, localhost or ::1), not to {host!r}")
    os.umask(0o077)  # data, models and the token are their owner's alone, whatever folder they lie in
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / "server.lock").acquire(timeout=0):
            _take(root, aliases or {})
            _serve_alone(root, _bound(host, port), token or secrets.token_urlsafe(32), until_idle, keep_days)
    except Timeout:
        running = Address.load(root)
        raise PlatformError(f"{root} is served already{f', at {running.url}' if running else ''}") from None


def _take(root: Path, aliases: Mapping[str, str]) -> None:
    if aliases:
        save(root, aliases)
    for name, base in load(root).items():
        if find_base(base, root) is None:
            raise ValueError(f"the alias {name}={base} stands for no base: take tiny, a model's full path, or a hub id")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise PlatformError(f"cannot listen on {host}:{port}: {error.strerror}. Choose another --port.") from error
    return listener


def _serve_alone(root: Path, listener: socket.socket, token: str, until_idle: bool, keep_days: float | None) -> None:
    # Before torch is loaded: threads that spin while they wait would starve a worker beside them.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TQDM_DISABLE", "1")  # a log is no place for progress bars
    store = Store(root)
    supervisor = Supervisor(root, store)
    batches = Batches(root, store)
    activity = Activity()
    app = create_app(Services(root, store, supervisor, batches, Engine()), token=token, activity=activity)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS, lifespan="off")
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it is done: by then all is well
        signal.signal(number, _noted)
    supervisor.start()
    batches.start(answering(app))
    ended = threading.Event()
    if keep_days is not None:
        threading.Thread(target=_keep_tidy, args=[root, store, keep_days, ended], name="retention", daemon=True).start()
    try:
        idle = _Idle(activity, supervisor, batches, until_idle)
        asyncio.run(_run(uvicorn.Server(config), listener, root, token, idle))
    finally:
        ended.set()
        batches.stop()
        supervisor.stop()
        store.close()
        (root / "server.json").unlink(missing_ok=True)


def _keep_tidy(root: Path, store: Store, keep_days: float, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            for removed in collect(root, store, keep_days=keep_days):
                log.warning("deleted %s, %d bytes: %s", removed.name, removed.bytes, removed.why)
        except Exception:  # nothing may end this thread
            log.exception("retention goes on after")
        ended.wait(HOUR)


def _noted(number: int, frame: object) -> None:
    """A signal that has done its work."""


class _Idle:
    """Whether the server may stop by itself."""

    def __init__(self, activity: Activity, supervisor: Supervisor, batches: Batches, enabled: bool) -> None:
        self.activity, self.supervisor, self.batches, self.enabled = activity, supervisor, batches, enabled

    def over(self) -> bool:
        if not self.supervisor.root.exists():
            return True
        quiet = self.activity.quiet() > IDLE_SECONDS
        return self.enabled and quiet and not (self.supervisor.open_jobs() or self.batches.open())


async def _run(server: uvicorn.Server, listener: socket.socket, root: Path, token: str, idle: _Idle) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    _announce(listener, root, token)
    while not serving.done():
        await asyncio.wait([serving], timeout=IDLE_CHECK_SECONDS)
        server.should_exit |= idle.over()
    await serving


def _announce(listener: socket.socket, root: Path, token: str) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    Address(url, token, os.getpid()).save(root)
    print(f"serving {url}", flush=True)
    print(f"token and address are in {root / 'server.json'}", file=sys.stderr)

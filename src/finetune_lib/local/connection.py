"""Start the server of a folder, or join the one that serves it already; its address and token lie in that folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

from finetune_lib.errors import MissingExtraError, PlatformError
from finetune_lib.files import home, write_atomically
from finetune_lib.platforms import Platform
from finetune_lib.platforms.policy import VARIABLE, told_files

NEEDED = ("cyclopts", "filelock", "psutil", "uvicorn", "starlette", "multipart", "torch", "transformers", "trl", "peft")
START_SECONDS, POLL_SECONDS, ANSWER_SECONDS = 60.0, 0.05, 5.0
LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running server answers: `server.json` of its folder, readable by its owner alone."""

    url: str
    token: str
    pid: int

    def save(self, root: Path) -> None:
        """Write it for those who join."""
        path = write_atomically(root / "server.json", [json.dumps(asdict(self)).encode()])
        path.chmod(0o600)

    @staticmethod
    def load(root: Path) -> Address | None:
        """Read it; None where no server has left one."""
        try:
            return Address(**json.loads((root / "server.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def answers(self) -> bool:
        """Whether a server answers there, and takes the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}/models", headers=headers)  # noqa: S310 - http on loopback
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is behind no proxy
        try:
            with direct.open(request, timeout=ANSWER_SECONDS) as answer:
                return answer.status == 200
        except OSError:
            return False


def connect(root: str | PathLike[str] | None = None, *, chosen: str = "", local_only: bool = False) -> Platform:
    """The platform of a folder; its server is started where none answers yet.

    The server goes on when this script ends, because its jobs do; after a quarter of an hour without a job or
    a call it stops by itself. The platform that is given starts it again when it is called.

    Raises:
        MissingExtraError: Without `pip install "finetune_lib[local]"`.
        PlatformError: The server does not start; the message has the end of its log.
    """
    require_platform()
    folder = Path(root or home()).absolute()
    address = answering(folder) or _start(folder)

    def rejoin() -> tuple[str, str]:
        found = _rejoined(folder, address)
        return found.url, found.token

    return Platform("local", address.url, address.token, chosen=chosen, local_only=local_only, rejoin=rejoin)


def _rejoined(root: Path, before: Address) -> Address:
    """The server of a folder that answers no more where it did: another one, or a new one, there if it can be.

    Raises:
        PlatformError: The folder is gone, or the server does not start.
    """
    if not root.is_dir():
        raise PlatformError(f"the folder of the platform is gone: {root}")
    deadline = time.monotonic() + START_SECONDS
    while _is_served(root) and time.monotonic() < deadline:  # also one that is about to end
        if address := answering(root):
            return address
        time.sleep(POLL_SECONDS)
    return _start(root, before)


def stop(root: str | PathLike[str] | None = None) -> bool:
    """Stop the server of a folder; its jobs go on and are taken up again by the next one. False if none ran."""
    folder = Path(root or home()).absolute()
    address = answering(folder)
    if address is None:
        return False
    os.kill(address.pid, signal.SIGTERM)
    while _is_served(folder):
        time.sleep(POLL_SECONDS)
    return True


def answering(root: Path) -> Address | None:
    """The address that the living server of a folder has left there; the token is sent to no other."""
    address = Address.load(root) if _is_served(root) else None
    return address if address and address.answers() else None


def _is_served(root: Path) -> bool:
    """Whether a server lives for this folder, be it too busy to answer at once."""
    from filelock import FileLock, Timeout

    if not (root / "server.lock").exists():
        return False
    try:
        with FileLock(root / "server.lock").acquire(timeout=0):
            return False
    except Timeout:
        return True


def _start(root: Path, before: Address | None = None) -> Address:
    """Start the server once, however many ask for it at the same time."""
    from filelock import FileLock

    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(root / "start.lock"):
        return answering(root) or _spawned(root, before)


def _port_if_free(before: Address | None) -> int:
    """The port of a server that ended, so that other clients find the next one there, too; 0 lets the system choose."""
    port = urlsplit(before.url).port if before else None
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port or 0))
        except OSError:
            return 0
    return port or 0


def require_platform() -> None:
    """Check that the packages of the platform are there, without paying for their import.

    Raises:
        MissingExtraError: One is missing.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise MissingExtraError(feature="The local platform", package=package, extra="local")


def _spawned(root: Path, before: Address | None) -> Address:
    port = _port_if_free(before)
    command = [sys.executable, "-m", "finetune_lib", "serve", "--root", str(root), "--port", str(port), "--until-idle"]
    environment = {**os.environ, VARIABLE: told_files()}  # also where it was taken out of the environment
    if before:
        environment["FINETUNE_LIB_TOKEN"] = before.token
    log = root / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and (process.poll() is None or _is_served(root)):
        if address := answering(root):
            return address
        time.sleep(POLL_SECONDS)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
    raise PlatformError(f"the local server for {root} did not start; the end of {log}:\n{tail}")

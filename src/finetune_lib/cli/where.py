"""The platform that a command speaks to, and how what comes from there is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from finetune_lib.jobs.job import Job
    from finetune_lib.platforms import Platform


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Where models are trained and asked.

    Attributes:
        platform: openai, azure, local, or the address of a service (default: as the environment says, else local)
        key_env: the variable of the environment that holds the key
        root: the folder of the local platform (default: FINETUNE_LIB_HOME, else ~/.finetune_lib)
    """

    platform: str | None = None
    key_env: str | None = None
    root: Path | None = None

    def connect(self) -> Platform:
        """The platform.

        Raises:
            ValueError: It is none that is known, or lacks its key.
        """
        from finetune_lib.platforms.connect import connect

        if self.key_env and not os.environ.get(self.key_env, "").strip():
            raise ValueError(f"--key-env {self.key_env}: this variable is not set; set it to the key of the platform")
        if self.platform and "://" in self.platform and not self.key_env:
            raise ValueError(
                f"--platform {self.platform.partition('?')[0]} needs --key-env NAME: the variable that holds its key"
            )
        key = os.environ[self.key_env] if self.key_env else None
        return connect(self.platform, api_key=key, root=self.root)

    @property
    def flags(self) -> str:
        """The same options, as another command takes them."""
        given = {"--platform": self.platform, "--key-env": self.key_env, "--root": self.root}
        return "".join(f" {name} {quote(str(value))}" for name, value in given.items() if value)


def print_json(data: Any) -> None:
    """One JSON value on standard output, with Chinese as it is written."""
    from finetune_lib.files import json_text

    print(json_text(data, encoding=sys.stdout.encoding or "utf-8"))


def as_dict(job: Job) -> dict[str, Any]:
    """A job as JSON: what the platform told, and the status and price by the library."""
    told = job.record.model_dump(mode="json")
    return {**told, "status": job.status, "platform": job.platform.name, "cost": job.cost()}


def ask(question: str, *, yes: bool) -> bool:
    """Whether the person at the terminal agrees; `--yes` has said so.

    Raises:
        ValueError: Nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ValueError(f"{question} Nobody can be asked here: add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes", "是", "好"}


def pairs(texts: Sequence[str], option: str, value: Callable[[str], Any] = str) -> Mapping[str, Any]:
    """From several `NAME=VALUE` to a mapping.

    Raises:
        ValueError: One has another form.
    """
    if wrong := next((text for text in texts if "=" not in text.strip("=")), None):
        raise ValueError(f"{option} {wrong}: write it as NAME=VALUE")
    return {name: value(rest) for name, _, rest in (text.partition("=") for text in texts)}


def named_model(name: str, platform: Platform) -> str:
    """The name of a model on the platform; of a job, that of its model.

    Raises:
        JobError: The job has no model yet.
        ValueError: The platform does not take it.
        PolicyError: The policy forbids it.
    """
    from finetune_lib.concurrency import in_own_loop
    from finetune_lib.jobs.job import Job
    from finetune_lib.platforms.admission import admitted

    if name.startswith("ftjob-"):
        name = Job.get(name, platform=platform).candidate().model
    return in_own_loop(admitted(platform, name))

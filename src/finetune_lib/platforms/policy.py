"""What may leave this machine: a file that binds everything that calls out, and that code cannot lift.

`FINETUNE_LIB_POLICY` names the file, in TOML; each entry is optional, and what is not named is not limited:

    platforms = ["local", "azure"]          # kinds of platforms
    hosts = ["*.openai.azure.com"]          # addresses beside this machine
    models = ["gpt-4.1-mini*", "Qwen/*"]    # names of models
    hub = false                             # no download from a hub of models
    usd_per_day = 20.0                      # for jobs and calls together, by what they are known to cost
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import finetune_lib
from finetune_lib.errors import PolicyError
from finetune_lib.platforms.kinds import OPENAI, Kind, kind_at

VARIABLE = "FINETUNE_LIB_POLICY"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# The files that this process has been told of, since the library was imported: one that was set is not lifted by
# taking it out of the environment.
_told: dict[str, None] = dict.fromkeys(filter(None, [vars(finetune_lib).get("POLICY_AT_IMPORT")]))


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed; None allows all.

    Attributes:
        platforms: Kinds of platforms, as `azure`.
        hosts: Patterns of hosts; this machine is always allowed.
        models: Patterns of models' names.
        hub: Whether models may be downloaded from a hub.
        usd_per_day: US dollars that may be spent on one day.
        local_only: Nothing leaves this machine.
        source: The file that says so.
    """

    platforms: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    hub: bool = True
    usd_per_day: float | None = None
    local_only: bool = False
    source: str = ""

    def admit_address(self, kind: Kind, address: str | None) -> None:
        """Let a platform of a kind at an address be spoken to.

        Raises:
            PolicyError: It is not allowed; nothing was sent.
        """
        address = address or f"https://{OPENAI.hosts[0]}"
        host = urlsplit(address).hostname or ""
        name = kind.name if host in _LOOPBACK or self._names(host) else kind_at(address).name
        if self.platforms is not None and name not in self.platforms:
            raise self._forbidden(f"the platform {name!r} at {host}", f"platforms are {_listed(self.platforms)}")
        self.admit_host(host)

    def _names(self, host: str) -> bool:
        """Whether the host is listed: then it is what it is called, as an Azure behind a gateway of one's own."""
        return self.hosts is not None and _fits(host, self.hosts)

    def admit_host(self, host: str) -> None:
        """Let a host be spoken to.

        Raises:
            PolicyError: It is not allowed; nothing was sent.
        """
        if host in _LOOPBACK:
            return
        if self.local_only:
            raise self._forbidden(f"the host {host!r}", "nothing may leave this machine")
        if self.hosts is not None and not self._names(host):
            raise self._forbidden(f"the host {host!r}", f"hosts are {_listed(self.hosts)}")

    def admit_model(self, model: str) -> None:
        """Let a model be trained or asked.

        Raises:
            PolicyError: It is not allowed; nothing was sent.
        """
        if self.models is not None and not _fits(model, self.models):
            raise self._forbidden(f"the model {model!r}", f"models are {_listed(self.models)}")

    def admit_hub(self, model: str) -> None:
        """Let a model of a hub be loaded: it may be downloaded, or lies on this machine already.

        Raises:
            PolicyError: It would have to be downloaded.
        """
        if not self.hub and not _is_here(model):
            raise self._forbidden(f"the download of {model!r}", "models of a hub are used where they lie here already")

    def admit_spending(self, usd: float, *, spent_today: float) -> None:
        """Let so much be spent beside what was spent today.

        Raises:
            PolicyError: It would be more than a day's budget; nothing was sent.
        """
        if self.usd_per_day is not None and spent_today + usd > self.usd_per_day:
            known = f"${spent_today:,.2f} of ${self.usd_per_day:,.2f} are spent today"
            raise self._forbidden(f"spending ${usd:,.2f} more", known)

    def _forbidden(self, what: str, allowed: str) -> PolicyError:
        by = f"the policy in {self.source}" if self.source else "local_only=True"
        return PolicyError(f"{by} forbids {what}: {allowed}. Nothing was sent.")


def told_files() -> str:
    """The value of `FINETUNE_LIB_POLICY` for processes that this one starts."""
    _ = policy()
    return os.pathsep.join(_told)


def policy(*, local_only: bool = False) -> Policy:
    """The policy of this process: that of the file, and stricter where code asks for it.

    Several files, divided as in `PATH`, bind together.

    Raises:
        PolicyError: The file cannot be read, or says something that is no policy: nothing is allowed then.
    """
    _told.update(dict.fromkeys(filter(None, [os.environ.get(VARIABLE)])))
    found = Policy()
    for names in tuple(_told):
        for name in names.split(os.pathsep):
            found = _both(found, _read(Path(name)))
    return replace(found, local_only=True, hub=False) if local_only or found.local_only else found


def _read(path: Path) -> Policy:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _policy(table, path)
    except (OSError, ValueError, TypeError) as error:
        raise PolicyError(f"the policy in {path} cannot be used ({error}): nothing is sent until it can") from error


def _policy(table: Mapping[str, Any], path: Path) -> Policy:
    known = {field.name for field in fields(Policy)} - {"source"}
    if strange := sorted(set(table) - known):
        raise ValueError(f"it has {_listed(strange)}; known are {_listed(sorted(known))}")
    for name in ("platforms", "hosts", "models"):
        given = cast("object", table.get(name, []))
        if not isinstance(given, list) or not all(isinstance(one, str) for one in cast("list[object]", given)):
            raise ValueError(f"{name} is a list of texts")
    for name in ("hub", "local_only"):
        if not isinstance(table.get(name, True), bool):
            raise ValueError(f"{name} is true or false")
    budget = table.get("usd_per_day", 0.0)
    if isinstance(budget, bool) or not isinstance(budget, (int, float)) or not budget >= 0:
        raise ValueError("usd_per_day is a number")
    lists: dict[str, Any] = {name: tuple(table[name]) for name in ("platforms", "hosts", "models") if name in table}
    return Policy(**{**table, **lists}, source=str(path))


def _both(one: Policy, other: Policy) -> Policy:
    """What both allow."""
    budgets = [policy.usd_per_day for policy in (one, other) if policy.usd_per_day is not None]
    return Policy(
        platforms=_common(one.platforms, other.platforms),
        hosts=_common(one.hosts, other.hosts),
        models=_common(one.models, other.models),
        hub=one.hub and other.hub,
        usd_per_day=min(budgets, default=None),
        local_only=one.local_only or other.local_only,
        source=", ".join(filter(None, (one.source, other.source))),
    )


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(pattern for pattern in one if pattern in other)


def _is_here(model: str) -> bool:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return False
    return isinstance(try_to_load_from_cache(model, "config.json"), str)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"

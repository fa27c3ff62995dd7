"""What functions of the user's gave, kept: a rerun calls them only for what is missing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Generic, Literal, TypeVar

from finetune_lib.concurrency import call
from finetune_lib.evaluation.judges import Verdict
from finetune_lib.evaluation.running.fingerprints import fingerprint
from finetune_lib.evaluation.running.units import digest
from finetune_lib.platforms.asking import Session
from finetune_lib.records import Answer, Score

T = TypeVar("T", Answer, Score, Verdict)
Role = Literal["candidate", "scorer", "judge"]


class KeptFunction(Generic[T]):
    """A function of the user's whose results are kept, by the content of the function and of what it is called with.

    A function that touches something whose content cannot be told (an open file) may give something else another
    time: its results are reused only to go on with an evaluation that was interrupted.

    Args:
        function: The function.
        session: The run.
        scope: What tells this evaluation from others.
        role: What the function is in it.
        name: How it is called there.
        read: Makes a record of what it gave in so many seconds.
        load: Makes a record of what was kept.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        session: Session,
        *,
        scope: str,
        role: Role,
        name: str,
        read: Callable[[Any, float], T],
        load: Callable[[Mapping[str, Any]], T],
    ) -> None:
        self._function, self._session, self._role = function, session, role
        self._read, self._load = read, load
        self._told = fingerprint(function)
        self._scope = [role] if self._told.whole else [role, name, scope]
        self._identity = self._known() or (self._told.digest if self._told.whole else uuid.uuid4().hex)
        self._remember(self._told.digest)

    def _known(self) -> str | None:
        """What an earlier run called it, but for one that is finished where its content cannot be told."""
        known = self._session.kept.get(self._name(self._told.digest)) or {}
        identity = known.get("identity")
        return None if self._session.kept.get(_finished(str(identity))) is not None else identity

    def _name(self, content: str) -> str:
        return f"function {digest([*self._scope, content])}"

    def _remember(self, content: str) -> None:
        if content != self._identity:
            self._session.kept.put(self._name(content), "", {"identity": self._identity})

    async def __call__(self, *args: Any, about: list[Any]) -> T:
        """The result, kept or new; `about` is the content of the arguments."""
        key = digest([self._role, self._identity, about])
        if (known := self._session.kept.get(key)) is not None:
            self._session.purse.reuse()
            return self._load(known)
        start = time.perf_counter()
        given = await call(self._function, *args)
        result = self._read(given, time.perf_counter() - start)
        self._session.kept.put(key, "", asdict(result))
        return result

    def finish(self) -> None:
        """The evaluation is finished: what cannot be told by content is asked anew the next time."""
        if not self._told.whole:
            self._session.kept.put(_finished(self._identity), "", {})

    def close(self) -> None:
        """The run is over, finished or not.

        Its own calls may have changed what it touches, as a list that it writes to; it is the same all the same.
        """
        now = fingerprint(self._function).digest
        if now != self._told.digest:
            self._remember(now)


def _finished(identity: str) -> str:
    return f"finished {identity}"

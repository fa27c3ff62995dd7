"""What functions of the user's gave, kept: a rerun calls them only for what is missing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Generic, Literal, TypeVar

from finetune_lib.asking import Session
from finetune_lib.evaluating.calling import call
from finetune_lib.evaluating.fingerprints import fingerprint
from finetune_lib.evaluating.units import digest
from finetune_lib.judges import Verdict
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
        self._open: str | None = None
        self._identity = self._known() or self._new(digest([scope, role, name, self._told.digest]))

    def _known(self) -> str | None:
        """Its own calls may have changed what it touches, as a list that it writes to; it is the same all the same."""
        known = self._session.kept.get(self._changed(self._told.digest))
        return known["identity"] if known else self._told.digest if self._told.whole else None

    def _changed(self, digest: str) -> str:
        return f"function {self._role} {digest}"

    def _new(self, key: str) -> str:
        """What an interrupted evaluation called it, else a new name, kept until the evaluation is finished."""
        self._open = f"open {key}"
        known = self._session.kept.get(self._open)
        if known is None:
            known = {"identity": uuid.uuid4().hex}
            self._session.kept.put(self._open, "", known)
        return known["identity"]

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
        if self._open:
            self._session.kept.forget(self._open)

    def close(self) -> None:
        """The run is over, finished or not."""
        now = fingerprint(self._function).digest
        if self._told.whole and now != self._told.digest:
            self._session.kept.put(self._changed(now), "", {"identity": self._identity})

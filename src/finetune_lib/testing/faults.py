"""What can go wrong with one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finetune_lib.shown import Shown

PAGE = "<html><h1>Bad Gateway</h1></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Shown):
    """What goes wrong with one request.

    Attributes:
        status: Answered in place of the platform's own answer; None leaves that as it is.
        body: Answered with the status: a JSON value, or a text as it is, as a proxy's page. By default a refusal.
        retry_after: Seconds that the client is asked to wait.
        done: Whether the request is carried out all the same, although the answer does not tell it.
        seconds: Before the answer.
        cut: Whether the connection is closed in place of an answer.
        half: Whether it is closed in the middle of the answer.
    """

    status: int | None = None
    body: object = None
    retry_after: float | None = None
    done: bool = False
    seconds: float = 0.0
    cut: bool = False
    half: bool = False

    @property
    def works(self) -> bool:
        """Whether the platform carries the request out."""
        return self.done or (self.status is None and not self.cut)


FAULTS: Mapping[str, Fault] = {
    "haste": Fault(status=429, retry_after=0.02),
    "broken": Fault(status=500),
    "overloaded": Fault(status=503, retry_after=0.02),
    "page": Fault(status=502, body=PAGE),
    "page behind the work": Fault(status=504, body=PAGE, done=True),
    "cut before the work": Fault(cut=True),
    "cut behind the work": Fault(cut=True, done=True),
    "half an answer": Fault(half=True),
    "slow": Fault(seconds=0.2),
}

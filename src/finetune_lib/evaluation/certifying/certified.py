"""A candidate with a certificate: it answers where it is sure enough, and else declines or passes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields, is_dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from finetune_lib.concurrency import name_of
from finetune_lib.evaluation.candidates import Candidate
from finetune_lib.evaluation.certifying.certificate import GOLDEN, Certificate, NoCertificateError
from finetune_lib.evaluation.certifying.signals import Signal, answered, signal_of, usual_signal
from finetune_lib.evaluation.running.fingerprints import fingerprint
from finetune_lib.evaluation.running.units import Contents, cases_of
from finetune_lib.evaluation.scorers import Scorer
from finetune_lib.platforms.asking import current_session
from finetune_lib.records import DECLINED, Answer, Case, Example


@dataclass(frozen=True)
class Rated:
    """A candidate whose answers tell how sure they are."""

    instant: ClassVar[bool] = True

    candidate: Candidate
    signal: Signal
    name: str

    async def __call__(self, case: Case, /) -> Answer:
        """The answer with its confidence.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        async with current_session() as session:
            answer, request = await answered(self.candidate, case, session, self.signal.options)
            if answer.error:
                return answer
            sure = await self.signal.confidence(answer, request, case, session)
        cost = None if answer.cost is None or sure.usd is None else answer.cost + sure.usd
        return replace(answer, confidence=sure.value, cost=cost)


@dataclass(frozen=True)
class Certified:
    """A candidate that answers itself where its certificate holds; `certify` makes one, `load` takes one up again.

    What it does not answer goes to `otherwise`, or is declined: an empty answer whose `declined` is true. The promise
    is about its own answers. In an evaluation a declined case has the lowest score, and `report.declined(name)` counts
    such cases.

    Attributes:
        candidate: Who answers.
        certificate: The promise.
        signal: What tells how sure an answer is.
        otherwise: The candidate that is asked what this one does not answer; None declines.
        name: What reports call it.
    """

    instant: ClassVar[bool] = True

    candidate: Candidate
    certificate: Certificate
    _: KW_ONLY
    signal: Signal
    otherwise: Candidate | None = None
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or f"{name_of(self.candidate)}, certified")

    async def __call__(self, case: Case, /) -> Answer:
        """The answer, its own or passed on, or none.

        Raises:
            PlatformError: The platform refused or did not answer.
        """
        own = await Rated(self.candidate, self.signal, self.name)(case)
        if own.error or (own.confidence is not None and own.confidence >= self.certificate.threshold):
            return own
        if self.otherwise is None:
            return replace(own, text="", tool_calls=(), finish_reason=DECLINED)
        async with current_session() as session:
            passed, _ = await answered(self.otherwise, case, session, {})
        paid = None if own.cost is None or passed.cost is None else own.cost + passed.cost
        return replace(passed, cost=paid, confidence=own.confidence, passed_on=True)

    def __str__(self) -> str:
        return str(self.certificate)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the certificate; the candidate itself stays in your code.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
        """
        return self.certificate.save(path, overwrite=overwrite)

    @staticmethod
    def load(
        path: str | PathLike[str],
        *,
        candidate: Candidate,
        scorer: Scorer,
        signal: Signal | Scorer | None = None,
        golden: Sequence[Case | Example] | None = None,
        otherwise: Candidate | None = None,
        name: str = "",
    ) -> Certified:
        """The candidate under a saved certificate, if all is as it was.

        Args:
            path: The file.
            candidate: Who answers.
            scorer: What told whether an answer is right.
            signal: What tells how sure an answer is; by default as for `certify`.
            golden: The cases that were given to `certify`, to see that they are the same; None takes that on trust.
            otherwise: Who is asked what it does not answer; None declines.
            name: What reports call it.

        Raises:
            NoCertificateError: Something that the certificate depends on has changed; it is named.
            ValueError: The file is no certificate.
        """
        certificate = Certificate.load(path)
        told = signal_of(signal or usual_signal(candidate), scorer, certificate.right)
        cases = certificate.depends.get(GOLDEN, "") if golden is None else Contents.of(cases_of(golden)).digest
        if changed := certificate.changed({GOLDEN: cases, **depends_on(candidate, scorer, told)}):
            told_changed = f"{', '.join(changed)} changed since {certificate.day}"
            raise NoCertificateError(f"the certificate in {path} is void: {told_changed}; certify again")
        return Certified(candidate, certificate, signal=told, otherwise=otherwise, name=name)


def depends_on(candidate: Candidate, scorer: Scorer, signal: Signal) -> Mapping[str, str]:
    """The digest of each thing that the promise depends on.

    Raises:
        ValueError: What something is made of cannot be told, as of an object that holds an open file.
    """
    parts: dict[str, Any] = {"scorer": scorer, "signal": signal}
    if is_dataclass(candidate) and not isinstance(candidate, type):
        held = {one.name: getattr(candidate, one.name) for one in fields(candidate) if one.compare and one.init}
        parts |= {f"candidate's {name}": value for name, value in held.items() if name not in {"name", "price"}}
        parts["candidate"] = type(candidate)
    else:
        parts["candidate"] = candidate
    return {name: _digest(name, value) for name, value in parts.items()}


def _digest(name: str, value: Any) -> str:
    """Of a platform, wherever it is held, counts where it is; its key may change."""
    found = fingerprint(value, keys=False)
    if not found.whole:
        raise ValueError(f"nobody could tell whether the {name} changes: it holds an object without content of its own")
    return found.digest[:16]

"""Answers of candidates: of models as kept by their question, of functions as kept by what they are made of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from finetune_lib.concurrency import call
from finetune_lib.errors import DataError, MissingExtraError
from finetune_lib.evaluation.candidates import AsksModel, Candidate, asked
from finetune_lib.evaluation.running.kept_function import KeptFunction
from finetune_lib.evaluation.running.units import Contents, answer_of, load_answer
from finetune_lib.platforms.asking import Request, Session
from finetune_lib.records import Answer, Case

# These would meet every further unit as well.
ENDS_THE_RUN = (DataError, MissingExtraError)


def reason_of(error: Exception) -> str:
    """An error as the reason of a failure."""
    return f"{type(error).__name__}: {error}"


class Answering:
    """Asks candidates."""

    def __init__(self, candidates: Mapping[str, Candidate], session: Session, contents: Contents) -> None:
        self._session, self._contents = session, contents
        self._models = {name: one for name, one in candidates.items() if isinstance(one, AsksModel)}
        self._instant = {name: one for name, one in candidates.items() if getattr(one, "instant", False)}
        self.functions = {
            name: KeptFunction(
                one, session, scope=contents.digest, role="candidate", name=name, read=answer_of, load=load_answer
            )
            for name, one in candidates.items()
            if name not in self._models and name not in self._instant
        }

    async def answer(self, name: str, case: Case, epoch: int) -> Answer:
        """One answer; whatever goes wrong in it is its own reason of failure."""
        start = time.perf_counter()
        try:
            if name in self._models:
                return await asked(self._session, await self._request(name, case, epoch), by=name)
            if name in self._instant:
                return answer_of(await call(self._instant[name], case))
            return await self.functions[name](case, about=[self._contents.each[case.id], case.id, epoch])
        except ENDS_THE_RUN:
            raise
        except Exception as error:
            return Answer(error=reason_of(error), seconds=time.perf_counter() - start)

    async def _request(self, name: str, case: Case, epoch: int) -> Request:
        request = await self._models[name].request(case)
        return replace(request, salt=f"{request.salt}#{epoch}") if epoch else request

    async def requests(self, name: str, case: Case, epoch: int) -> list[Request]:
        """What a model is asked for this answer."""
        return [await self._request(name, case, epoch)] if name in self._models else []

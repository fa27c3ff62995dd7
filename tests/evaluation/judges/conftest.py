"""A service that speaks chat completions, and judges that ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.doubles import Service, serving, tokens

import finetune_lib as ft
from finetune_lib.evaluation.judges import PairwiseJudge
from finetune_lib.platforms.asking import Session, within

FINE = {"reason": "It names the day.", "level": "first_slightly_better"}


@pytest.fixture
def service():
    with serving(Service(lambda _: FINE, usage=tokens(100, 20), headers={"retry-after-ms": "5"})) as service:
        yield service


@pytest.fixture
def judge(service) -> Callable[..., Any]:
    """Have the service compare two answers to a case, in a run of its own."""

    def judge(case, first, second, **options):
        async def run():
            async with within(Session(platform=ft.connect(service.url, api_key="k"), store=":memory:")) as session:
                verdict = await PairwiseJudge("m", **options)(case, first, second)
                return verdict, session.purse.spent

        return asyncio.run(run())

    return judge


@pytest.fixture
def case() -> ft.Case:
    return ft.Case(
        "7", (ft.Message(role="user", content="退票要多久？"),), "七個工作天。", metadata={"owner": "SECRET"}
    )

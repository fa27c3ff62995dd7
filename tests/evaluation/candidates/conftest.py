"""A platform that is a small HTTP double, and cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft
from finetune_lib.platforms.asking import Session, within
from finetune_lib.records import Answer, Case, Message

AXES = ("行李", "寵物", "登機", "luggage", "pet", "board")


def topics(text: str) -> list[float]:
    """What a text is about: one axis for each topic, whatever the language."""
    return [float(AXES[at] in text or AXES[at + 3] in text) for at in range(3)] + [0.1]


def echo(request: dict[str, Any]) -> str:
    """The last turn, said again."""
    return request["messages"][-1]["content"]


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service(echo, topics)) as service:
        yield service


@pytest.fixture
def platform(service) -> ft.Platform:
    return ft.connect(service.url, api_key="k")


@pytest.fixture
def case() -> Callable[..., Case]:
    def case(question: str, *, id: str = "1", system: str | None = None, **more: Any) -> Case:
        said = [Message(role="system", content=system)] if system else []
        return Case(id, (*said, Message(role="user", content=question)), **more)

    return case


@pytest.fixture
def answers(tmp_path) -> Callable[..., list[Answer]]:
    """Ask a candidate all cases at once, as an evaluation does."""

    async def ask(candidate: Any, cases: tuple[Case, ...]) -> list[Answer]:
        async with within(Session(store=tmp_path / "kept.db")):
            return await asyncio.gather(*map(candidate, cases))

    return lambda candidate, *cases: asyncio.run(ask(candidate, cases))

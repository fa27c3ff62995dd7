"""More calls at once than one pool of connections takes: each gets its answer; a failed one gives its place back."""

from __future__ import annotations

from tests.doubles import Service, refusal, serving

import finetune_lib as ft


def cases(n: int) -> list[ft.Case]:
    return [ft.Case(str(i), (ft.Message(role="user", content=f"第 {i} 題"),), f"第 {i} 題") for i in range(n)]


def run(service: Service, n: int, concurrency: int) -> ft.Report:
    platform = ft.connect(service.url, api_key="k")
    evaluator = ft.Evaluator([ft.ExactMatch()], platform=platform, concurrency=concurrency, store=":memory:")
    return evaluator.run(cases(n), candidates=[ft.ChatModel("m")])


def test_all_are_under_way_and_each_gets_its_own_answer():
    with serving(Service(lambda body: body["messages"][-1]["content"], seconds=0.5)) as service:
        report = run(service, 30, 30)
        assert report.mean("m") == 1
        assert service.most_under_way > 16
        assert len(service.chats) == 30


def test_a_refused_call_gives_its_place_back():
    def answer(body):
        asked = body["messages"][-1]["content"]
        return refusal(400, "not this one") if int(asked.split()[1]) % 3 else asked

    with serving(Service(answer)) as service:
        report = run(service, 60, 20)
        assert len(report.failures) == 40
        assert report.mean("m") == 1
        assert all("not this one" in failure.reason for failure in report.failures)

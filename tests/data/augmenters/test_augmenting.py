"""Runs of augmenters over real HTTP: limits, the cache, failures, kill -9, and counts that add up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest
from tests.doubles import Outcome, Service, refusal, serving, without_forms
from tests.files import ROOT

import finetune_lib as ft
from finetune_lib.data import augmenters as aug
from finetune_lib.data.augmenters import Noise, Paraphrase, Script, SystemPrompts, Template
from finetune_lib.data.augmenters.augmenting import augmented, augmented_async
from finetune_lib.platforms.asking import Kept
from finetune_lib.records import Origin

MARKS = "甲乙丙丁戊己庚辛"


def example(number: int) -> ft.Example:
    question = f"訂單 {number} 號什麼時候會送到呢？"
    row = {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": f"第 {number} 天。"}]}
    return ft.Example(row, Origin("a.jsonl", row=number, line=number))


def examples(count: int) -> list[ft.Example]:
    return [example(number) for number in range(100, 100 + count)]


def rewriting(request: dict[str, Any]) -> Any:
    """A sound answer: every version has a mark before each turn."""
    asked = json.loads(request["messages"][-1]["content"])
    versions = [[mark + turn for turn in asked["turns"]] for mark, _ in zip(MARKS, asked["versions"], strict=False)]
    return {"versions": versions}


def about_101(request: dict[str, Any]) -> bool:
    return "101" in request["messages"][-1]["content"]


@pytest.fixture
def service():
    with serving(Service(rewriting)) as service:
        yield service


@pytest.fixture
def platform(service) -> ft.Platform:
    return ft.connect(service.url, api_key="k")


@pytest.fixture
def run(platform, tmp_path):
    """Run augmenters on a cache of this test alone."""

    def run(parents, *augmenters, **options):
        return augmented(parents, augmenters, **{"platform": platform, "cache": tmp_path / "answers.db", **options})

    return run


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """The client's own retries wait only a little."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.01)


def prompts(result) -> list[str]:
    return [child.example.prompt for child in result.children]


class TestParaphrase:
    def test_versions_with_the_answer_kept(self, run, service):
        result = run(examples(2), Paraphrase(3, model="m"))
        question = example(100).prompt
        assert prompts(result)[:3] == [f"{mark}{question}" for mark in "甲乙丙"]
        assert [child.example.answer for child in result.children[:3]] == [example(100).answer] * 3
        assert len(service.requests) == 2
        assert result.counts["paraphrase"] == aug.counting.Counts(kept=6)
        assert (result.spent.calls, result.spent.reused, result.spent.prompt_tokens) == (2, 0, 200)
        assert result.spent.usd is None

    def test_the_request(self, run, service):
        styles = ["formal", "terse"]
        run(examples(1), Paraphrase(2, model="m", styles=styles, temperature=0.5))
        (request,) = service.requests
        asked = json.loads(request["messages"][1]["content"])
        assert (request["model"], request["temperature"]) == ("m", 0.5)
        assert asked["turns"] == [example(100).prompt]
        assert sorted(asked["versions"]) == styles
        assert request["response_format"]["type"] == "json_schema"
        assert "script" in request["messages"][0]["content"]
        assert "seed" not in request

    def test_no_temperature_is_sent_unless_given(self, run, service):
        run(examples(1), Paraphrase(1, model="m"))
        assert "temperature" not in service.requests[0]

    def test_styles_depend_on_the_item(self, run, service):
        run(examples(20), Paraphrase(1, model="m"))
        assert len({json.loads(asked)["versions"][0] for asked in service.asked}) > 3

    def test_several_turns_change_together(self, run):
        told = [
            ("system", "s"),
            ("user", "你們在哪裡？"),
            ("assistant", "台北。"),
            ("user", "幾點開門？"),
            ("assistant", "九點。"),
        ]
        row = {"messages": [{"role": role, "content": text} for role, text in told]}
        (child,) = run([ft.Example(row)], Paraphrase(1, model="m")).children
        texts = [m.text for m in child.example.messages]
        assert texts == ["s", "甲你們在哪裡？", "台北。", "甲幾點開門？", "九點。"]

    def test_a_platform_without_structured_output_is_asked_without_from_then_on(self, run, service):
        service.answer = without_forms(rewriting)
        result = run(examples(5), Paraphrase(1, model="m"), concurrency=1)
        assert result.total.kept == 5
        assert len(service.requests) == 6

    def test_fewer_versions_than_asked_for(self, run, service):
        service.answer = lambda request: {"versions": rewriting(request)["versions"][:1]}
        result = run(examples(2), Paraphrase(3, model="m"))
        assert result.total.kept == 2
        assert result.total.failed == {"the model gave fewer versions than asked for": 4}
        assert result.total.made == 6

    def test_lineage(self, run):
        (child,) = run(examples(1), Paraphrase(1, model="m", styles=["terse"]), seed=5).children
        own = aug.content_hash(example(100).data)
        assert child.lineage == aug.Lineage(own, "paraphrase:terse", 5, own)
        assert (child.example.family, child.example.operation) == (own, "paraphrase:terse")
        assert child.example.origin == example(100).origin


class TestOthers:
    def test_personas(self, run):
        result = run(examples(1), aug.PersonaVariants(["a teenager", "a pilot"], model="m"))
        assert [child.lineage.operation for child in result.children] == ["persona:a teenager", "persona:a pilot"]

    def test_back_translation_goes_there_and_back(self, run, service):
        def translating(request):
            asked = json.loads(request["messages"][-1]["content"])
            if "English" in asked["versions"][0]:
                return {"versions": [["When will order 100 arrive?"]]}
            assert asked["turns"] == ["When will order 100 arrive?"]
            assert "Traditional Chinese" in asked["versions"][0]
            return {"versions": [["100 號訂單何時到貨？"]]}

        service.answer = translating
        (child,) = run(examples(1), aug.BackTranslation("en", model="m")).children
        assert child.example.prompt == "100 號訂單何時到貨？"
        assert child.lineage.operation == "back_translation:en"

    def test_back_translation_needs_another_language(self, run, service):
        row = {"messages": [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "Here."}]}
        result = run([ft.Example(row)], aug.BackTranslation("en", model="m"))
        assert sum(result.total.failed.values()) == 1
        assert service.requests == []

    def test_template_rows_stand_behind_the_children(self, run):
        template = Template("{a}好嗎", tables={"a": ["甲", "乙"]}, answer="好")
        result = run(examples(1), template, SystemPrompts(["s"]))
        assert [child.lineage.operation for child in result.children] == [
            "system_prompt:1",
            "template:a[0]",
            "template:a[1]",
        ]
        assert result.examples[-1].family is None
        assert result.counts["template"].kept == 2

    def test_rows_without_user_text_are_counted(self, run):
        row = {"messages": [{"role": "assistant", "content": "x"}]}
        result = run([ft.Example(row)], Paraphrase(2, model="m"), Noise(n=3))
        assert result.counts["paraphrase"].failed == {"the row has no user text": 2}
        assert result.counts["noise"].made == 3


class TestFailures:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr("finetune_lib.platforms.asking.pacing.FIRST_WAIT", 0.01)
        monkeypatch.setattr("finetune_lib.platforms.asking.pacing.LONGEST_WAIT", 0.02)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_passing_trouble_is_retried_by_the_client(self, run, service, status):
        service.answer = lambda request: refusal(status) if len(service.requests) % 2 else rewriting(request)
        result = run(examples(3), Paraphrase(1, model="m"), concurrency=1)
        assert (result.total.kept, result.spent.calls) == (3, 3)

    @pytest.mark.parametrize(("status", "times"), [(429, 16), (500, 8)])
    def test_lasting_trouble_is_data(self, run, service, status, times):
        service.answer = lambda request: refusal(status, "later") if about_101(request) else rewriting(request)
        result = run(examples(3), Paraphrase(2, model="m"), concurrency=1)
        assert result.total.kept == 4
        assert list(result.total.failed.values()) == [2]
        assert str(status) in next(iter(result.total.failed))
        assert len(service.requests) == 2 + times

    @pytest.mark.parametrize("content", ["Sorry, no.", '{"versions": [["甲"', ""])
    def test_a_malformed_answer_is_asked_for_once_more(self, run, service, content):
        service.answer = lambda request: content if len(service.requests) == 1 else rewriting(request)
        result = run(examples(1), Paraphrase(1, model="m"))
        assert (result.total.kept, result.spent.calls) == (1, 2)

    def test_what_stays_malformed_fails_and_a_rerun_asks_again(self, run, service):
        service.answer = lambda _: "Sorry, no."
        result = run(examples(2), Paraphrase(2, model="m"))
        assert result.total.failed == {"the model's answer is not the JSON that was asked for": 4}
        assert len(service.requests) == 4
        service.answer = rewriting
        assert run(examples(2), Paraphrase(2, model="m")).total.kept == 4
        assert len(service.requests) == 6

    @pytest.mark.parametrize("body", [b"<html>busy</html>", b'{"choices": []}', b"[1]", b'{"choices": null}'])
    def test_what_is_not_the_protocol_is_data(self, run, service, body):
        service.answer = lambda request: Outcome(body=body) if about_101(request) else rewriting(request)
        result = run(examples(2), Paraphrase(1, model="m"))
        assert (result.total.kept, sum(result.total.failed.values())) == (1, 1)

    @pytest.mark.parametrize("status", [401, 404])
    def test_a_hopeless_platform_is_told_at_once(self, run, service, status):
        service.answer = lambda _: refusal(status)
        with pytest.raises(ft.PlatformError) as caught:
            run(examples(50), Paraphrase(1, model="m"), concurrency=2)
        assert caught.value.status_code == status
        assert len(service.requests) <= 2

    def test_a_hopeless_platform_does_not_take_away_what_others_made(self, run, service):
        service.answer = lambda _: refusal(401)
        result = run(examples(3), Paraphrase(2, model="m"), SystemPrompts(["s"]))
        assert result.counts["system_prompt"].kept == 3
        assert sum(result.counts["paraphrase"].failed.values()) == 6

    def test_reasons_are_bounded(self, run, service):
        service.answer = lambda _: refusal(400, f"id {len(service.requests)} {'x' * 500}")
        result = run(examples(60), Paraphrase(1, model="m"), concurrency=1)
        assert len(result.total.failed) <= 21
        assert sum(result.total.failed.values()) == 60
        assert max(map(len, result.total.failed)) <= 200


class TestCache:
    def test_a_rerun_pays_nothing_and_gives_the_same(self, run, service):
        first = run(examples(4), Paraphrase(2, model="m"))
        again = run(examples(4), Paraphrase(2, model="m"))
        assert again.children == first.children
        assert (again.spent.calls, again.spent.reused) == (0, 4)
        assert len(service.requests) == 4

    @pytest.mark.parametrize(
        "change",
        [
            lambda: (Paraphrase(3, model="m"), 0),
            lambda: (Paraphrase(2, model="other"), 0),
            lambda: (Paraphrase(2, model="m", temperature=0.1), 0),
            lambda: (Paraphrase(2, model="m"), 1),
        ],
    )
    def test_another_question_is_asked(self, run, service, change):
        run(examples(1), Paraphrase(2, model="m"))
        augmenter, seed = change()
        run(examples(1), augmenter, seed=seed)
        assert len(service.requests) == 2

    def test_more_rows_pay_only_for_themselves(self, run, service):
        run(examples(3), Paraphrase(1, model="m"))
        result = run(examples(5), Paraphrase(1, model="m"))
        assert (result.spent.calls, result.spent.reused) == (2, 3)

    def test_equal_rows_pay_once_and_give_their_children_once(self, run, service):
        service.seconds = 0.05
        result = run([example(100)] * 4, Paraphrase(2, model="m"))
        assert len(service.requests) == 1
        assert (result.total.kept, result.total.identical) == (2, 6)

    def test_a_file_that_is_no_cache_is_refused_before_any_call(self, run, service, tmp_path):
        (tmp_path / "x.db").write_text("hello " * 1000)
        with pytest.raises(ft.DataError, match="is no file of kept answers"):
            run(examples(1), Paraphrase(1, model="m"), cache=tmp_path / "x.db")
        assert service.requests == []

    def test_default_file(self, platform, home, monkeypatch, tmp_path):
        monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "elsewhere"))
        augmented(examples(1), [Paraphrase(1, model="m")], platform=platform)
        assert (tmp_path / "elsewhere" / "answers.db").exists()

    def test_no_model_no_file(self, run, tmp_path):
        run(examples(1), Noise())
        assert not (tmp_path / "answers.db").exists()

    def test_an_answer_that_cannot_be_kept_ends_the_run(self, run, service, monkeypatch):
        import sqlite3

        def full(self, key, model, paid):
            self._db.execute("PRAGMA query_only=ON")
            return put(self, key, model, paid)

        put = Kept.put
        monkeypatch.setattr(Kept, "put", full)
        with pytest.raises(ft.DataError, match="could not be kept") as caught:
            run(examples(30), Paraphrase(1, model="m"), concurrency=1)
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert len(service.requests) == 1

    def test_kill_nine_pays_nothing_twice(self, service, tmp_path, until):
        """The tenth call hangs; the process is killed; the rerun asks from the tenth on."""
        release = threading.Event()

        def hanging(request):
            if len(service.requests) == 10 and not release.is_set():
                release.wait(120)
            return rewriting(request)

        service.answer = hanging
        script = textwrap.dedent(
            """
            import sys
            sys.path.insert(0, sys.argv[3])
            import finetune_lib as ft
            from finetune_lib.data.augmenters.augmenting import augmented
            from finetune_lib.data.augmenters import Paraphrase
            from tests.data.augmenters.test_augmenting import examples
            result = augmented(examples(20), [Paraphrase(2, model="m")], concurrency=1, cache=sys.argv[2],
                               platform=ft.connect(sys.argv[1], api_key="k"))
            print(result.total.kept, result.spent.calls, result.spent.reused)
            """
        )
        root = os.fspath(ROOT)
        command = [sys.executable, "-c", script, service.url, str(tmp_path / "answers.db"), root]
        killed = subprocess.Popen(command, stdout=subprocess.PIPE)
        until(lambda: len(service.requests) == 10)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        release.set()
        paid = service.asked[:9]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["40", "11", "9"]
        assert len(service.requests) == 10 + 11
        assert not set(paid) & set(service.asked[10:])

    @pytest.mark.parametrize("real", [True, False])
    def test_ctrl_c_keeps_what_was_paid(self, run, service, real):
        def stop(done, total):
            if done == 5:
                if not real:
                    raise KeyboardInterrupt
                os.kill(os.getpid(), signal.SIGINT)

        service.seconds = 0.02
        with pytest.raises(KeyboardInterrupt):
            run(examples(20), Paraphrase(1, model="m"), concurrency=1, on_progress=stop)
        before = len(service.requests)
        result = run(examples(20), Paraphrase(1, model="m"))
        assert result.total.kept == 20
        assert result.spent.reused >= 5
        assert len(service.requests) <= before + 15 + 1  # the call under way may just have begun

    def test_ctrl_c_keeps_what_was_paid_while_a_function_hangs(self, service, tmp_path):
        script = textwrap.dedent(
            """
            import sys, time
            sys.path.insert(0, sys.argv[3])
            import finetune_lib as ft
            from finetune_lib.data.augmenters import Paraphrase
            from finetune_lib.data.augmenters.augmenting import augmented
            from tests.data.augmenters.test_augmenting import examples
            def last(example):
                if "104" in example.prompt and sys.argv[4:]:
                    print("hangs", flush=True)
                    time.sleep(600)
            result = augmented(examples(8), [Paraphrase(1, model="m"), last], concurrency=1, cache=sys.argv[2],
                               platform=ft.connect(sys.argv[1], api_key="k"))
            print(result.total.kept, result.spent.calls, result.spent.reused)
            """
        )
        command = [sys.executable, "-c", script, service.url, str(tmp_path / "answers.db"), os.fspath(ROOT)]
        with subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as stopped:
            assert stopped.stdout.readline() == b"hangs\n"
            stopped.send_signal(signal.SIGINT)
            stopped.wait(15)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["8", "3", "5"]
        assert len(service.requests) == 8


class TestLimits:
    def test_budget_is_never_passed(self, run, service):
        price = (1000.0, 2000.0)  # $0.10 + $0.10 a call
        result = run(examples(50), Paraphrase(1, model="m", price=price), budget=2.0)
        assert 0 < result.spent.usd <= 2.0
        assert result.spent.calls == len(service.requests) == pytest.approx(result.spent.usd / 0.2)
        assert result.total.made == 50
        assert result.total.failed == {"the budget of $2 is reached": 50 - result.spent.calls}

    def test_a_rerun_goes_on_where_the_budget_ended(self, run, service):
        augmenter = Paraphrase(1, model="m", price=(1000.0, 2000.0))
        kept = [run(examples(10), augmenter, budget=1.2).total.kept for _ in range(5)]
        assert kept == sorted(kept)
        assert kept[-1] == 10
        assert len(service.requests) == 10

    def test_budget_without_a_price_is_refused_before_any_call(self, run, service):
        with pytest.raises(ValueError, match="price="):
            run(examples(1), Paraphrase(1, model="m"), budget=1.0)
        assert service.requests == []

    def test_openai_prices_come_from_the_catalogue(self, service, tmp_path):
        openai = ft.Platform("openai", service.url, "k")
        result = augmented(
            examples(1), [Paraphrase(1, model="gpt-4.1-mini")], platform=openai, budget=1.0, cache=tmp_path / "a.db"
        )
        assert result.spent.usd == pytest.approx((100 * 0.40 + 50 * 1.60) / 1e6)

    def test_a_platform_that_counts_no_tokens_is_reckoned_with_an_estimate(self, run, service):
        service.usage = None
        result = run(examples(1), Paraphrase(1, model="m", price=(1.0, 1.0)), budget=1.0)
        assert result.spent.usd > 0

    def test_max_calls(self, run, service):
        result = run(examples(10), Paraphrase(2, model="m"), max_calls=3, concurrency=4)
        assert len(service.requests) == 3
        assert (result.total.kept, result.total.failed) == (6, {"the limit of 3 calls is reached": 14})

    def test_concurrency_is_bounded_and_used(self, run, service):
        service.seconds = 0.05
        run(examples(20), Paraphrase(1, model="m"), concurrency=4)
        assert service.most_under_way == 4

    @pytest.mark.parametrize(
        ("name", "value"), [("concurrency", 0), ("budget", -1), ("max_calls", -1), ("budget", float("nan"))]
    )
    def test_wrong_limits(self, run, name, value):
        with pytest.raises(ValueError, match=name):
            run(examples(1), Noise(), **{name: value})


class TestIndependence:
    def test_concurrency_changes_nothing(self, run, service, tmp_path):
        service.answer = lambda request: time.sleep(hash(str(request)) % 5 / 500) or rewriting(request)
        augmenters = [Paraphrase(3, model="m"), Noise(n=2), SystemPrompts(["a", "b", "c"], n=1)]
        results = [run(examples(40), *augmenters, concurrency=n, seed=3, cache=tmp_path / f"{n}.db") for n in (1, 32)]
        assert results[0].children == results[1].children
        assert results[0].counts == results[1].counts

    def test_order_of_rows_changes_no_child(self, run):
        augmenters = [Noise(n=3, rate=0.3), SystemPrompts(["a", "b", "c"], n=2)]
        forth, back = (run(rows, *augmenters, seed=1) for rows in (examples(20), examples(20)[::-1]))
        assert {c.lineage.parent: c for c in forth.children}.keys() == {c.lineage.parent for c in back.children}
        assert sorted(map(repr, forth.children)) == sorted(map(repr, back.children))

    def test_other_seeds_give_other_children(self, run):
        first, other = (run(examples(20), Noise(), seed=seed) for seed in (1, 2))
        assert prompts(first) != prompts(other)

    async def test_async_is_the_same(self, run, platform, tmp_path):
        augmenters = [Noise(), Paraphrase(1, model="m")]
        result = await augmented_async(examples(3), augmenters, platform=platform, cache=tmp_path / "answers.db")
        assert result.children == run(examples(3), *augmenters).children  # also within a running loop


class TestPlainFunctions:
    def test_every_form_of_function(self, run):
        def rows(example):
            return [softer(example, "請")]

        def generator(example):
            yield softer(example, "好")

        def one(example):
            return softer(example, "喂")

        def none(example):
            return None

        async def later(example):
            await asyncio.sleep(0)
            return [softer(example, "嗨")]

        async def stream(example):
            yield softer(example, "哈")

        class Thing:
            name = "thing"

            def __call__(self, example):
                return [aug.Child(softer(example, "欸"), "x")]

        result = run(examples(1), rows, generator, one, none, later, stream, Thing())
        assert [prompt[0] for prompt in prompts(result)] == list("請好喂嗨哈欸")
        assert [child.lineage.operation for child in result.children][-2:] == ["stream", "thing:x"]
        assert result.counts["none"].made == 0

    def test_children_take_over_origin_and_category(self, run):
        parent = ft.Example(example(100).data, Origin("b.csv", row=7), "退貨")
        (child,) = run([parent], lambda e: [softer(e, "請")]).children
        assert (child.example.origin, child.example.category) == (parent.origin, "退貨")

    def test_a_failure_is_data(self, run):
        def shaky(example):
            if "101" in example.prompt:
                raise KeyError("boom")
            return [softer(example, "請")]

        result = run(examples(3), shaky)
        assert result.counts["shaky"].failed == {"KeyError: 'boom'": 1}
        assert result.total.kept == 2

    @pytest.mark.parametrize(
        "error", [StopIteration, SystemExit, KeyboardInterrupt, asyncio.CancelledError, CancelledError, GeneratorExit]
    )
    def test_whatever_a_function_raises_is_the_reason_of_one_failure(self, run, error):
        def plain(example):
            if "101" in example.prompt:
                raise error("done")
            return [softer(example, "請")]

        def generator(example):
            yield from plain(example)

        result = run(examples(3), plain, generator)
        reasons = [reason for counts in result.counts.values() for reason in counts.failed]
        assert len(reasons) == 2
        assert all(error.__name__ in reason for reason in reasons)
        assert result.total.kept + result.total.identical == 4

    @pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError])
    def test_whatever_an_async_function_raises_is_the_reason_of_one_failure(self, run, error):
        async def shaky(example):
            await asyncio.sleep(0)
            if "101" in example.prompt:
                raise error("done")
            yield softer(example, "請")

        result = run(examples(3), shaky)
        assert result.counts["shaky"].failed == {f"RuntimeError: {error.__name__}: done": 1}
        assert result.total.kept == 2

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ("text", "TypeError: an augmenter gives rows, not str"),
            (3, "TypeError: an augmenter gives rows, not int"),
            (["text"], "an augmenter gives rows, not str"),
            ([{"foo": 1}], "the row is no example"),
            ([{"messages": [{"role": "user", "content": {1, 2}}]}], "the row holds a value"),
            ([{"messages": [], "x": float("nan")}], "the row holds a value"),
        ],
    )
    def test_what_is_no_row_fails(self, run, given, reason):
        (told,) = run(examples(1), lambda _: given).total.failed
        assert told.startswith(reason)

    def test_a_function_that_changes_its_example_changes_no_parent(self, run):
        def careless(example):
            for mark in "甲乙丙":
                example.data["messages"][0]["content"] = mark + example.prompt
                yield example.data

        parents = examples(1)
        result = run(parents, careless)
        assert parents == examples(1)
        assert [prompt[:3] for prompt in prompts(result)] == ["甲訂單", "乙甲訂", "丙乙甲"]

    def test_identical_and_drifted_are_dropped_and_counted(self, run):
        def mixed(example):
            yield example
            yield softer(example, "請")
            yield softer(example, "請")
            yield {"messages": [{"role": "user", "content": "今天天氣如何"}, *example.data["messages"][1:]]}

        counts = run(examples(2), mixed).counts["mixed"]
        assert (counts.kept, counts.identical, counts.drifted) == (2, 4, {"overlap": 2})
        assert counts.made == 8
        assert str(counts) == "8 made = 2 kept + 4 identical + 2 drifted (overlap: 2) + 0 failed"

    def test_a_function_brings_its_own_gate(self, run):
        def other(example):
            return [{"messages": [{"role": "user", "content": "今天天氣如何"}, *example.data["messages"][1:]]}]

        other.gate = aug.CHANGED
        assert run(examples(1), other).total.kept == 1

    def test_randomness_by_item(self, run):
        def drawn(example):
            return [softer(example, aug.randomness("drawn", example).choice(MARKS))]

        first, again, other = (prompts(run(examples(20), drawn, seed=seed)) for seed in (1, 1, 2))
        assert first == again != other

    def test_two_of_one_name_are_counted_apart(self, run):
        result = run(examples(1), Noise(["width"]), Noise(["punctuation"]))
        assert list(result.counts) == ["noise", "noise 2"]

    def test_a_wrapper_may_ask_a_model(self, run):
        async def wrapped(example):
            return await Paraphrase(1, model="m")(example)

        assert run(examples(2), wrapped).total.kept == 2


def softer(example: ft.Example, mark: str) -> dict[str, Any]:
    first, *rest = example.data["messages"]
    return {**example.data, "messages": [{**first, "content": mark + first["content"]}, *rest]}


class TestResult:
    def test_parents_come_first_as_they_were_and_know_their_family(self, run):
        quiet = ft.Example({"messages": [{"role": "assistant", "content": "x"}]})
        result = run([*examples(2), quiet], Noise())
        assert [e.data for e in result.examples[:3]] == [e.data for e in [*examples(2), quiet]]
        assert [e.family for e in result.examples] == [
            *(families := [aug.content_hash(e.data) for e in examples(2)]),
            None,
            *families,
        ]
        assert [lineage is None for _, lineage in result.pairs] == [True] * 3 + [False] * 2

    def test_grandchildren_stay_in_the_family(self, run):
        first = run(examples(1), Noise(["punctuation"]))
        second = run(first.examples, SystemPrompts(["s"]))
        assert {e.family for e in second.examples} == {aug.content_hash(example(100).data)}
        assert second.children[1].lineage.parent == aug.content_hash(first.children[0].example.data)

    def test_the_same_again_adds_nothing(self, run):
        first = run(examples(3), SystemPrompts(["s"]))
        again = run(first.examples, SystemPrompts(["s"]))
        assert again.children == ()
        assert again.total.identical == 6

    def test_a_check_keeps_out_what_must_not_train(self, run):
        result = run(examples(2), Noise(), check=lambda child: "C406" if "101" in child.prompt else None)
        assert (result.total.kept, result.total.failed) == (1, {"C406": 1})

    def test_cells_are_dropped_where_messages_were_added(self, run):
        parent = ft.Example(example(100).data, Origin("a.xlsx", row=1, cells={"/messages/0/content": "A1"}))
        noisy, under = run([parent], Noise(), SystemPrompts(["s"])).children
        assert noisy.example.origin.cells == parent.origin.cells
        assert under.example.origin.cells == {}

    def test_progress(self, run):
        told = []
        run(examples(3), Noise(), Script("zh-Hans"), on_progress=lambda *numbers: told.append(numbers))
        assert told == [(i, 6) for i in range(1, 7)]

    def test_no_augmenter(self, run):
        with pytest.raises(ValueError, match="at least one augmenter"):
            run(examples(1))

    def test_no_example(self, run):
        assert run([], Noise(), Paraphrase(1, model="m")).examples == []

    def test_a_missing_package_ends_the_run(self, run, monkeypatch):
        from finetune_lib.data.augmenters.script import converter

        converter.cache_clear()
        monkeypatch.setitem(sys.modules, "opencc", None)
        with pytest.raises(ft.MissingExtraError, match="zh"):
            run(examples(1), Script("zh-Hans"))

    def test_printed(self, run):
        assert str(run(examples(1), Paraphrase(1, model="m"))) == (
            "paraphrase: 1 made = 1 kept + 0 identical + 0 drifted + 0 failed\n"
            "1 paid calls, 0 answers reused, 150 tokens, cost unknown"
        )


def test_dataset_augment_keeps_families_together_in_a_split(platform, tmp_path):
    data = ft.Dataset(examples(20)).augment(
        Paraphrase(2, model="m"), Noise(), platform=platform, cache=tmp_path / "answers.db", seed=1
    )
    assert len(data) > 60
    parts = data.split(validation=0.2, golden=0.1, near=None)  # the questions are all alike
    families = [{example.family for example in part} for part in parts]
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert not families[1] & families[2]

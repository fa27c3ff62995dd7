"""OptimizedPrompt: the search sees training examples alone, counts what it costs, and is paid once."""

from __future__ import annotations

import sys

import pytest
from tests.doubles import Service, refusal, serving

import finetune_lib as ft

STRONG = "只回答類別名稱，不要說明。"
PRICE = (1.0, 2.0)  # of the double: 100 tokens read and 50 written are $0.0002
ONE = 0.0002


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path / "home"))


@pytest.fixture
def gepa():
    return pytest.importorskip("gepa")


@pytest.fixture
def examples():
    ways = {"退": "退貨", "換": "換貨"}
    rows = [{"prompt": f"訂單{n}要{way}", "completion": label} for n in range(8) for way, label in ways.items()]
    return ft.Dataset.from_rows(rows, system="你是客服。")


def says(request):
    """Wordy, until it is told to name the class alone; the reflector tells so."""
    system, question = request["messages"][0]["content"], request["messages"][-1]["content"]
    if "Write better instructions" in question:
        return f"```\n{STRONG}\n```"
    label = "退貨" if "退" in question else "換貨"
    return label if system == STRONG else f"這是{label}的問題。"


def prompt(service, examples, **options):
    options = {"scorer": ft.ExactMatch(), "budget": 1.0, "calls": 60, "price": PRICE, **options}
    return ft.OptimizedPrompt("m", examples=examples, platform=ft.connect(service.url, api_key="k"), **options)


def golden():
    asked = [f"第{n}號包裹想{way}" for n in range(6) for way in ("退", "換")]
    return [
        ft.Case(str(n), (ft.Message(role="user", content=text),), expected="退貨" if "退" in text else "換貨")
        for n, text in enumerate(asked)
    ]


def test_it_finds_the_stronger_prompt_on_training_examples_alone(gepa, examples, tmp_path):
    with serving(Service(says)) as service:
        candidate = prompt(service, examples)
        base = ft.ChatModel("m", name="base", system="你是客服。", platform=candidate.platform, price=PRICE)
        evaluator = ft.Evaluator([ft.ExactMatch()], store=tmp_path / "answers.db")
        report = evaluator.run(golden(), candidates=[base, candidate], training=examples)
        found = candidate.optimize()
    assert found.system == STRONG
    assert (found.before, found.score) == (0.0, 1.0)
    assert report.mean(candidate.name) == 1.0
    assert report.verdict(candidate.name, baseline="base").outcome == "better"
    asked_of_golden = {case.prompt for case in golden()}
    others = [chat for chat in service.chats if chat["messages"][-1]["content"] not in asked_of_golden]
    assert not any(question in str(chat) for chat in others for question in asked_of_golden)
    # all that was paid is in the record of the run: the search, and both candidates' answers
    assert found.usd == pytest.approx(found.calls * ONE)
    assert report.run.usd == pytest.approx(len(service.chats) * ONE)
    assert f"${found.usd:,.2f}" in str(found)


def test_the_same_search_is_paid_once(gepa, examples):
    with serving(Service(says)) as service:
        first = prompt(service, examples).optimize()
        paid = len(service.chats)
        again = prompt(service, examples).optimize()
    assert again == first
    assert len(service.chats) == paid <= first.calls


@pytest.mark.parametrize("answered", [3, 11, 13])
def test_what_was_interrupted_goes_on(gepa, examples, answered):
    """Among the first answers, while a model reflects, and while its prompt is tried."""
    failing = iter([*[False] * answered, *[True] * 400])
    broken = True

    def sometimes(request):
        return refusal(403, "out of order") if broken and next(failing) else says(request)

    with serving(Service(sometimes)) as service:
        with pytest.raises(ft.DataError, match="the same call goes on"):
            prompt(service, examples).optimize()
        broken = False
        before = len(service.chats)
        found = prompt(service, examples).optimize()
        with serving(Service(says)) as other:
            whole = prompt(other, examples).optimize()
        assert (found.system, found.calls) == (whole.system, whole.calls)
        assert whole.tried > 1
        assert len(service.chats) - before == len(other.chats) - answered


@pytest.mark.parametrize("budget", [0.004, 0.01, 0.05])
def test_it_ends_before_the_budget(gepa, examples, budget):
    with serving(Service(says)) as service:
        found = prompt(service, examples, budget=budget, scorer=lambda answer, case: 0.5, calls=10_000).optimize()
    assert found.usd <= budget
    assert len(service.chats) * ONE <= budget


def test_a_budget_below_the_first_look_is_refused_and_nothing_is_asked(gepa, examples):
    with serving(Service(says)) as service:
        with pytest.raises(ft.DataError, match="above the budget"):
            prompt(service, examples, budget=0.00001).optimize()
        with pytest.raises(ft.DataError, match="needs the price of m"):
            prompt(service, examples, price=None).optimize()
    assert not service.chats


def test_a_golden_case_among_the_examples_is_named(gepa, examples, tmp_path):
    leaked = ft.Case("leak", (ft.Message(role="user", content="订单3要退。"),), expected="退貨")
    with serving(Service(says)) as service:
        evaluator = ft.Evaluator([ft.ExactMatch()], store=tmp_path / "answers.db")
        with pytest.raises(ft.DataError, match=r"case leak asks what a training example asks.*decontaminate"):
            evaluator.run([leaked], candidates=[prompt(service, examples)])
    assert not service.chats


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"scorer": ft.ExactMatch}, TypeError, "scorer is an object"),
        ({"scorer": "exact"}, TypeError, "scorer is an object"),
        ({"budget": -1}, ValueError, "budget is at least"),
        ({"budget": float("nan")}, ValueError, "budget is at least"),
        ({"calls": 0}, ValueError, "calls at least 1"),
        ({"examples": []}, ValueError, "8 examples with question and answer or more, not 0"),
        ({"examples": "faq.xlsx"}, TypeError, r"ft\.Dataset\.load"),
    ],
)
def test_what_cannot_be_is_refused(examples, options, kind, said):
    with pytest.raises(kind, match=said):
        ft.OptimizedPrompt("m", **{"examples": examples, "scorer": ft.ExactMatch(), "budget": 1.0, **options})


def test_without_the_extra_it_says_what_to_install(examples, monkeypatch):
    monkeypatch.setitem(sys.modules, "gepa", None)
    with serving(Service(says)) as service, pytest.raises(ft.MissingExtraError, match=r"finetune_lib\[optimize\]"):
        prompt(service, examples).optimize()
    assert not service.chats

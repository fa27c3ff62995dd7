"""Every public value shows itself in a few lines, whatever it holds; and as a table or its words in a notebook."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

import finetune_lib as ft

BYTES = 2_000
HUGE: tuple[Any, ...] = ("退票要收手續費嗎？" * 20_000, [{"role": "user", "content": "長" * 5_000}] * 5_000)
MODULES = [ft, *(held for name in dir(ft) if isinstance(held := getattr(ft, name), ModuleType))]
PUBLIC = {f"{module.__name__}.{name}": getattr(module, name) for module in MODULES for name in module.__all__}
CLASSES = {name: thing for name, thing in PUBLIC.items() if isinstance(thing, type)}
FIELDED = {name: kind for name, kind in CLASSES.items() if is_dataclass(kind) or issubclass(kind, BaseModel)}
ERRORS = {name: kind for name, kind in CLASSES.items() if issubclass(kind, ft.FinetuneError)}


def filled(kind: Any, value: Any) -> Any:
    """A value of the class each of whose fields holds the same."""
    if not is_dataclass(kind):
        return kind.model_construct(**dict.fromkeys(kind.model_fields, value))
    made = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(made, field.name, value)
    return made


def test_all_public_values_are_walked():
    assert len(FIELDED) > 90
    assert {"finetune_lib.Case", "finetune_lib.JobEvent", "finetune_lib.Comparison"} <= FIELDED.keys()
    assert len(ERRORS) > 10


@pytest.mark.parametrize("value", HUGE, ids=["a long text", "many messages"])
@pytest.mark.parametrize("name", FIELDED)
def test_a_value_that_holds_much_shows_little(name: str, value: Any):
    kind = FIELDED[name]
    if kind.__repr__.__module__ != "finetune_lib.shown":
        assert kind.__repr__.__module__.startswith("finetune_lib"), f"{name} shows all that it holds"
        return  # of its own words; real ones are shown below
    shown = repr(filled(kind, value))
    assert shown.startswith(f"{kind.__name__}(")
    assert len(shown.encode()) <= BYTES


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_shows_the_beginning_of_its_message(name: str):
    root = OSError if issubclass(ERRORS[name], OSError) else Exception
    error = root.__new__(ERRORS[name])
    error.args = HUGE
    assert repr(error).startswith(f"{ERRORS[name].__name__}('退票")
    assert len(repr(error).encode()) <= BYTES


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_crosses_the_border_of_a_process(name: str):
    root = OSError if issubclass(ERRORS[name], OSError) else Exception
    error = root.__new__(ERRORS[name])
    error.args = ("no answer",)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), back.args) == (ERRORS[name], ("no answer",))


def rows() -> ft.Dataset:
    return ft.Dataset.from_rows(
        [{"prompt": f"第 {n} 條怎麼規定？", "completion": f"第 {n} 條：應於 {n} 日內為之。" * 40} for n in range(60)]
    )


def real_values() -> Iterator[Any]:
    data = rows()
    split = data.split(validation=0.1, golden=0.1, seed=7)
    golden = ft.GoldenSet([ft.Case(str(n), (ft.Message(role="user", content=f"{n} 號" * 300),)) for n in range(40)])
    report = data.validate()
    yield from (data, data[0], split, split.proof(), golden, golden.check(data), golden.cases[0])
    yield from (
        report,
        report.diagnostics[0],
        data.stats(),
        data.estimate("gpt-4.1-mini"),
        ft.relation(data[0], data[1]),
    )
    yield from (ft.ChatModel("gpt-4.1-mini"), ft.FewShot("gpt-4.1-mini", examples=data), ft.ExactMatch(), ft.Bar())
    yield from (ft.NearestExamples(data), ft.Rag("gpt-4.1-mini", corpus=data), ft.Evaluator(scorers=[ft.ExactMatch()]))


def test_real_values_are_short_too():
    long = {type(value).__name__: repr(value) for value in real_values() if len(repr(value).encode()) > BYTES}
    assert not long


def test_what_is_shown_of_a_value():
    case = ft.Case("1", (ft.Message(role="user", content="幾點登機？"),), expected="七點")
    assert repr(case) == "Case(id='1', messages=(Message(role='user', content='幾點登機？'),), expected='七點')"
    assert repr(ft.ToolCall("find", {"gate": 1, "of": [1, 2, 3, 4]})) == (
        "ToolCall(name='find', arguments={'gate': 1, 'of': [1, 2, 3, … 1 more]})"
    )
    assert repr(ft.Answer("好" * 61)) == f"Answer(text='{'好' * 60}…')"


def test_what_a_subclass_says_itself_is_left_to_it():
    class Own(ft.ExactMatch):
        def __repr__(self) -> str:
            return "mine"

    assert repr(Own()) == "mine"
    assert "mine" in Own()._repr_html_()


def test_values_travel_as_before():
    case = ft.Case("1", (ft.Message(role="user", content="幾點登機？"),), expected="七點")
    assert pickle.loads(pickle.dumps(case)) == case


def test_a_notebook_shows_a_table_of_the_fields_and_no_markup_of_the_data():
    html = ft.Case("1", (), expected="<script>alert(1)</script>", category="退款")._repr_html_()
    assert "<th>expected</th><td>&lt;script&gt;" in html
    assert "退款" in html
    assert "<script" not in html


def test_a_notebook_shows_a_conversation_turn_by_turn():
    html = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "起飛前 <b>30</b> 分鐘。"}])[0]._repr_html_()
    assert "<th>role</th><td>user</td></tr><tr><th>content</th><td>幾點登機？" in html
    assert "起飛前 &lt;b&gt;30" in html


def test_a_notebook_names_a_value_that_has_only_defaults():
    assert "<td><div>ExactMatch()</div></td>" in ft.Evaluator(scorers=[ft.ExactMatch()])._repr_html_()


def test_what_a_notebook_shows_of_much_is_little_too():
    for value in HUGE:
        assert len(filled(ft.Case, value)._repr_html_()) < 100_000


def test_a_notebook_shows_the_words_of_a_value_that_has_some():
    cost = rows().estimate("gpt-4.1-mini")
    assert "<pre>" in cost._repr_html_()
    assert str(cost).splitlines()[0].split("<")[0][:20] in cost._repr_html_()


def test_a_notebook_does_not_show_what_the_shell_hides():
    platform = ft.connect("openai", api_key="sk-shown-to-nobody")
    model = ft.ChatModel("gpt-4.1-mini", platform=platform)
    for value in (platform, model):
        assert "shown-to-nobody" not in repr(value) + value._repr_html_()

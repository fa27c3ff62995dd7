"""Whoever walks a row sees the same: which messages are learned, which side is preferred, what a tool turn says."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data.checks import limits
from finetune_lib.data.checks.form import rows as form
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.formats import exported, translated
from finetune_lib.data.measuring.stats import stats
from finetune_lib.pages.conversation import conversation_of
from finetune_lib.records import Example
from finetune_lib.rendering.probing import renderer_of
from finetune_lib.rendering.renderer import IGNORED, Renderer
from finetune_lib.rendering.tiny import tiny_tokenizer
from finetune_lib.rows.exchange import turns_of
from finetune_lib.rows.messages import OUTPUTS, is_silent, trained
from finetune_lib.rows.turns import answers, turns
from finetune_lib.tokens import counter_for

ROLES = st.sampled_from(["system", "developer", "user", "assistant", "assistant"])
WEIGHTS = st.sampled_from([0, 0.0, False, 1, True, None, 0.5, 2, "0", "1", [], {}])
TEXT = st.text("abc 問", min_size=1, max_size=6).map(lambda text: f"<{text}>")
FUNCTION = {"name": "f", "arguments": "{}"}
CALLS = st.sampled_from(
    [
        {"tool_calls": [{"id": "c", "type": "function", "function": FUNCTION}]},
        {"function_call": FUNCTION},
    ]
)
RESULTS = st.sampled_from([{"role": "tool", "tool_call_id": "c"}, {"role": "function", "name": "f"}])


@st.composite
def spoken(draw: st.DrawFn, role: st.SearchStrategy[str] = ROLES, **more: Any) -> dict[str, Any]:
    """A message with or without a weight, its text whole or in parts."""
    text = draw(TEXT)
    content: Any = draw(st.sampled_from([text, [{"type": "text", "text": text}]]))
    return {
        "role": draw(role),
        "content": content,
        **draw(st.fixed_dictionaries({}, optional={"weight": WEIGHTS})),
        **more,
    }


MESSAGES = st.lists(spoken(), min_size=1, max_size=5)
CHATS = MESSAGES.map(lambda messages: {"messages": messages})
SIDE = spoken(st.just("assistant")).map(lambda message: [message])
PREFERENCES = st.fixed_dictionaries(
    {"input": MESSAGES.map(lambda messages: {"messages": messages}), OUTPUTS[0]: SIDE, OUTPUTS[1]: SIDE}
)
PAIRS = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT})
ROWS = CHATS | PREFERENCES | PAIRS
COUNTER = counter_for(None)
RELAXED = settings(deadline=None)


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[0]["text"]


def learned(row: dict[str, Any]) -> list[str]:
    """The rule, told once more: assistant turns that are not weighted 0, of a preference its first side alone."""
    if "completion" in row:
        return [row["completion"]]
    messages = row["messages"] if "messages" in row else row[OUTPUTS[0]]
    silent = (0, False)
    return [text_of(m) for m in messages if m["role"] == "assistant" and m.get("weight", 1) not in silent]


@cache
def renderer() -> Renderer:
    """Its template sets each turn between its role and a full stop."""
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message.role + ':' + message.content + '.' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    return renderer_of(tokenizer)


@RELAXED
@given(row=ROWS)
def test_all_agree_on_what_is_learned(row: dict[str, Any]) -> None:
    expected, example = learned(row), Example(row)
    assert answers(row) == [turn.text for turn in turns(row) if turn.learned] == expected
    assert [text_of(dict(message)) for message, own in trained(row) if own] == expected
    tokens = sum(COUNTER.text(message) for message, own in trained(row) if own)
    assert stats([example], model=None).trained.total == tokens


@RELAXED
@given(row=CHATS | PAIRS)
def test_training_here_learns_the_same(row: dict[str, Any]) -> None:
    sequences = renderer().encode(row, limit=10_000)
    labels = [label for encoded in sequences for label in encoded["labels"] if label != IGNORED]
    labelled = renderer().tokenizer.decode(labels)
    assert labelled == "".join(f"{text}." for text in learned(row))


@RELAXED
@given(row=CHATS)
def test_checks_find_an_unlearned_chat_where_nothing_is_learned(row: dict[str, Any]) -> None:
    spoke = any(message["role"] == "assistant" for message in row["messages"])
    codes = {finding.code for finding in form.check(Example(row), Rules())}
    assert ("C407" in codes) == (spoke and not learned(row))


@RELAXED
@given(row=CHATS | PREFERENCES)
def test_pages_mark_the_turns_of_weight_zero(row: dict[str, Any]) -> None:
    given_by_path = {f"/messages/{i}": m for i, m in enumerate(row.get("messages", ()))}
    given_by_path |= {f"/input/messages/{i}": m for i, m in enumerate(row.get("input", row)["messages"])}
    given_by_path |= {f"/{side}/0": row[side][0] for side in OUTPUTS if side in row}
    shown = conversation_of(row)
    for turn in shown.all_turns:
        assert turn.learned is not is_silent(given_by_path[turn.path])
    said = {turn.path for turn in shown.all_turns if turn.learned and turn.role == "assistant"}
    assert {turn.pointer.partition("/content")[0] for turn in turns(row) if turn.learned} <= said


@RELAXED
@given(row=PREFERENCES)
def test_all_agree_on_which_side_is_preferred(row: dict[str, Any]) -> None:
    preferred, other = (text_of(row[side][0]) for side in OUTPUTS)
    exchange, shown = turns_of(Example(row)), conversation_of(row)
    assert exchange is not None
    assert (exchange.answer, exchange.rejected) == (preferred, other)
    assert shown.sides is not None
    assert [side[0].text for side in shown.sides] == [preferred, other]
    assert text_of(dict(trained(row)[-1][0])) == preferred


@settings(deadline=None, max_examples=200)
@given(row=CHATS | PREFERENCES, format=st.sampled_from(["trl", "llamafactory", "together", "mistral"]))
def test_a_format_that_takes_a_row_keeps_what_is_learned(row: dict[str, Any], format: Any) -> None:
    try:
        written = exported(Example(row), format=format)
    except ValueError:
        return
    assert learned(dict(translated(Example(written)).data)) == learned(row)


@RELAXED
@given(asked=spoken(st.just("user")), call=CALLS, result=RESULTS, text=TEXT, answered=st.booleans())
def test_all_agree_on_tool_turns(asked: Any, call: Any, result: Any, text: str, answered: bool) -> None:
    calling = {"role": "assistant", "content": None, **call}
    messages = [asked, calling, *([{**result, "content": text}, {"role": "assistant", "content": "<x>"}] * answered)]
    row = {"messages": messages}
    exchange = turns_of(Example(row))
    assert exchange is not None
    assert exchange.calls is not answered
    assert exchange.path == f"/messages/{len(messages) - 1}/{'content' if answered else 'tool_calls'}"
    assert COUNTER.text(calling) > 0
    shown = conversation_of(row).turns
    assert [piece.kind for piece in shown[1].pieces] == ["call"]
    codes = {finding.code for finding in form.check(Example(row), Rules())}
    assert ("C409" in codes, "C404" in codes) == (False, False)


@pytest.mark.parametrize("kind", ["chat", "preference"])
def test_declared_tools_count_wherever_a_row_declares_them(kind: str) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    asked, said = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}

    def row(more: dict[str, Any]) -> Example:
        if kind == "chat":
            return Example({"messages": [asked, said], **more})
        return Example({"input": {"messages": [asked], **more}, OUTPUTS[0]: [said], OUTPUTS[1]: [said]})

    counted = limits.tokens(row({"tools": tools}), COUNTER) - limits.tokens(row({}), COUNTER)
    assert counted == COUNTER.count(json.dumps(tools))


def test_a_dataset_says_how_much_of_it_is_learned() -> None:
    silent = {"role": "assistant", "content": "no", "weight": False}
    rows = [{"messages": [{"role": "user", "content": "q"}, silent, {"role": "assistant", "content": "yes"}]}]
    assert ft.Dataset.from_rows(rows).stats().trained.total == COUNTER.count("yes")

"""Whatever a row holds: a plain row has no finding, and a repair changes no text and adds no error."""

import json
from collections import Counter
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.data.checks.form.rows import check, check_texts
from finetune_lib.data.checks.rules import Rules, Target
from finetune_lib.data.diagnostics import is_error
from finetune_lib.data.fixing.row_repairs import repair_row
from finetune_lib.data.reading.json.plain_chat import is_plain
from finetune_lib.records import Example

TEXTS = st.text(max_size=8)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "User", "human", "gpt", "bot", "xyz", "developer"])
WEIGHTS = st.sampled_from([0, 1, 1.0, 0.0, True, "1", "0", None, 0.5, "x"])
ARGUMENTS = st.dictionaries(
    TEXTS, st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False), st.booleans()), max_size=3
)
CALLS = st.builds(
    lambda arguments, text: {
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": json.dumps(arguments) if text else arguments},
    },
    ARGUMENTS,
    st.booleans(),
)
CONTENTS = st.one_of(
    TEXTS,
    st.none(),
    st.integers(),
    st.lists(st.one_of(TEXTS, st.builds(lambda t: {"type": "text", "text": t}, TEXTS)), max_size=2),
)
MESSAGES = st.builds(
    lambda keys, role, content, extra: dict(zip(keys, (role, content), strict=True)) | extra,
    st.sampled_from(
        [("role", "content"), ("from", "value"), ("Role", "content"), ("role", "text"), ("role", "contnet")]
    ),
    ROLES,
    CONTENTS,
    st.fixed_dictionaries({}, optional={"weight": WEIGHTS, "tool_calls": st.lists(CALLS, max_size=1), "mood": TEXTS}),
)
CHATS = st.builds(
    lambda key, messages, extra: {key: messages} | extra,
    st.sampled_from(["messages", "Messages", "mesages"]),
    st.lists(MESSAGES, max_size=4),
    st.fixed_dictionaries({}, optional={"tools": st.just([]), "note": TEXTS}),
)
SIDES = st.one_of(TEXTS, MESSAGES, st.lists(MESSAGES, max_size=2))
PREFERENCES = st.builds(
    lambda names, messages, sides: {"input": {"messages": messages}} | dict(zip(names, sides, strict=True)),
    st.sampled_from([("preferred_output", "non_preferred_output"), ("chosen", "rejected")]),
    st.lists(MESSAGES, max_size=2),
    st.tuples(SIDES, SIDES),
)
TARGETS = st.sampled_from([None, *get_args(Target)])
RULES = st.builds(Rules, TARGETS, st.sampled_from(["supervised", "dpo", "reinforcement"]))
WORDS = TEXTS.filter(lambda text: text.strip())
PLAIN = st.builds(
    lambda system, turns: {
        "messages": [
            *([{"role": "system", "content": system}] if system else []),
            *(
                {"role": role, "content": text}
                for pair in turns
                for role, text in zip(("user", "assistant"), pair, strict=True)
            ),
        ]
    },
    st.one_of(st.none(), WORDS),
    st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3),
)
NAMED = {"role", "weight", "type", "id"}


def texts(value: Any, key: str = "") -> Counter[str]:
    """Every text and number of a row but for its frame; arguments by what they mean."""
    if key in NAMED:
        return Counter()
    if key == "arguments" and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, dict):
        return sum((texts(inner, name) for name, inner in value.items()), Counter[str]())
    if isinstance(value, list):
        return sum((texts(inner) for inner in value), Counter[str]())
    return Counter([value if isinstance(value, str) else json.dumps(value)])


def framed(row: Any) -> Any:
    """A row with the frame's foreign names as ours, so that `texts` leaves the same out."""
    names = {"from": "role", "Role": "role"}
    if isinstance(row, dict):
        return {names.get(key, key): framed(value) for key, value in row.items()}
    return [framed(value) for value in row] if isinstance(row, list) else row


@given(row=PLAIN, target=TARGETS)
def test_a_plain_row_has_no_finding_but_about_its_texts(row, target):
    assert is_plain(row)
    rules, example = Rules(target), Example(row)
    assert list(check(example, rules)) == [d for f in check_texts(example) if (d := rules.weigh(f))]


@given(row=CHATS, target=TARGETS)
def test_no_broken_row_is_plain(row, target):
    found = [d for d in check(Example(row), Rules(target)) if d.code[0] in "SCFP"]
    assert not (is_plain(row) and found)


@given(row=st.one_of(CHATS, PREFERENCES), rules=RULES)
def test_a_safe_repair_changes_no_text_and_adds_no_error(row, rules):
    before = json.dumps(row)
    repair = repair_row(row, rules)
    assert json.dumps(row) == before
    if repair is None:
        return
    assert repair.kind == "safe"
    assert texts(framed(repair.data)) == texts(framed(row))
    old, new = (Counter(d.code for d in check(Example(data), rules) if is_error(d)) for data in (row, repair.data))
    assert not new - old


@given(row=st.one_of(CHATS, PREFERENCES), rules=RULES)
def test_a_repair_is_complete_at_once(row, rules):
    repair = repair_row(row, rules)
    if repair is None:
        return
    assert repair_row(repair.data, rules) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "tools", "tool_calls", "function", "arguments", "type", "input", "x"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(
    row=st.dictionaries(
        st.sampled_from(["messages", "tools", "functions", "input", "preferred_output", "prompt", "text", "x"]), JSON
    ),
    rules=RULES,
)
def test_no_row_crashes_checks_or_repairs(row, rules):
    list(check(Example(row), rules))
    for safe_only in (True, False):
        repair_row(row, rules, safe_only=safe_only)

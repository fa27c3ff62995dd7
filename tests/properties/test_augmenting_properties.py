"""What holds for any rows: counts add up, nothing crashes, nobody's turn but the user's changes, no timing matters."""

import asyncio
import re

from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data import augmenters as aug
from finetune_lib.data.augmenters.augmenting import augmented
from finetune_lib.rows.turns import turns

RELAXED = settings(deadline=None, max_examples=60)
WORDS = ["應該", "在哪裡", "登录", "please", "receive", "iPhone 15", "https://a.tw/x?y=在哪", "EVA", "1,234"]
MARKS = ["，", "？", " ", "\n"]
TEXT = st.lists(st.sampled_from(WORDS + MARKS) | st.text(max_size=8), max_size=8).map("".join)
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT})
CHAT = st.fixed_dictionaries({"messages": st.lists(MESSAGE, min_size=1, max_size=4)})
SCALARS = st.none() | st.booleans() | st.integers() | ANY
KEYS = st.sampled_from(["messages", "role", "content", "input", "prompt", "completion", "preferred_output", "text"])
NEARLY = st.recursive(
    SCALARS | st.sampled_from(["user", "assistant"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ROW = CHAT | st.dictionaries(KEYS, NEARLY, min_size=1, max_size=3)
GIVEN = st.sampled_from(["same", "changed", "other", "missing", "broken", "text"])
SCRIPTS = [aug.Script("zh-Hant"), aug.Script("zh-Hans", answers=True)]
LOCAL = [aug.Noise(rate=0.5, n=2), aug.SystemPrompts(["s", "t"]), *SCRIPTS]


def rows_of(data):
    return [ft.Example(row) for row in data]


def mixed(kinds):
    """An augmenter that gives one child of each of these kinds."""

    def made(example):
        for kind in kinds:
            first = {"role": "user", "content": f"{kind} {example.prompt}"}
            match kind:
                case "same":
                    yield example
                case "changed" | "other":
                    yield {"messages": [first]}
                case "missing":
                    yield aug.Missing("nothing", 2)
                case "broken":
                    yield {"x": 1}
                case "text":
                    yield "text"

    return made


@RELAXED
@given(data=st.lists(ROW, max_size=5), kinds=st.lists(GIVEN, max_size=6))
def test_counts_add_up(data, kinds):
    result = augmented(rows_of(data), [mixed(kinds), *LOCAL])
    counts = result.counts["made"]
    told = sum(2 if kind == "missing" else 1 for kind in kinds)
    crashed = sum(count for reason, count in counts.failed.items() if "Error" in reason)  # `prompt` of no row
    assert crashed or counts.made == told * len(data)
    assert result.total.kept == len(result.children)
    assert [e.data for e in result.examples[: len(data)]] == data
    for one in result.counts.values():
        assert one.made == one.kept + one.identical + sum(one.drifted.values()) + sum(one.failed.values())


@RELAXED
@given(data=st.lists(ROW, max_size=5), seed=st.integers())
def test_any_row_passes_without_a_crash_and_children_have_a_parent(data, seed):
    result = augmented(rows_of(data), LOCAL, seed=seed)
    parents = {aug.content_hash(row) for row in data}
    assert not any("Error" in reason for reason in result.total.failed)
    assert {child.lineage.parent for child in result.children} <= parents
    assert all(child.example.data not in data for child in result.children)


@RELAXED
@given(row=CHAT, seed=st.integers())
def test_noise_changes_the_user_alone_and_no_digit_capital_or_address(row, seed):
    for child in augmented(rows_of([row]), [aug.Noise(rate=1.0, n=3)], seed=seed).children:
        before, after = turns(row), turns(child.example.data)
        assert [t.role for t in before] == [t.role for t in after]
        for old, new in zip(before, after, strict=True):
            assert old.role == "user" or old == new
            for kept in (r"\d", r"[A-Z]", r"https://[!-~]+"):
                assert re.findall(kept, old.text) == re.findall(kept, new.text)


@settings(deadline=None, max_examples=20)
@given(data=st.lists(CHAT, max_size=8), seed=st.integers(), pauses=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_neither_concurrency_nor_timing_changes_a_result(data, seed, pauses):
    calls = iter(range(10_000))

    async def slow(example):
        await asyncio.sleep(pauses[next(calls) % len(pauses)] / 1000)
        mark = aug.randomness("slow", example).choice("甲乙丙丁")
        return [{"messages": [{**m, "content": m["content"] + mark} for m in example.data["messages"]]}]

    results = [augmented(rows_of(data), [slow, aug.Noise()], seed=seed, concurrency=n) for n in (1, 2, 32)]
    assert results[0].children == results[1].children == results[2].children
    assert results[0].counts == results[1].counts == results[2].counts


@RELAXED
@given(data=st.lists(CHAT, min_size=1, max_size=6, unique_by=aug.content_hash), seed=st.integers())
def test_a_child_depends_on_no_other_row(data, seed):
    together = augmented(rows_of(data), LOCAL, seed=seed).children
    alone = [child for row in rows_of(data) for child in augmented([row], LOCAL, seed=seed).children]
    assert sorted(map(repr, together)) == sorted(map(repr, alone))

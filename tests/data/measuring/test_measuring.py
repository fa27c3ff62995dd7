"""Tokens and cost: what the data weighs, what training costs, and when a shorter prompt has paid for it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib import catalog
from finetune_lib.data.measuring.cost import default_epochs
from finetune_lib.data.measuring.stats import distribution
from finetune_lib.tokens import counter_for

DAY = date(2026, 11, 21)


def rows(count, answer="起飛前三十分鐘登機。"):
    return [
        {"prompt": f"第{n}班幾點登機？", "completion": answer, "category": "甲" if n % 3 else "乙"}
        for n in range(count)
    ]


def test_stats_add_up():
    data = ft.Dataset.from_rows(rows(30), system="你是客服。")
    stats = data.stats()
    count = counter_for(None).count
    assert stats.examples == 30
    assert stats.by_role["assistant"] == 30 * count("起飛前三十分鐘登機。") == stats.trained.total
    assert stats.tokens.total == data.validate().tokens.total
    assert sum(number for number, _ in stats.by_category.values()) == 30
    assert sum(tokens for _, tokens in stats.by_category.values()) == stats.tokens.total
    assert sum(number for _, number in stats.tokens.bins) == 30
    assert "30 examples" in str(stats)
    assert "<table" in stats._repr_html_()


def test_an_answer_of_weight_0_is_not_learned():
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "no", "weight": 0}]
    turns += [{"role": "user", "content": "q"}, {"role": "assistant", "content": "yes"}]
    stats = ft.Dataset.from_rows([{"messages": turns}]).stats()
    assert stats.trained.total == counter_for(None).count("yes")


def test_malformed_rows_count_nothing():
    data = ft.Dataset.from_rows([{"messages": 5}, {"preferred_output": []}, {"messages": ["x"]}, {}])
    assert data.stats().tokens.total == 0


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_a_distribution_holds_every_number(numbers):
    found = distribution(numbers)
    assert sum(count for _, count in found.bins) == len(numbers)
    assert found.least <= found.median <= found.p95 <= found.most
    assert (found.total, found.mean) == (sum(numbers), pytest.approx(sum(numbers) / len(numbers)))


@pytest.mark.parametrize(
    ("examples", "epochs"), [(10, 10), (100, 3), (5, 20), (1, 25), (33, 3), (8000, 3), (10_000, 2), (50_000, 1)]
)
def test_the_epochs_of_auto_are_those_that_were_seen(examples, epochs):
    assert default_epochs(examples) == epochs


def test_the_cost_is_tokens_times_epochs_times_price():
    data = ft.Dataset.from_rows(rows(100))
    found = data.estimate("gpt-4.1-mini", today=DAY)
    assert (found.tokens, found.epochs) == (data.validate(model="gpt-4.1-mini", today=DAY).tokens.total, 3)
    assert found.cost == pytest.approx(found.tokens * 3 * 5.0 / 1e6)
    assert "2026-11-20" in str(found)


LOW = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
FAR = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


def asked(*parts, **more):
    said = [{"role": "user", "content": [{"type": "text", "text": "圖中有什麼"}, *parts]}]
    return {"messages": [*said, {"role": "assistant", "content": "一隻貓"}], **more}


def estimated(*given, model="gpt-4o"):
    return ft.Dataset.from_rows(list(given)).estimate(model, epochs=1, today=DAY)


def test_pictures_cost_what_their_size_and_detail_say():
    bare, low, far = estimated(asked()), estimated(asked(LOW)), estimated(asked(FAR))
    assert (low.tokens - bare.tokens, low.exact, low.notes) == (85, True, ())
    assert (far.tokens - bare.tokens, far.exact) == (765, False)
    assert "1 pictures are counted by guess" in str(far)


def test_pictures_of_an_unknown_model_are_said_to_be_missing():
    found = estimated(asked(LOW), model="Qwen/Qwen3-VL-4B")
    assert (found.tokens, found.exact) == (estimated(asked(), model="Qwen/Qwen3-VL-4B").tokens, False)
    assert "1 pictures are not counted" in str(found)
    pictures = ft.Dataset.from_rows([asked(LOW)])
    assert not pictures.stats().exact
    assert not pictures.validate().tokens.exact
    assert pictures.validate(model="gpt-4o").tokens.exact


def test_a_name_counts():
    row = asked()
    row["messages"][0]["name"] = "ming"
    assert estimated(row).tokens - estimated(asked()).tokens == counter_for("gpt-4o").count("ming") + 1


def test_what_is_billed_in_a_way_that_is_not_published_is_an_estimate():
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    tools = estimated(asked(tools=[tool]))
    assert (tools.exact, "1 examples have tools" in str(tools)) == (False, True)
    said = {name: [{"role": "assistant", "content": name}] for name in ("preferred_output", "non_preferred_output")}
    preference = estimated({"input": {"messages": [{"role": "user", "content": "q"}]}, **said})
    assert (preference.exact, "without their rejected side" in str(preference)) == (False, True)


def test_examples_are_billed_up_to_the_limit():
    long = ft.Dataset.from_rows([{"prompt": "q", "completion": "x" * 5000}])
    found = long.estimate("tiny", epochs=1, today=DAY)
    assert (found.tokens, found.cut, found.cost) == (catalog.models()["tiny"].training_limit, 1, 0.0)
    assert "longer than" in str(found)


def test_an_old_or_unknown_price_gives_no_number():
    data = ft.Dataset.from_rows(rows(10))
    old = data.estimate("gpt-4.1-mini", today=DAY + timedelta(days=800))
    assert old.cost is None
    assert "pass price=" in str(old)
    unknown = data.estimate("my-llama", today=DAY)
    assert (unknown.cost, unknown.exact) == (None, False)
    assert data.estimate("my-llama", price=2.0, epochs=1).cost == pytest.approx(unknown.tokens * 2 / 1e6)


def test_break_even_is_where_both_cost_the_same():
    found = ft.Dataset.from_rows(rows(100)).estimate("gpt-4.1-mini", today=DAY)
    calls = found.break_even(prompt=3000, tuned_prompt=100, answer=10)
    base, tuned = 3000 * 0.40 + 10 * 1.60, 100 * 0.80 + 10 * 3.20
    assert (calls - 1) * (base - tuned) / 1e6 < found.cost <= calls * (base - tuned) / 1e6
    assert found.break_even(prompt=10, tuned_prompt=10) is None
    assert found.break_even(prompt="你是客服。" * 500) < found.break_even(prompt="你是客服。" * 100)


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"epochs": 0}, {"epochs": 1.5}, {"epochs": "3"}, {"price": -2.0}])
def test_epochs_and_prices_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"epochs is a whole number|price is in US dollars"):
        ft.Dataset.from_rows(rows(10)).estimate("gpt-4.1-mini", today=DAY, **wrong)

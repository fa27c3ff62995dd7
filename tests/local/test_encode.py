"""Tokens and labels: the assistant's words are learned, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.training.encode import IGNORED, TemplateError, encode

LIMIT = 4096
END = "<|im_end|>\n"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(ensure_tiny(tmp_path_factory.mktemp("bases")))


def chat(*turns):
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def learned(tokenizer, row, limit=LIMIT):
    """The stretches of text that are learned."""
    encoded = encode(row, tokenizer, limit=limit)
    stretches, last = [], IGNORED
    for token, label in zip(encoded["input_ids"], encoded["labels"], strict=True):
        assert label in (token, IGNORED)
        if label != IGNORED:
            if last == IGNORED:
                stretches.append([])
            stretches[-1].append(label)
        last = label
    return [tokenizer.decode(stretch) for stretch in stretches]


def test_labels_cover_the_answer_and_its_end_mark(tokenizer):
    row = chat(("system", "Be kind."), ("user", "幾點登機？"), ("assistant", "起飛前 30 分鐘。"))
    assert learned(tokenizer, row) == ["起飛前 30 分鐘。" + END]


def test_tokens_are_the_rendered_conversation(tokenizer):
    row = chat(("user", "a"), ("assistant", "b"))
    text = tokenizer.apply_chat_template(row["messages"], tokenize=False)
    assert tokenizer.decode(encode(row, tokenizer, limit=LIMIT)["input_ids"]) == text


def test_every_answer_of_a_conversation_is_learned(tokenizer):
    row = chat(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two"))
    assert learned(tokenizer, row) == ["one" + END, "two" + END]


def test_answer_of_weight_zero_is_read_and_not_learned(tokenizer):
    row = chat(("user", "a"), ("assistant", "bad"), ("user", "b"), ("assistant", "good"))
    row["messages"][1]["weight"] = 0
    row["messages"][3]["weight"] = 1
    assert learned(tokenizer, row) == ["good" + END]
    assert "bad" in tokenizer.decode(encode(row, tokenizer, limit=LIMIT)["input_ids"])


@pytest.mark.parametrize("weight", [None, 1])
def test_answer_is_learned_unless_its_weight_is_zero(tokenizer, weight):
    row = chat(("user", "a"), ("assistant", "b"))
    row["messages"][1]["weight"] = weight
    assert learned(tokenizer, row) == ["b" + END]


def test_turns_after_the_last_answer_are_left_out(tokenizer):
    row = chat(("user", "a"), ("assistant", "b"), ("user", "nobody answers"))
    assert encode(row, tokenizer, limit=LIMIT) == encode(
        chat(("user", "a"), ("assistant", "b")), tokenizer, limit=LIMIT
    )


def test_developer_is_system(tokenizer):
    turns = ("user", "a"), ("assistant", "b")
    as_developer, as_system = chat(("developer", "Be kind."), *turns), chat(("system", "Be kind."), *turns)
    assert encode(as_developer, tokenizer, limit=LIMIT) == encode(as_system, tokenizer, limit=LIMIT)


def test_pair_is_a_question_and_its_answer(tokenizer):
    pair = {"prompt": "a", "completion": "b"}
    assert encode(pair, tokenizer, limit=LIMIT) == encode(
        chat(("user", "a"), ("assistant", "b")), tokenizer, limit=LIMIT
    )


def test_parts_of_text_are_one_text(tokenizer):
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert encode(chat(("user", parts), ("assistant", parts)), tokenizer, limit=LIMIT) == encode(
        chat(("user", "ab"), ("assistant", "ab")), tokenizer, limit=LIMIT
    )


def test_long_example_is_cut_at_the_limit(tokenizer):
    row = chat(("user", "a"), ("assistant", "b" * 100))
    whole, cut = encode(row, tokenizer, limit=LIMIT), encode(row, tokenizer, limit=50)
    assert (cut["input_ids"], cut["labels"]) == (whole["input_ids"][:50], whole["labels"][:50])


def test_row_is_left_as_it_was(tokenizer):
    row = chat(("developer", "x"), ("user", "a"), ("assistant", "b"))
    row["messages"][2]["weight"] = 0
    before = repr(row)
    encode(row, tokenizer, limit=LIMIT)
    assert repr(row) == before


def test_template_that_rewrites_earlier_turns_is_refused(tokenizer, monkeypatch):
    """As some do that strip the thoughts of all answers but the last one."""
    only_last = (
        "{% for m in messages %}{{ m['role'] }}:{{ m['content'] if loop.last or m['role'] == 'user' else '-' }};"
        "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    )
    monkeypatch.setattr(tokenizer, "chat_template", only_last)
    assert learned(tokenizer, chat(("user", "a"), ("assistant", "one"))) == ["one;"]
    with pytest.raises(TemplateError, match="one assistant turn"):
        encode(chat(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two")), tokenizer, limit=LIMIT)


texts = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(texts, texts, st.sampled_from([None, 0, 1])), min_size=1, max_size=4))
@settings(deadline=None)
def test_any_conversation_teaches_its_weighted_answers(tokenizer, turns):
    messages = []
    for question, answer, weight in turns:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer, "weight": weight}]
    assert learned(tokenizer, {"messages": messages}) == [answer + END for _, answer, weight in turns if weight != 0]


def test_a_tool_call_is_learned_with_its_name_and_arguments(tokenizer):
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "台北"}'}}
    row = {
        "messages": [{"role": "user", "content": "天氣？"}, {"role": "assistant", "tool_calls": [call]}],
        "tools": [{"type": "function", "function": {"name": "weather"}}],
    }
    (answer,) = learned(tokenizer, row)
    assert '"weather"' in answer
    assert '{"city": "台北"}' in answer

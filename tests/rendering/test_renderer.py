"""Tokens and labels: the assistant's words are learned, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import IGNORED
from finetune_lib.rendering.templates import CHATML
from finetune_lib.rendering.tiny import tiny_tokenizer

LIMIT = 4096
END = "<|im_end|>\n"


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer()


def encode(row, tokenizer, limit):
    (sequence,) = renderer_of(tokenizer, Needs.of([row])).encode(row, limit=limit)
    return sequence


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


def test_turns_that_a_template_rewrites_are_learned_each_in_a_sequence_of_its_own(tokenizer, monkeypatch):
    """As some do that strip the thoughts of all answers but the last one: so the model sees them when it answers."""
    only_last = (
        "{% for m in messages %}{{ m['role'] }}:{{ m['content'] if loop.last or m['role'] == 'user' else '-' }};"
        "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
    )
    monkeypatch.setattr(tokenizer, "chat_template", only_last)
    row = chat(("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two"))
    told = [[(piece.text, piece.learned) for piece in pieces] for pieces in renderer_of(tokenizer).sequences(row)]
    assert told == [
        [("user:a;assistant:", False), ("one;", True)],
        [("user:a;assistant:-;user:b;assistant:", False), ("two;", True)],
    ]


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


@pytest.mark.parametrize(
    "mark", ["<|im_end|>", "<|im_start|>", "<|endoftext|>", "\ufdd00\ufdd1", "<|im_end|>\n<|im_start|>assistant\n"]
)
def test_what_people_write_never_becomes_a_control_token(tokenizer, mark):
    row = chat(("user", f"讀{mark}"), ("assistant", f"寫{mark}好"))
    renderer = renderer_of(tokenizer)
    asked, answer = renderer.sequences(row)[0]
    assert answer.text == f"寫{mark}好{END}"
    steering = {*tokenizer.all_special_ids, tokenizer.convert_tokens_to_ids("<|im_start|>")}
    assert [token for token in asked.ids if token in steering] == [1, 2, 1]
    assert [token for token in answer.ids if token in steering] == [2]
    assert tokenizer.decode(answer.ids) == answer.text


def test_a_call_that_the_template_leaves_out_is_refused_with_its_place(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", CHATML)
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}]}
    with pytest.raises(RenderingError, match="leaves out the call of weather") as error:
        encode(row, tokenizer, limit=LIMIT)
    assert (error.value.kind, error.value.path) == ("lost", "/messages/1")


def test_an_older_function_call_is_a_call(tokenizer):
    row = {
        "messages": [
            {"role": "user", "content": "天氣？"},
            {"role": "assistant", "function_call": {"name": "weather", "arguments": '{"city": "台北"}'}},
        ],
        "functions": [{"name": "weather"}],
    }
    assert learned(tokenizer, row) == [
        '<tool_call>{"name": "weather", "arguments": {"city": "台北"}}</tool_call>' + END
    ]


def test_a_refusal_is_learned_as_what_is_said(tokenizer):
    row = chat(("user", "q"), ("assistant", None))
    row["messages"][1]["refusal"] = "不行。"
    assert learned(tokenizer, row) == ["不行。" + END]


def test_a_conversation_may_begin_with_the_assistant(tokenizer):
    row = chat(("assistant", "您好！"), ("user", "a"), ("assistant", "b"))
    assert learned(tokenizer, row) == ["您好！" + END, "b" + END]


def test_a_preference_is_a_prompt_and_two_answers(tokenizer):
    row = {
        "input": {"messages": [{"role": "user", "content": "q"}]},
        "preferred_output": [{"role": "assistant", "content": "好"}],
        "non_preferred_output": [{"role": "assistant", "content": "壞"}],
    }
    pair = renderer_of(tokenizer, Needs.of([row])).pair(row)
    asked = "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n"
    assert (pair.prompt.text, pair.chosen.text, pair.rejected.text) == (asked, "好" + END, "壞" + END)
    assert tokenizer.decode(pair.rejected.ids) == "壞" + END


def test_a_base_without_a_template_is_offered_some_by_name(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", None)
    with pytest.raises(RenderingError, match="chat_template='chatml' or 'llama3'"):
        renderer_of(tokenizer)
    row = chat(("user", "a"), ("assistant", "b"))
    given = renderer_of(tokenizer, chat_template="chatml")
    assert [piece.text for piece in given.sequences(row)[0]][1] == "b" + END


def test_a_template_that_refuses_a_conversation_says_so(tokenizer, monkeypatch):
    strict = "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    monkeypatch.setattr(
        tokenizer,
        "chat_template",
        strict + CHATML.removeprefix("{% for message in messages %}").replace("message[", "m["),
    )
    with pytest.raises(RenderingError, match="no tools here"):
        encode(
            {
                "messages": [
                    {"role": "user", "content": "q"},
                    {"role": "tool", "content": "r"},
                    {"role": "assistant", "content": "a"},
                ]
            },
            tokenizer,
            limit=LIMIT,
        )


@pytest.mark.parametrize(
    ("arguments", "problem"), [("{", "no JSON"), ('{"city": "台北\\n\\"x\\"", "n": [1, 2.5, true, null]}', None)]
)
def test_arguments_of_every_kind_are_said(tokenizer, arguments, problem):
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}]}
    if problem:
        with pytest.raises(RenderingError, match=problem):
            encode(row, tokenizer, limit=LIMIT)
    else:
        assert json.loads(learned(tokenizer, row)[0].split('arguments": ')[1].split("}</tool")[0]) == json.loads(
            arguments
        )

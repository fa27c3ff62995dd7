"""Chat templates of real bases: every one of the installed trl, and labels by hand for some."""

from __future__ import annotations

import importlib.metadata

import pytest
from tests.rendering.template_table import (
    ALWAYS,
    CASES,
    DAY,
    PAGE,
    TOOLS,
    assistant,
    page,
    table,
    templates,
    tokenizer_with,
    user,
)

from finetune_lib.rendering.probing import Needs, renderer_of, server_of


@pytest.fixture(scope="module")
def found():
    return table()


def test_every_template_says_conversations_of_text_exactly(found):
    assert len(found) >= 41
    wrong = {name: row for name, row in found.items() if not all(row[case].startswith("exact") for case in ALWAYS)}
    assert not wrong


def test_what_is_not_exact_is_refused(found):
    outcomes = {outcome for row in found.values() for outcome in row.values()}
    assert outcomes == {"exact", "exact, 2 sequences", "refused"}


def test_most_templates_that_write_calls_are_exact(found):
    exact = {case: sum(row[case].startswith("exact") for row in found.values()) for case in CASES}
    assert (exact["reasoning"], exact["tool call"], exact["tool result"]) >= (16, 27, 26)


def test_the_page_of_the_reference_tells_them(found):
    told = PAGE.read_text(encoding="utf-8")
    if f"trl {importlib.metadata.version('trl')} " not in told:
        pytest.skip("the page tells of another trl")
    assert told == page(found), "python -m tests.rendering.template_table"


def told(name, case):
    """What is read and what is learned, in turn, of each sequence."""
    messages = CASES[case]
    row = {"messages": messages} | ({"tools": TOOLS} if "tool" in case else {})
    renderer = renderer_of(tokenizer_with(templates()[name]), Needs.of([row]), day=DAY)
    return [[(piece.text, piece.learned) for piece in pieces] for pieces in renderer.sequences(row)]


def test_qwen3_learns_the_answer_without_an_empty_thought():
    """The prompt is the one that Qwen3 sends with `enable_thinking=False`."""
    asked = "<|im_start|>user\n幾點？<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert told("qwen3", "one turn") == [[(asked, False), ("八點。<|im_end|>\n", True)]]


def test_qwen3_learns_a_thought_behind_the_prompt_that_lets_it_think():
    asked = "<|im_start|>user\n幾點？<|im_end|>\n<|im_start|>assistant\n"
    answer = "<think>\n先看時刻表。\n</think>\n\n八點。<|im_end|>\n"
    assert told("qwen3", "reasoning") == [[(asked, False), (answer, True)]]


def test_qwen3_learns_two_turns_in_two_sequences():
    """The earlier answer loses its empty thought once the talk goes on, so one sequence would not be what is served."""
    first = "<|im_start|>user\n幾點？<|im_end|>\n<|im_start|>assistant\n"
    empty = "<think>\n\n</think>\n\n"
    later = f"{first}八點。<|im_end|>\n<|im_start|>user\n哪裡？<|im_end|>\n<|im_start|>assistant\n{empty}"
    assert told("qwen3", "two turns") == [
        [(first + empty, False), ("八點。<|im_end|>\n", True)],
        [(later, False), ("二樓。<|im_end|>\n", True)],
    ]


def test_gemma_hears_the_system_message_in_the_first_question():
    asked = "<bos><start_of_turn>user\n請用中文回答。\n\n幾點？<end_of_turn>\n<start_of_turn>model\n"
    assert told("gemma", "system") == [[(asked, False), ("八點。<end_of_turn>\n", True)]]


def test_llama_calls_a_tool_in_its_own_words():
    ((_, (call, learned)),) = told("llama3_1", "tool call")
    assert (call, learned) == (
        '{"name": "weather", "parameters": {"city": "台北", "days": 3}}<|eot_id|>',
        True,
    )


def test_gpt_oss_ends_its_prompt_with_the_channel_of_answers():
    ((asked, answer),) = told("gptoss", "one turn")
    assert asked[0].endswith("<|start|>user<|message|>幾點？<|end|><|start|>assistant<|channel|>final<|message|>")
    assert answer == ("八點。<|return|>", True)
    assert "Current date: 2026-12-01" in asked[0]


def test_deepseek_loses_the_thought_that_its_prompt_opens():
    ((asked, answer),) = told("deepseekv3", "one turn")
    assert asked[0].endswith("幾點？<｜Assistant｜>")
    assert answer == ("八點。<｜end▁of▁sentence｜>", True)


def test_glm_learns_the_tag_of_the_next_turn_as_its_end():
    ((asked, answer),) = told("glm4moe", "one turn")
    assert asked[0].endswith("幾點？<|assistant|>\n<think></think>\n")
    assert answer == ("八點。<|user|>", True)


def test_a_template_of_a_model_that_sees_gets_parts():
    """As text its characters would be taken for parts, and none of them would be said."""
    ((asked, answer),) = told("llava_next", "one turn")
    assert "幾點？" in asked[0]
    assert answer[0].strip() == "八點。" or answer[0].startswith("八點。")


@pytest.mark.parametrize("name", sorted(templates()))
def test_the_saved_template_sends_the_prompt_that_was_learned(name):
    """Any server that reads it does: it needs no switch and no shape of messages."""
    renderer = renderer_of(tokenizer_with(templates()[name]), day=DAY)
    saved = tokenizer_with(renderer.template)
    asked = saved.apply_chat_template(CASES["system"][:2], tokenize=False, add_generation_prompt=True)
    row = {"messages": CASES["system"]}
    assert asked == renderer.sequences(row)[0][0].text == server_of(saved).prompt(CASES["system"][:2])


def test_thinking_can_be_asked_for_where_answers_alone_were_trained():
    renderer = renderer_of(tokenizer_with(templates()["qwen3"]))
    asked = tokenizer_with(renderer.template).apply_chat_template(
        [user("q")], tokenize=False, add_generation_prompt=True, enable_thinking=True
    )
    assert asked.endswith("<|im_start|>assistant\n")


def test_a_cut_call_is_read_as_text():
    server = server_of(tokenizer_with(templates()["qwen3"]))
    prompt = server.prompt([user("q")], TOOLS)
    assert server.read('<tool_call>\n{"name": "weather", "argu', prompt=prompt, tools=TOOLS) is None


def test_calls_without_quotes_get_the_types_that_the_tools_declare():
    server = server_of(tokenizer_with(templates()["qwen3_6"]))
    row = {"messages": CASES["tool call"], "tools": TOOLS}
    prompt, written = server.answer(row["messages"], TOOLS)
    found = server.read(written, prompt=prompt, tools=TOOLS)
    assert found.tool_calls[0]["function"]["arguments"] == '{"city": "台北", "days": 3}'


def test_a_result_that_the_template_leaves_out_is_refused():
    without = "{% for m in messages %}{% if m.role != 'tool' %}<{{ m.role }}>{{ m.content }}</s>{% endif %}{% endfor %}"
    renderer = renderer_of(tokenizer_with(without + "{% if add_generation_prompt %}<assistant>{% endif %}"))
    row = {"messages": [user("q"), {"role": "tool", "tool_call_id": "1", "content": "晴"}, assistant("a")]}
    with pytest.raises(ValueError, match="leaves out the message of the tool") as error:
        renderer.sequences(row)
    assert error.value.path == "/messages/1"

"""/v1/responses through the openai client: text, turns that go on, tools, streams, what is kept and what is refused."""

from __future__ import annotations

import openai
import pytest
from pydantic import BaseModel
from tests.contract import specification

from finetune_lib.local.app import responses
from finetune_lib.local.inference import Piece
from finetune_lib.local.serving.engine import Stream

WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def said(client, **options):
    return client.responses.create(
        **{"model": "tiny", "input": "日本?", "max_output_tokens": 8, "temperature": 0, **options}
    )


def test_a_tuned_model_says_what_it_says_in_chats(client, trained):
    for question, answer in list(trained.questions.items())[:4]:
        told = client.responses.create(model=trained.model, input=question, temperature=0)
        assert told.output_text == answer
        assert (told.status, told.model, told.object) == ("completed", trained.model, "response")
    asked = [{"role": "user", "content": question}]
    chat = client.chat.completions.create(model=trained.model, messages=asked, temperature=0)
    assert chat.choices[0].message.content == told.output_text
    counts = chat.usage.prompt_tokens, chat.usage.completion_tokens
    assert counts == (told.usage.input_tokens, told.usage.output_tokens)


def test_instructions_and_turns_are_those_of_a_chat(client):
    """What the model is sent is the same, so that what it says is."""
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yo"},
        {"role": "user", "content": [{"type": "input_text", "text": "日本?"}]},
    ]
    told = said(client, instructions="Be brief.", input=turns)
    messages = [{"role": "system", "content": "Be brief."}, *turns[:2], {"role": "user", "content": "日本?"}]
    chat = client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=0)
    assert told.output_text == chat.choices[0].message.content
    assert told.usage.input_tokens == chat.usage.prompt_tokens
    assert (told.status, told.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_response_goes_on_from_another_one(client):
    first = said(client, instructions="Be brief.")
    second = said(client, input="然後?", previous_response_id=first.id)
    third = said(client, input="還有?", previous_response_id=second.id)
    turns = [("user", "日本?"), ("assistant", first.output_text), ("user", "然後?"), ("assistant", second.output_text)]
    messages = [{"role": role, "content": text} for role, text in [*turns, ("user", "還有?")]]
    chat = client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=0)
    assert third.output_text == chat.choices[0].message.content  # instructions do not go on
    assert client.responses.retrieve(third.id).output_text == third.output_text
    items = client.responses.input_items.list(third.id, order="asc").data
    assert [item.content[0].text for item in items] == [text for _, text in [*turns, ("user", "還有?")]]
    client.responses.delete(first.id)
    assert said(client, input="!", previous_response_id=second.id).status == "incomplete"  # it needs no other one


def test_what_is_not_kept_is_not_there(client):
    told = said(client, store=False)
    for ask in (client.responses.retrieve, client.responses.delete, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match=told.id):
            ask(told.id)
    with pytest.raises(openai.BadRequestError, match="not found") as caught:
        said(client, previous_response_id=told.id)
    assert caught.value.param == "previous_response_id"


def test_a_stream_says_the_same_in_the_order_of_the_wire(client, trained):
    question, answer = next(iter(trained.questions.items()))
    events = list(client.responses.create(model=trained.model, input=question, temperature=0, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert set(kinds[4:-4]) == {"response.output_text.delta"}
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == answer
    whole = events[-1].response
    assert whole.output_text == answer
    assert {event.item_id for event in events if hasattr(event, "item_id")} == {whole.output[0].id}
    assert client.responses.retrieve(whole.id).output_text == answer
    with client.responses.stream(model=trained.model, input=question, temperature=0) as stream:
        assert stream.get_final_response().output_text == answer


def test_a_form_is_kept_to_and_parsed(client):
    class Answer(BaseModel):
        ok: bool

    told = client.responses.parse(model="tiny", input="好?", text_format=Answer, max_output_tokens=60)
    assert isinstance(told.output_parsed, Answer)


def test_calls_of_tools_and_their_results_are_turns_of_a_chat(client):
    call = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "台北"}'}
    result = {"type": "function_call_output", "call_id": "c1", "output": "晴"}
    told = said(client, input=[{"role": "user", "content": "天氣?"}, call, result], tools=[WEATHER])
    function = {"name": "weather", "arguments": '{"city": "台北"}'}
    messages = [
        {"role": "user", "content": "天氣?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c1", "content": "晴"},
    ]
    tool = {"type": "function", "function": {name: WEATHER[name] for name in ("name", "parameters")}}
    chat = client.chat.completions.create(model="tiny", messages=messages, tools=[tool], max_tokens=8, temperature=0)
    assert told.usage.input_tokens == chat.usage.prompt_tokens
    assert told.tools[0].name == "weather"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input[0].content"),
        ({"input": [{"type": "computer_call_output"}]}, "input[0]"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"background": True}, "background"),
        ({"reasoning": {"effort": "high"}}, "reasoning"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"truncation": "auto"}, "truncation"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"model": "no-such"}, "model"),
        ({"extra_body": {"temprature": 1}}, "temprature"),
    ],
)
def test_what_is_not_done_here_is_refused_by_its_name(client, options, param):
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)) as caught:
        said(client, **options)
    assert caught.value.param == param


def test_nothing_is_written_in_the_background(client):
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(said(client).id)


@specification.needed
def test_answers_are_valid_against_the_specification(client, http):
    told = http.post("responses", json={"model": "tiny", "input": "日本?", "max_output_tokens": 4}).json()
    assert specification.faults("Response", told) == []
    items = http.get(f"responses/{told['id']}/input_items").json()
    assert specification.faults("ResponseItemList", items) == []


async def test_writing_ends_where_nobody_reads_any_more():
    stream = Stream(1)

    async def pieces():
        for text in "ab":
            yield 0, Piece(text)

    told = responses._told({"id": "resp_1"}, pieces(), stream, lambda _: None)
    assert "response.created" in await anext(told)
    await told.aclose()
    assert stream.closed.is_set()

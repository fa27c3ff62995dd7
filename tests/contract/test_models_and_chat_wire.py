"""/v1/models and /v1/chat/completions through the plain `openai` client."""

from __future__ import annotations

import asyncio

import openai
import pytest


def ask(client, model, question, **options):
    messages = [{"role": "user", "content": question}]
    return client.chat.completions.create(model=model, messages=messages, **{"temperature": 0, **options})


def joined(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


@pytest.fixture
def question(trained):
    return next(iter(trained.questions))


@pytest.fixture
def answer(trained, question):
    return trained.questions[question]


def test_models_are_the_base_the_tuned_one_and_its_checkpoints(client, trained):
    newest = client.fine_tuning.jobs.checkpoints.list(trained.job.id).data[0]
    found = {model.id: model for model in client.models.list()}
    assert {"tiny", trained.model, newest.fine_tuned_model_checkpoint} <= set(found)
    assert all(set(model.to_dict()) == {"id", "object", "created", "owned_by"} for model in found.values())


def test_models_are_retrieved_by_names_with_colons(client, trained):
    newest = client.fine_tuning.jobs.checkpoints.list(trained.job.id).data[0]
    for name in ("tiny", trained.model, newest.fine_tuned_model_checkpoint):
        assert client.models.retrieve(name).id == name


def test_deleted_model_answers_no_more_and_its_job_stays(client, trained):
    oldest = client.fine_tuning.jobs.checkpoints.list(trained.job.id).data[-1].fine_tuned_model_checkpoint
    deleted = client.models.delete(oldest)
    assert (deleted.id, deleted.object, deleted.deleted) == (oldest, "model", True)
    for call in (client.models.retrieve, client.models.delete, lambda name: ask(client, name, "x")):
        with pytest.raises(openai.NotFoundError) as caught:
            call(oldest)
        assert caught.value.code == "model_not_found"
    assert client.fine_tuning.jobs.retrieve(trained.job.id).status == "succeeded"


def test_tuned_model_knows_all_answers_by_heart(client, trained):
    answers = {question: ask(client, trained.model, question) for question in trained.questions}
    assert {q: a.choices[0].message.content for q, a in answers.items()} == trained.questions
    assert {a.choices[0].finish_reason for a in answers.values()} == {"stop"}


def test_base_knows_none(client, trained, question, answer):
    assert answer not in ask(client, "tiny", question, max_tokens=60).choices[0].message.content


def test_newest_checkpoint_answers_as_the_tuned_model(client, trained, question, answer):
    newest = client.fine_tuning.jobs.checkpoints.list(trained.job.id).data[0].fine_tuned_model_checkpoint
    assert ask(client, newest, question).choices[0].message.content == answer


def test_completion_has_its_shape_and_counts(client, trained, question, answer):
    completion = ask(client, trained.model, question)
    assert completion.id.startswith("chatcmpl-")
    assert (completion.object, completion.model) == ("chat.completion", trained.model)
    (choice,) = completion.choices
    assert (choice.index, choice.message.role, choice.message.refusal) == (0, "assistant", None)
    usage = completion.usage
    assert usage.completion_tokens == len(answer.encode()) + 1  # bytes and the end mark
    assert usage.prompt_tokens > len(question.encode())
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_stream_tells_the_same_answer_in_pieces(client, trained, question, answer):
    chunks = list(ask(client, trained.model, question, stream=True))
    assert joined(chunks) == answer
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({(c.id, c.created, c.model, c.object) for c in chunks}) == 1
    assert chunks[0].object == "chat.completion.chunk"
    assert all(c.usage is None for c in chunks)


def test_no_piece_of_a_stream_breaks_a_character(client, trained):
    for question in trained.questions:
        pieces = [c.choices[0].delta.content or "" for c in ask(client, trained.model, question, stream=True)]
        assert not any("\ufffd" in piece for piece in pieces)
        assert len([piece for piece in pieces if piece]) > 1


def test_stream_counts_its_tokens_where_asked(client, trained, question):
    options = {"include_usage": True}
    *chunks, last = ask(client, trained.model, question, stream=True, stream_options=options)
    assert last.choices == []
    assert last.usage == ask(client, trained.model, question).usage
    assert all(c.usage is None for c in chunks)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_answer_ends_at_the_limit_of_tokens(client, trained, question, answer, name):
    completion = ask(client, trained.model, question, **{name: 3})
    assert completion.usage.completion_tokens == 3
    assert completion.choices[0].finish_reason == "length"
    assert completion.choices[0].message.content == answer.encode()[:3].decode()


@pytest.mark.parametrize("stop", ["🏙", ["never said", "🏙", "OK"]])
@pytest.mark.parametrize("stream", [False, True])
def test_answer_ends_before_a_stop_word(client, trained, question, answer, stop, stream):
    before = answer.split("🏙", maxsplit=1)[0]
    if stream:
        chunks = list(ask(client, trained.model, question, stop=stop, stream=True))
        assert joined(chunks) == before
        assert chunks[-1].choices[0].finish_reason == "stop"
    else:
        (choice,) = ask(client, trained.model, question, stop=stop).choices
        assert (choice.message.content, choice.finish_reason) == (before, "stop")


def test_seed_repeats_a_drawn_answer(client):
    options = {"temperature": 1, "max_tokens": 20}
    drawn = [ask(client, "tiny", "x", seed=seed, **options).choices[0].message.content for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert joined(ask(client, "tiny", "x", seed=1, stream=True, **options)) == drawn[0]


def test_temperature_zero_repeats(client):
    answers = {ask(client, "tiny", "x", max_tokens=20).choices[0].message.content for _ in range(3)}
    assert len(answers) == 1


def test_parts_of_text_are_read_as_one_text(client, trained, question, answer):
    parts = [{"type": "text", "text": question[:1]}, {"type": "text", "text": question[1:]}]
    assert ask(client, trained.model, parts).choices[0].message.content == answer


def test_developer_message_is_read_as_system(client, question):
    def said(role):
        messages = [{"role": role, "content": "Be brief."}, {"role": "user", "content": question}]
        return client.chat.completions.create(model="tiny", messages=messages, temperature=0, max_tokens=10)

    assert said("developer").choices[0].message.content == said("system").choices[0].message.content
    assert said("developer").usage == said("system").usage


async def test_async_client_is_answered_at_the_same_time(server, trained):
    async with openai.AsyncOpenAI(base_url=server.url, api_key=server.token) as client:

        async def answered(question):
            return (await ask(client, trained.model, question)).choices[0].message.content

        async def streamed(question):
            return joined([chunk async for chunk in await ask(client, trained.model, question, stream=True)])

        questions = list(trained.questions)
        wanted = list(trained.questions.values())
        assert await asyncio.gather(*map(answered, questions)) == wanted
        assert await asyncio.gather(*map(streamed, questions)) == wanted

"""Chats that are stored, permissions of checkpoints, and how large a request may be."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import openai
import pytest
from openai.types.chat import ChatCompletion
from tests.contract import specification

ASKED = [{"role": "system", "content": "短"}, {"role": "user", "content": [{"type": "text", "text": "日本?"}]}]


@pytest.fixture
def ask(client):
    def ask(**options):
        given = {"model": "tiny", "messages": ASKED, "max_tokens": 4, "temperature": 0, "store": True, **options}
        return client.chat.completions.create(**given)

    return ask


def test_a_stored_answer_is_found_with_what_was_asked(client, http, ask):
    said = ask(metadata={"隊": "客服"})
    found = client.chat.completions.retrieve(said.id)
    assert found.choices[0].message.content == said.choices[0].message.content
    assert found.metadata == {"隊": "客服"}
    assert [one.id for one in client.chat.completions.list(metadata={"隊": "客服"}, model="tiny")][-1] == said.id
    messages = list(client.chat.completions.messages.list(said.id))
    assert [(one.role, one.content) for one in messages] == [("system", "短"), ("user", "日本?")]
    assert client.chat.completions.update(said.id, metadata={"隊": "二"}).metadata == {"隊": "二"}
    if specification.PATH.exists():
        bodies = {
            "CreateChatCompletionResponse": f"chat/completions/{said.id}",
            "ChatCompletionList": "chat/completions?limit=2",
        }
        for kind, path in bodies.items():
            assert specification.faults(kind, http.get(path).json()) == []
    assert client.chat.completions.delete(said.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.retrieve(said.id)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.messages.list(said.id)


def test_a_streamed_answer_is_stored_whole(client, ask):
    pieces = list(ask(stream=True))
    found = client.chat.completions.retrieve(pieces[0].id)
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert isinstance(found, ChatCompletion)
    assert found.choices[0].message.content == text


def test_what_is_not_to_be_stored_is_not(client, ask):
    for options in ({"store": False}, {"store": None}):
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.retrieve(ask(**options).id)


def test_metadata_of_an_answer_are_limited(ask):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(metadata={"k" * 65: "v"})
    assert caught.value.param == "metadata"


def test_permissions_of_a_checkpoint_are_kept_once_each(client, trained):
    permissions = client.fine_tuning.checkpoints.permissions
    given = permissions.create(f"{trained.model}", project_ids=["proj_a", "proj_b"])
    assert [one.project_id for one in given] == ["proj_a", "proj_b"]
    again = permissions.create(trained.model, project_ids=["proj_b"])
    assert [one.id for one in again] == [list(given)[1].id]
    assert [one.project_id for one in permissions.list(trained.model, project_id="proj_a")] == ["proj_a"]
    for one in given:
        assert permissions.delete(one.id, fine_tuned_model_checkpoint=trained.model).deleted
    assert list(permissions.list(trained.model)) == []
    with pytest.raises(openai.NotFoundError):
        permissions.delete("cp_none", fine_tuned_model_checkpoint=trained.model)
    with pytest.raises(openai.NotFoundError):
        permissions.list("ft:none")
    with pytest.raises(openai.BadRequestError):
        permissions.create(trained.model, project_ids="proj_a")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    """Only the head is sent: whoever waited for the body would never answer."""
    address = urlsplit(server.url)
    head = (
        f"POST {address.path}/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {200 * 2**20}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as sent:
        sent.sendall(head.encode())
        answer = sent.makefile("rb").read().decode()  # to the end of the connection
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"request_too_large"' in answer


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(http):
    def chunks():
        yield b'{"model": "tiny", "x": "'
        for _ in range(20):
            yield b"x" * 2**20
        yield b'"}'

    answer = http.post("chat/completions", content=chunks(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")

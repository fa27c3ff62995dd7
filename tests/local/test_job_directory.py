"""The directory of a job: whole lines, whole checkpoints, one worker."""

from __future__ import annotations

import pytest

from finetune_lib.local.job_directory import JobDirectory, Order


@pytest.fixture
def directory(tmp_path):
    return JobDirectory(tmp_path)


def add_half_a_line(directory):
    with (directory.path / "events.jsonl").open("ab") as file:
        file.write('{"type": "metrics", "data": {"text": "台'.encode()[:-1])


def numbers(directory, offset=0):
    return [event["n"] for _, event in directory.events(offset)]


def test_order_comes_back(directory):
    order = Order("base", 7, {"n_epochs": "auto"})
    directory.place(order)
    assert directory.order() == order


def test_events_are_read_from_where_the_last_reading_ended(directory):
    assert numbers(directory) == []
    directory.append({"n": 1, "text": "台灣\n🏙"})
    ((offset, event),) = directory.events(0)
    assert (event["n"], event["text"]) == (1, "台灣\n🏙")
    assert offset == (directory.path / "events.jsonl").stat().st_size
    directory.append({"n": 2})
    assert numbers(directory, offset) == [2]
    assert numbers(directory) == [1, 2]


def test_half_a_line_is_not_read(directory):
    directory.append({"n": 1})
    add_half_a_line(directory)
    assert numbers(directory) == [1]


@pytest.mark.parametrize("whole", [0, 1, 3])
def test_repair_cuts_half_a_line(directory, whole):
    for number in range(whole):
        directory.append({"n": number})
    add_half_a_line(directory)
    directory.repair()
    directory.append({"n": 99})
    assert numbers(directory) == [*range(whole), 99]


def test_repair_leaves_whole_lines_as_they_are(directory):
    directory.append({"n": 1})
    before = (directory.path / "events.jsonl").read_bytes()
    directory.repair()
    assert (directory.path / "events.jsonl").read_bytes() == before


def test_repair_removes_half_checkpoints(directory):
    for step in (5, 10, 15):
        (directory.path / f"checkpoint-{step}").mkdir()
        (directory.path / f"checkpoint-{step}" / "model.safetensors").touch()
    for step in (5, 10):
        (directory.path / f"checkpoint-{step}" / "trainer_state.json").touch()
    assert list(directory.checkpoints()) == [5, 10]
    directory.repair()
    assert sorted(path.name for path in directory.path.glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-5"]


def test_checkpoints_are_ordered_by_number(directory):
    for step in (9, 100, 10):
        (directory.path / f"checkpoint-{step}").mkdir()
        (directory.path / f"checkpoint-{step}" / "trainer_state.json").touch()
    assert list(directory.checkpoints()) == [9, 10, 100]


def test_outcome_is_told_once_it_is_declared(directory):
    assert directory.outcome() is None
    directory.fail("code", "壞了")
    assert directory.outcome() == ("error", {"code": "code", "message": "壞了", "param": None})
    directory.succeed({"trained_tokens": 5})
    assert directory.outcome() == ("result", {"trained_tokens": 5})


def test_one_worker_at_a_time(directory):
    assert not directory.alive()
    with directory.lock().acquire():
        assert directory.alive()
    assert not directory.alive()


def test_request_to_stop_is_seen(directory):
    assert not directory.cancelled
    directory.cancel()
    assert directory.cancelled

"""Rewards are learned from: answers that a grader rewards become likelier, on every way that a run may end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import openai
import pytest
from transformers import AutoTokenizer

import finetune_lib as ft
from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.training import bases, checkpoints, run
from finetune_lib.local.training.reinforcement import Reinforcement
from finetune_lib.rendering.probing import renderer_of

WORDS = "甲乙丙丁戊己庚辛壬癸"
ROWS = [
    {"messages": [{"role": "user", "content": f"{word}？"}], "digit": "7", "n": place}
    for place, word in enumerate(WORDS)
]
# The share of an answer's characters that are the digit: something to climb from the first step on.
CLIMB = {"type": "python", "name": "climb", "source": """
def grade(sample, item):
    text = sample["output_text"]
    return text.count(item["digit"]) / max(len(text), 1)
"""}  # fmt: skip
LIKE = {
    "type": "string_check",
    "name": "digit",
    "operation": "like",
    "input": "{{sample.output_text}}",
    "reference": "{{item.digit}}",
}


SCORE = {"type": "score_model", "name": "s", "model": "gpt-5", "input": [{"role": "user", "content": "?"}]}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return ensure_tiny(tmp_path_factory.mktemp("root"))


def job(
    folder: Path, base: Path, rows=ROWS, held_out=(), *, grader=CLIMB, strategy=None, **hyperparameters
) -> JobDirectory:
    directory = JobDirectory(folder / "job")
    directory.path.mkdir(parents=True)
    directory.train.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    if held_out:
        directory.validation.write_text("\n".join(json.dumps(row) for row in held_out), encoding="utf-8")
    given = {"n_epochs": 8, "batch_size": 2, **hyperparameters}
    order = Order(
        str(base), 3, given, method="reinforcement", grader=grader, max_completion_tokens=8, strategy=strategy
    )
    directory.place(order)
    return directory


def steps(directory: JobDirectory) -> list[dict]:
    return [event["data"] for _, event in directory.events(0) if event["type"] == "metrics"]


def messages(directory: JobDirectory) -> list[str]:
    return [event["message"] for _, event in directory.events(0) if event["type"] == "message"]


def weights(directory: JobDirectory) -> str:
    (file,) = directory.final.glob("*model.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("strategy", ["full", "lora"])
def test_the_reward_rises(tiny, tmp_path, strategy):
    directory = job(tmp_path, tiny, held_out=ROWS[:2], strategy=strategy)
    run.train(directory)
    told = steps(directory)
    assert len(told) == 8 * 5
    assert told[-1]["train_mean_reward"] > told[0]["train_mean_reward"] + 0.3
    assert "train_loss" not in told[0]  # it is zero by construction
    assert told[-1]["full_valid_mean_reward"] > told[4]["full_valid_mean_reward"]
    assert directory.outcome()[0] == "result"
    assert any(message.startswith(f"Strategy {strategy}") for message in messages(directory))


@pytest.mark.parametrize(("strategy", "between", "saved"), [("full", 60, 5), ("lora", 0, 7), ("last_layers", 0, 7)])
def test_a_lost_run_goes_on_to_the_same_weights(tiny, tmp_path, monkeypatch, strategy, between, saved):
    """From the end of an epoch, and from within the next one."""
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", between)
    monkeypatch.setattr(checkpoints, "SAVES_BETWEEN", between)
    twin, lost = (job(tmp_path / name, tiny, n_epochs=3, strategy=strategy) for name in ("twin", "lost"))
    run.train(twin)
    made = Reinforcement.trainer

    class KilledError(Exception):
        pass

    def killed(self, *args):
        trainer = made(self, *args)
        inner, done = trainer.training_step, []

        def training_step(*given, **more):
            done.append(1)
            if len(done) == 8:
                raise KilledError
            return inner(*given, **more)

        trainer.training_step = training_step
        return trainer

    with monkeypatch.context() as patched:
        patched.setattr(Reinforcement, "trainer", killed)
        with pytest.raises(KilledError):
            run.train(lost)
    assert max(lost.checkpoints()) == saved
    run.train(lost)
    assert weights(lost) == weights(twin)


def test_answers_that_earn_alike_teach_nothing_and_that_is_told(tiny, tmp_path):
    directory = job(tmp_path, tiny, grader={**LIKE, "reference": "no model says this"}, n_epochs=1)
    run.train(directory)
    assert "All answers to a question got the same reward in every step" in messages(directory)[-1]


def test_a_grader_that_fails_gives_no_reward_and_is_told(tiny, tmp_path):
    broken = {"type": "python", "name": "broken", "source": "def grade(sample, item):\n    return item['absent']\n"}
    directory = job(tmp_path, tiny, grader=broken, n_epochs=1)
    run.train(directory)
    assert {row["train_mean_reward"] for row in steps(directory)} == {0}
    assert "The grader failed" in messages(directory)[-1]
    assert "absent" in messages(directory)[-1]


def test_questions_without_room_for_an_answer_are_left_out(tiny, tmp_path):
    long = {"messages": [{"role": "user", "content": "x" * 4085}], "digit": "7"}
    directory = job(tmp_path, tiny, [*ROWS, long], n_epochs=1)
    run.train(directory)
    assert "of 11 examples 1 left out" in " ".join(messages(directory))


def test_what_is_asked_and_read_is_what_a_server_asks_and_tells(tiny):
    """Tokens of the question, words of people that look like control tokens, and the answer without its end mark."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    learned = Reinforcement(renderer_of(tokenizer), grader=LIKE, answer=8)
    row = {"messages": [{"role": "user", "content": "say <|im_end|>"}], "digit": "7"}
    ((asked,), whole) = learned.take(row, 4096)
    assert whole
    assert asked["ids"].count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1
    assert asked["item"] == {"digit": "7"}
    written = tokenizer("7<|im_end|>\n")["input_ids"]
    assert learned._reward(asked, written) == 1
    assert learned._reward(asked, tokenizer("no<|im_end|>")["input_ids"]) == 0


def test_a_step_in_parts_counts_the_answers_of_a_question_together(tiny, tmp_path, monkeypatch):
    """Where memory runs out, the step is cut; what it compares stays whole."""
    directory = job(tmp_path, tiny, n_epochs=1)
    made, tries = Reinforcement.trainer, []

    def short(self, *args):
        trainer = made(self, *args)
        tries.append(trainer.args.per_device_train_batch_size)
        if len(tries) == 1:

            def training_step(*_, **__):
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

            trainer.training_step = training_step
        return trainer

    monkeypatch.setattr(Reinforcement, "trainer", short)
    run.train(directory)
    assert tries == [16, 8]
    assert len(steps(directory)) == 5


def create(client, **more):
    rows = "\n".join(json.dumps(row) for row in ROWS).encode()
    file = client.files.create(file=("rows.jsonl", rows), purpose="fine-tune")
    return client.fine_tuning.jobs.create(model="tiny", training_file=file.id, **more)


def test_a_job_of_the_platform_learns_from_rewards(client):
    platform = ft.connect("local")
    settings = {"n_epochs": 8, "batch_size": 2, "compute_multiplier": 0.5}
    job = ft.Job.create(
        ft.Dataset([ft.Example(row) for row in ROWS]),
        model="tiny",
        method="reinforcement",
        grader=CLIMB,
        hyperparameters=settings,
        seed=5,
        extra={"max_completion_tokens": 8},
        platform=platform,
    ).wait()
    assert job.status == "succeeded"
    metrics = job.metrics()
    assert metrics[-1].train_mean_reward > metrics[0].train_mean_reward
    told = client.fine_tuning.jobs.retrieve(job.id).method
    assert told.type == "reinforcement"
    assert told.reinforcement.grader.name == "climb"
    assert told.reinforcement.hyperparameters.compute_multiplier == 0.5
    asked = [{"role": "user", "content": "甲？"}]
    assert client.chat.completions.create(model=job.fine_tuned_model, messages=asked, max_completion_tokens=8).choices


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "grader"),
        ({"grader": {"type": "python", "name": "x", "source": "def grad(sample, item): return 1"}}, "grade"),
        ({"grader": {**LIKE, "operation": "near"}}, "near"),
        ({"grader": CLIMB, "response_format": {"type": "json_object"}}, "response_format"),
        ({"grader": SCORE}, "asks a model"),
        ({"grader": CLIMB, "hyperparameters": {"beta": 0.1}}, "beta"),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused_by_name(client, settings, says):
    with pytest.raises(openai.BadRequestError, match=says):
        create(client, method={"type": "reinforcement", "reinforcement": settings})


def test_a_field_that_the_grader_reads_and_a_row_lacks_fails_the_job_while_validating(client):
    grader = {**LIKE, "reference": "{{item.absent}}"}
    job = create(client, method={"type": "reinforcement", "reinforcement": {"grader": grader}})
    with pytest.raises(ft.JobFailedError, match="absent"):
        ft.Job.get(job.id, platform=ft.connect("local")).wait()


def test_the_worse_one_is_refused(tiny, tmp_path):
    with pytest.raises(bases.TrainingError) as error:
        run.train(job(tmp_path, tiny, learning_rate_multiplier=1e30))
    assert error.value.code == "training_diverged"

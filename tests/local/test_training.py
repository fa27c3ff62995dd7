"""Training in this process, on small models that are made here: what the built-in base alone does not show."""

import json
import shutil
from pathlib import Path

import pytest

from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.inference import Question, Sampling
from finetune_lib.local.job_directory import JobDirectory, Order
from finetune_lib.local.serving.engine import Engine
from finetune_lib.local.training import bases, run

ROWS = [
    {"messages": [{"role": "user", "content": f"{word}？"}, {"role": "assistant", "content": answer}]}
    for word, answer in zip("甲乙丙丁戊己庚辛壬癸", "0101010101", strict=True)
]
# A template of another family than the built-in one: turns in brackets, the system message inside the first.
FOREIGN = (
    "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return ensure_tiny(tmp_path_factory.mktemp("root"))


@pytest.fixture
def copied(tiny, tmp_path) -> Path:
    """A base that may be changed."""
    return Path(shutil.copytree(tiny, tmp_path / "base"))


def job(folder: Path, base: Path, rows=ROWS, *, strategy=None, **hyperparameters) -> JobDirectory:
    directory = JobDirectory(folder / "job")
    directory.path.mkdir()
    directory.train.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    directory.place(Order(str(base), 3, {"n_epochs": 2, **hyperparameters}, strategy=strategy))
    return directory


def answer(source: Path, question: str) -> str:
    messages = [{"role": "user", "content": question}]
    return Engine().complete(str(source), Question(messages), Sampling(temperature=0, max_tokens=4)).text


def losses(directory: JobDirectory) -> list[float]:
    return [event["data"]["train_loss"] for _, event in directory.events(0) if event["type"] == "metrics"]


def test_a_large_base_is_trained_with_an_adapter_that_is_served_on_its_base(tiny, tmp_path):
    directory = job(tmp_path, tiny, strategy="lora", n_epochs=50)
    run.train(directory)
    assert (directory.final / "adapter_config.json").is_file()
    assert not (directory.final / "model.safetensors").exists()
    assert losses(directory)[-1] < losses(directory)[0] / 2
    assert [answer(directory.final, f"{word}？") for word in "甲乙"] == ["0", "1"]
    assert all((folder / "adapter_config.json").is_file() for folder in directory.checkpoints().values())


def test_a_template_of_another_family_is_learned_too(copied, tmp_path):
    (copied / "chat_template.jinja").write_text(FOREIGN)
    directory = job(tmp_path, copied, n_epochs=25)
    run.train(directory)
    assert [answer(directory.final, f"{word}？") for word in "甲乙"] == ["0", "1"]


def test_a_model_goes_on_from_another_one_with_the_recipe_of_its_base(tiny, tmp_path):
    first = job(tmp_path, tiny, n_epochs=20)
    run.train(first)
    (tmp_path / "second").mkdir()
    second = job(tmp_path / "second", first.final)
    run.train(second)
    assert losses(second)[0] < 0.5 < losses(first)[0]
    assert (second.final / "finetune_defaults.json").is_file()


def test_no_pickle_lies_in_the_published_model(tiny, tmp_path):
    directory = job(tmp_path, tiny)
    run.train(directory)
    assert not [file.name for file in directory.final.rglob("*") if file.suffix in {".bin", ".pt", ".pkl", ".pth"}]


def test_the_same_order_gives_the_same_losses(tiny, tmp_path):
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        directory = job(tmp_path / name, tiny)
        run.train(directory)
        found.append(losses(directory))
    assert found[0] == found[1]


def test_a_base_without_a_chat_template_is_refused_with_the_way_out(copied, tmp_path):
    (copied / "chat_template.jinja").unlink()
    with pytest.raises(bases.TrainingError, match="chat or instruct version") as error:
        run.train(job(tmp_path, copied))
    assert error.value.code == "no_chat_template"


def test_a_base_that_does_not_load_is_named(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with pytest.raises(bases.TrainingError, match="broken does not load"):
        run.train(job(tmp_path, tmp_path / "broken"))


def test_answers_beyond_the_context_leave_nothing_to_learn(tiny, tmp_path):
    long = {"messages": [{"role": "user", "content": "長" * 2000}, {"role": "assistant", "content": "1"}]}
    with pytest.raises(bases.TrainingError, match="within the base's 4096 tokens"):
        run.train(job(tmp_path, tiny, rows=[long] * 10))


def test_what_is_cut_or_left_out_is_told_and_counted(tiny, tmp_path):
    context = json.loads((tiny / "config.json").read_text())["max_position_embeddings"]
    asks_too_long = {"messages": [{"role": "user", "content": "x" * context}, {"role": "assistant", "content": "1"}]}
    tells_too_long = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y" * context}]}
    directory = job(tmp_path, tiny, [*ROWS, asks_too_long, tells_too_long, tells_too_long], n_epochs=1)
    run.train(directory)
    (warned,) = [event for _, event in directory.events(0) if event["type"] == "message" and event["level"] == "warn"]
    assert warned["data"] == {"file": "training file", "examples": 13, "cut": 2, "left_out": 1, "limit": context}
    assert warned["message"].startswith("training file: of 13 examples 2 cut at the ")


def test_too_few_examples_that_fit_end_the_job_before_it_trains(tiny, tmp_path):
    context = json.loads((tiny / "config.json").read_text())["max_position_embeddings"]
    too_long = {"messages": [{"role": "user", "content": "x" * context}, {"role": "assistant", "content": "1"}]}
    with pytest.raises(
        bases.TrainingError, match=r"of 10 examples 5 left out.*5 are left, and \d+ are needed"
    ) as error:
        run.train(job(tmp_path, tiny, [*ROWS[:5], *[too_long] * 5]))
    assert error.value.code == "too_few_examples"


def test_an_adapter_is_trained_further_and_not_begun_anew(tiny, tmp_path):
    first = job(tmp_path, tiny, strategy="lora", n_epochs=30)
    run.train(first)
    (tmp_path / "second").mkdir()
    second = job(tmp_path / "second", first.final)
    run.train(second)
    assert losses(second)[0] < losses(first)[0] / 2
    assert answer(second.final, "甲？") == "0"


def test_a_picture_is_not_passed_over(tiny, tmp_path):
    parts = [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "1"}]}
    with pytest.raises(bases.TrainingError, match="line 1, /messages: a content part of type 'image_url'"):
        run.train(job(tmp_path, tiny, rows=[row] * 10))

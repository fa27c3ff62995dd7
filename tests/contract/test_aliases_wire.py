"""Code that names hosted models runs against the local platform, by its address alone."""

from __future__ import annotations

import json
import subprocess
import sys

import openai
import pytest

from finetune_lib.local import aliases

OPTIONS = ["--alias", "gpt-4o-mini=tiny", "--alias", "gpt-3.5-*=tiny"]
HELLO = [{"role": "user", "content": "日本?"}]


def command(root, *options):
    return [sys.executable, "-m", "finetune_lib", "serve", "--root", str(root), "--token", "k", *options]


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    """A client of OpenAI's at a server with aliases."""
    run = command(tmp_path_factory.mktemp("aliases"), *OPTIONS)
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = process.stdout.readline().removeprefix("serving ").strip()
    with openai.OpenAI(base_url=url, api_key="k") as client:
        yield client
    process.terminate()
    process.wait(20)
    process.stdout.close()


def test_a_job_of_a_hosted_model_trains_its_base_and_keeps_its_name(hosted, until, rows):
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file = hosted.files.create(file=("a.jsonl", content), purpose="fine-tune")
    job = hosted.fine_tuning.jobs.create(
        model="gpt-4o-mini", training_file=file.id, suffix="airport", hyperparameters={"n_epochs": 1}
    )
    until(lambda: hosted.fine_tuning.jobs.retrieve(job.id).finished_at)
    done = hosted.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.model) == ("succeeded", "gpt-4o-mini")
    assert done.fine_tuned_model.startswith("ft:gpt-4o-mini:local:airport:")
    said = hosted.chat.completions.create(model=done.fine_tuned_model, messages=HELLO, max_tokens=4)
    assert said.model == done.fine_tuned_model
    hosted.models.delete(done.fine_tuned_model)
    with pytest.raises(openai.NotFoundError):
        hosted.chat.completions.create(model=done.fine_tuned_model, messages=HELLO)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-3.5-turbo-0125", "tiny"])
def test_a_chat_names_the_model_that_was_asked(hosted, model):
    assert hosted.chat.completions.create(model=model, messages=HELLO, max_tokens=2).model == model


def test_the_list_has_the_aliases_that_are_written_out(hosted):
    ids = [model.id for model in hosted.models.list()]
    assert {"gpt-4o-mini", "tiny"} <= set(ids)
    assert not [id for id in ids if "*" in id]
    assert hosted.models.retrieve("gpt-3.5-turbo").id == "gpt-3.5-turbo"


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4o-mini-2024-07-18", "ft:gpt-3.5-turbo:org::x"])
def test_another_name_stands_for_nothing(hosted, model):
    with pytest.raises(openai.NotFoundError):
        hosted.chat.completions.create(model=model, messages=HELLO)
    with pytest.raises(openai.NotFoundError):
        hosted.models.retrieve(model)


@pytest.mark.parametrize("alias", ["gpt-4o", "=tiny", "gpt-4o=", "ft:x=tiny", "gpt-4o=nothing", "a=b=c/"])
def test_an_alias_that_is_none_ends_the_start(tmp_path, alias):
    done = subprocess.run(command(tmp_path, "--alias", alias), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "alias" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_holds_until_another_one_is_given(tmp_path):
    assert aliases.base_named(tmp_path, "gpt-4o") is None
    aliases.save(tmp_path, aliases.parsed(["gpt-4o=tiny", "*=Qwen/Qwen3-0.6B", "gpt-*=other/one"]))
    found = [aliases.base_named(tmp_path, name) for name in ("gpt-4o", "gpt-5", "客服", "ft:gpt-4o:org::x")]
    assert found == ["tiny", "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", None]
    (tmp_path / "aliases.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"aliases\.json is no table"):
        aliases.load(tmp_path)

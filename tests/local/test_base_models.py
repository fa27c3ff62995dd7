"""The built-in base, and how the names of bases are read."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.local.base_models import Base, ensure_tiny, find_base, tiny_folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("bases")


@pytest.fixture(scope="module")
def folder(root):
    return ensure_tiny(root)


@pytest.fixture(scope="module")
def tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def weights(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_tiny_is_an_ordinary_model_of_a_million_parameters(folder):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    assert 850_000 <= sum(parameter.numel() for parameter in model.parameters()) <= 950_000
    assert model.config.max_position_embeddings == 4096


def test_tiny_is_the_same_everywhere(folder, tmp_path):
    import torch

    torch.manual_seed(1234)
    assert weights(ensure_tiny(tmp_path)) == weights(folder)


def test_tiny_is_the_same_when_two_threads_make_it(folder, tmp_path):
    """The server makes it for a job and for a question, each in a thread of its own."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(ensure_tiny, [tmp_path / str(number) for number in range(4)]))
    assert {weights(folder) for folder in made} == {weights(folder)}


def test_tiny_is_made_once(folder, root):
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert ensure_tiny(root) == folder == tiny_folder(root)
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


@given(st.text())
@settings(deadline=None)
def test_any_text_comes_back_from_its_tokens(tokenizer, text):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(tokens) == text


@given(st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"])))
@settings(deadline=None)
def test_a_token_is_a_byte(tokenizer, text):
    assert len(tokenizer.encode(text, add_special_tokens=False)) == len(text.encode())


def test_template_marks_each_turn(tokenizer):
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n<|im_start|>assistant\n"


def test_names_of_bases(root, folder):
    assert find_base("tiny", root) == Base("tiny", str(folder))
    assert find_base(str(folder), root) == Base("tiny", str(folder))
    assert find_base("Qwen/Qwen3-0.6B", root) == Base("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B")


@pytest.mark.parametrize(
    "name", ["", "gpt-4.1", "a/b/c", "ft:tiny:local::x", "/no/such/folder", "x" * 5000, "\0", "../etc"]
)
def test_other_names_are_no_bases(root, name):
    assert find_base(name, root) is None


def test_folder_without_a_model_is_no_base(root, tmp_path):
    (tmp_path / "empty").mkdir()
    assert find_base(str(tmp_path / "empty"), root) is None

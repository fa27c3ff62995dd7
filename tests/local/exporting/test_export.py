"""An export is the same model: elsewhere, it is sent the same prompt, stops at the same place and says the same."""

from __future__ import annotations

import json
import re
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, MistralConfig, Qwen2Config

import finetune_lib as ft
from finetune_lib import local
from finetune_lib.cli import main
from finetune_lib.local.exporting.gguf import require_known, splits_of
from finetune_lib.local.exporting.ollama import stretches_of
from finetune_lib.rendering.probing import server_of
from finetune_lib.rendering.tiny import tiny_tokenizer

CHATML = "<|im_start|>{role}\n{words}<|im_end|>\n"


@pytest.fixture(scope="module")
def golden(data):
    return ft.GoldenSet.from_dataset(data[:6])


@pytest.fixture(scope="module")
def written(trained, server, tmp_path_factory):
    return local.export(trained.model, tmp_path_factory.mktemp("export") / "capitals", root=server.root)


def saved(folder, config=None):
    """A random model of a family with the words of `tiny`."""
    tokenizer = tiny_tokenizer()
    if config is not None:
        torch.manual_seed(1)
        model = AutoModelForCausalLM.from_config(config)
        for name, weight in model.named_parameters():
            if weight.dim() > 1:  # sure of itself: two nearly equal choices would change places
                torch.nn.init.normal_(weight, std=0.15 if "lm_head" in name or "embed" in name else 0.3)
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def shape(**more):
    ids = {"vocab_size": 260, "eos_token_id": 2, "pad_token_id": 3, "bos_token_id": None}
    return (
        ids
        | {
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
        }
        | more
    )


LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
BASES = {
    "llama": lambda: LlamaConfig(**shape()),
    "llama3": lambda: LlamaConfig(**shape(rope_parameters=LLAMA3)),
    "mistral": lambda: MistralConfig(**shape(sliding_window=None)),
    "qwen2": lambda: Qwen2Config(**shape(tie_word_embeddings=True)),
}


def test_export_is_the_model_with_all_that_others_need_to_ask_it(written, trained, server):
    assert {"Modelfile", "README.md", "model.safetensors", "chat_template.jinja"} <= set(written.files)
    assert written.bytes == sum(path.stat().st_size for path in written.path.iterdir())
    (final,) = (server.root / "jobs" / trained.job.id).glob("final")
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (final, written.path))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    tokenizer = AutoTokenizer.from_pretrained(written.path)
    ends = json.loads((written.path / "generation_config.json").read_text())["eos_token_id"]
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in (ends if isinstance(ends, list) else [ends])
    card = (written.path / "README.md").read_text(encoding="utf-8")
    assert all(part in card for part in (trained.model, "| Base | tiny |", "| Method | supervised |", "| Seed | 7 |"))


def test_export_tells_nothing_of_this_machine_and_pickles_nothing(written, server):
    texts = [path.read_text(errors="replace") for path in written.path.iterdir()]
    assert not [text for text in texts if str(server.root) in text]
    assert not [path for path in written.path.iterdir() if path.suffix in {".bin", ".pt", ".pth", ".pkl"}]


def test_plain_transformers_says_what_the_platform_says(written, trained):
    tokenizer = AutoTokenizer.from_pretrained(written.path)
    model = AutoModelForCausalLM.from_pretrained(written.path)
    for question, answer in list(trained.questions.items())[:3]:
        chat = [{"role": "user", "content": question}]
        asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        said = model.generate(**asked, max_new_tokens=40, do_sample=False)[0, asked["input_ids"].shape[1] :]
        assert tokenizer.decode(said, skip_special_tokens=True) == answer


def test_proof_holds_for_the_export_and_fails_for_another_model(written, golden, server, tmp_path):
    check = local.verify_export(written.path, golden, root=server.root)
    assert (bool(check), check.asked, check.differences) == (True, 6, ())
    assert check.gap < 1e-3
    broken = tmp_path / "broken"
    shutil.copytree(written.path, broken)
    weights = load_file(broken / "model.safetensors")
    weights["lm_head.weight"] = weights["lm_head.weight"].roll(1, 0)
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    check = local.verify_export(broken, golden, root=server.root)
    assert not check
    assert len(check.differences) == 6
    assert check.differences[0].here in str(check)


def test_proof_fails_where_the_template_is_another(written, golden, server, tmp_path):
    """The most repeated fault: the weights are right, and the prompt is not."""
    other = tmp_path / "other"
    shutil.copytree(written.path, other)
    template = (other / "chat_template.jinja").read_text()
    (other / "chat_template.jinja").write_text(
        template.replace("assistant\\n", "assistant: ").replace("assistant\n", "assistant: ")
    )
    assert not local.verify_export(other, golden, root=server.root)


def test_adapter_is_put_into_its_base_or_written_alone(tmp_path, golden):
    from peft import LoraConfig, get_peft_model

    base = saved(tmp_path / "base", BASES["llama"]())
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(target_modules="all-linear", r=4))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    adapter = tmp_path / "platform" / "adapter"
    adapted.save_pretrained(adapter)
    tiny_tokenizer().save_pretrained(adapter)
    from contextlib import closing

    from finetune_lib.local.objects import model_object
    from finetune_lib.local.store import Store

    with closing(Store(tmp_path / "platform")) as store:
        store.add("model", model_object("ft:adapted", path=str(adapter)))
    options = {"root": tmp_path / "platform"}
    merged = local.export("ft:adapted", tmp_path / "merged", **options)
    assert "adapter_config.json" not in merged.files
    assert local.verify_export(merged.path, golden, **options)
    plain, mixed = load_file(base / "model.safetensors"), load_file(merged.path / "model.safetensors")
    assert not torch.equal(plain["model.layers.0.mlp.up_proj.weight"], mixed["model.layers.0.mlp.up_proj.weight"])
    alone = local.export("ft:adapted", tmp_path / "alone", merge=False, **options)
    assert {"adapter_config.json", "adapter_model.safetensors"} <= set(alone.files)
    assert not {"Modelfile", "model.safetensors"} & set(alone.files)
    with pytest.raises(ft.DataError, match="adapter alone"):
        local.verify_export(alone.path, golden, **options)


def test_wrong_wishes_are_refused_and_nothing_is_left(server, tmp_path, golden, written):
    with pytest.raises(FileExistsError, match="exists"):
        local.export("tiny", written.path, root=server.root)
    with pytest.raises(ft.DataError, match="沒有的模型"):
        local.export("沒有的模型", tmp_path / "a", root=server.root)
    with pytest.raises(ValueError, match="f16"):
        local.export("tiny", tmp_path / "a", gguf="q4", root=server.root)
    with pytest.raises(ft.DataError, match=r"export\.json"):
        local.verify_export(tmp_path, golden, root=server.root)
    with pytest.raises(ValueError, match="cases"):
        local.verify_export(written.path, [], root=server.root)
    assert list(tmp_path.iterdir()) == []


def test_command_writes_and_verifies(tmp_path, server, data, capsys):
    golden = data[:2].save(tmp_path / "golden.jsonl")
    options = ["--root", str(server.root)]
    assert main(["export", "tiny", str(tmp_path / "out"), "--verify", str(golden), *options]) == 0
    assert "2 of 2 questions answered as by the platform" in capsys.readouterr().out
    assert main(["export", "tiny", str(tmp_path / "out"), *options]) == 2


# What Ollama will write for conversations, by hand.
def test_modelfile_has_the_template_and_the_stop_word(written):
    text = (written.path / "Modelfile").read_text(encoding="utf-8")
    assert text.startswith("FROM .\n")
    assert 'PARAMETER stop "<|im_end|>"' in text
    assert json.dumps("<|im_start|>system\n") in text
    go = re.search('TEMPLATE """(.*)"""', text, re.DOTALL)[1]
    assert go.count("{{") == go.count("}}")
    assert go.count("{{- end }}") == len(re.findall(r"\{\{- (?:if|range)", go))


LLAMA_TEMPLATE = (
    "{{ '<|startoftext|>' }}{% for m in messages %}"
    "{{ '[' + m['role'] + ']\n' + m['content'] | trim + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant]\n' }}{% endif %}"
)
DEFAULT_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
COUNTING = (
    "{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + (loop.index | string) + '\n' + m['content'] + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHAT = [
    {"role": "user", "content": '可以帶"液體"嗎？'},
    {"role": "assistant", "content": "可以。"},
    {"role": "user", "content": "多少？"},
]


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (
            LLAMA_TEMPLATE,
            '<|startoftext|>[user]\n可以帶"液體"嗎？<|im_end|>[assistant]\n可以。<|im_end|>[user]\n多少？<|im_end|>[assistant]\n',
        ),
        (
            DEFAULT_SYSTEM,
            '<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n可以帶"液體"嗎？<|im_end|>\n'
            "<|im_start|>assistant\n可以。<|im_end|>\n<|im_start|>user\n多少？<|im_end|>\n<|im_start|>assistant\n",
        ),
    ],
    ids=["begin of text", "system by default"],
)
def test_stretches_write_what_the_template_writes(template, wanted):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    assert stretches_of(server_of(tokenizer)).written(CHAT) == wanted


def test_template_that_ollama_cannot_say_has_no_modelfile(tmp_path):
    base = saved(tmp_path / "base", BASES["llama"]())
    (base / "chat_template.jinja").write_text(COUNTING)
    told = local.export(str(base), tmp_path / "out", root=tmp_path / "root")
    assert "Modelfile" not in told.files
    assert "other prompts" in told.notes[0]


@pytest.mark.parametrize("family", BASES)
def test_llama_cpp_says_what_transformers_says(tmp_path, golden, family):
    base = saved(tmp_path / "base", BASES[family]())
    written = local.export(str(base), tmp_path / "out", gguf="f32", root=tmp_path / "root")
    record = written.path / "export.json"
    assert json.loads(record.read_text()) == {"model": str(base)}
    check = local.verify_export(written.path / "model-f32.gguf", golden, root=tmp_path / "root", max_tokens=12)
    assert check.gap < 0.01
    assert check, str(check)


@pytest.mark.parametrize("precision", ["f16", "q8_0"])
def test_trained_model_says_the_same_in_llama_cpp(trained, server, tmp_path, golden, precision):
    written = local.export(trained.model, tmp_path / "out", gguf=precision, root=server.root)
    assert f"FROM ./model-{precision}.gguf" in (written.path / "Modelfile").read_text()
    check = local.verify_export(written.path / f"model-{precision}.gguf", golden, root=server.root, tolerance=0.5)
    assert check, str(check)


def test_file_names_its_template_and_its_ends(tmp_path, server):
    import gguf

    written = local.export("tiny", tmp_path / "out", gguf="f16", root=server.root)
    fields = gguf.GGUFReader(written.path / "model-f16.gguf").fields
    assert fields["tokenizer.chat_template"].contents() == (written.path / "chat_template.jinja").read_text()
    assert fields["tokenizer.ggml.eos_token_id"].contents() == 2
    assert fields["tokenizer.ggml.tokens"].contents()[2] == "<|im_end|>"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model_type": "gemma3"}, "gemma3"),
        ({"model_type": "qwen3_moe"}, "qwen3_moe"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "yarn"),
        ({"rope_scaling": {"rope_type": "linear"}}, "linear"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "window"),
        ({"model_type": "mistral", "sliding_window": 4096}, "window"),
        ({"quantization_config": {}}, "quantized"),
    ],
)
def test_what_gguf_would_not_say_is_refused(change, word):
    with pytest.raises(ft.DataError, match=word):
        require_known({"model_type": "llama", **change})


def bpe(*parts, merges=("a b",), kind="BPE"):
    pre = {"type": "Sequence", "pretokenizers": list(parts)} if len(parts) > 1 else parts[0]
    return {"model": {"type": kind, "merges": list(merges)}, "pre_tokenizer": pre}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}


def test_way_of_splitting_is_known_or_refused():
    assert splits_of(bpe(BYTES)) == "gpt-2"
    assert splits_of(bpe({"type": "Digits", "individual_digits": True}, BYTES)) == "smollm"
    assert splits_of(bpe(BYTES | {"use_regex": False}, merges=())) == "gpt-2"
    odd = {"type": "Split", "pattern": {"Regex": r"\w+"}}
    refused = [
        bpe(odd, BYTES),
        bpe(BYTES | {"use_regex": False}),
        bpe(BYTES, kind="Unigram"),
        bpe({"type": "Metaspace"}),
    ]
    for tokenizer in refused:
        with pytest.raises(ft.DataError, match="splits texts"):
            splits_of(tokenizer)


def test_missing_extra_is_named(tmp_path, server, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ft.MissingExtraError, match="gguf"):
        local.export("tiny", tmp_path / "out", gguf="f16", root=server.root)
    assert list(tmp_path.iterdir()) == []

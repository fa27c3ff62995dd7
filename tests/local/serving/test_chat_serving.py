"""Many answers at a time, each as if it were alone: what transformers' own `generate` says, question by question."""

from __future__ import annotations

import json
import threading

import jsonschema
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig

from finetune_lib.local.base_models import ensure_tiny
from finetune_lib.local.inference import Completion, Piece, Question, Sampling
from finetune_lib.local.serving.engine import Engine
from finetune_lib.rendering.tiny import tiny_tokenizer

WORDS = [f"題目 {number} " + "x" * (number * 7) for number in range(12)]
GREEDY = Sampling(temperature=0, max_tokens=30)
DRAWN = {"temperature": 0.8, "top_p": 0.9}


def asked(text):
    return Question([{"role": "user", "content": text}])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return str(ensure_tiny(tmp_path_factory.mktemp("root")))


@pytest.fixture(scope="module")
def engine():
    return Engine()


def generated(folder, text, **options):
    """What transformers says, alone."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        said = model.generate(**ids, max_new_tokens=30, eos_token_id=[2], pad_token_id=3, **options)
    return tuple(said[0, ids["input_ids"].shape[1] :].tolist())


def together(engine, folder, texts, samplings):
    streams = [engine.stream(folder, asked(text), how) for text, how in zip(texts, samplings, strict=True)]
    return [stream.completions()[0].tokens for stream in streams]


def test_lone_answer_is_that_of_transformers(engine, tiny):
    for text in WORDS[:3]:
        assert engine.complete(tiny, asked(text), GREEDY).tokens == generated(tiny, text, do_sample=False)
        torch.manual_seed(5)
        drawn = generated(tiny, text, do_sample=True, top_k=0, **DRAWN)
        assert engine.complete(tiny, asked(text), Sampling(seed=5, max_tokens=30, **DRAWN)).tokens == drawn


def test_company_changes_no_answer(engine, tiny):
    """Rows of other lengths, that end at other times, and that are drawn in other ways."""
    hows = [
        Sampling(temperature=number % 3 / 2, top_p=1 - number % 2 / 5, seed=number, max_tokens=4 + 5 * number)
        for number in range(len(WORDS))
    ]
    alone = [engine.complete(tiny, asked(text), how).tokens for text, how in zip(WORDS, hows, strict=True)]
    assert together(engine, tiny, WORDS, hows) == alone


def test_rows_join_while_others_are_written(engine, tiny):
    alone = [engine.complete(tiny, asked(text), GREEDY).tokens for text in WORDS]
    found = {}

    def ask(place):
        first = engine.stream(tiny, asked(WORDS[place]), GREEDY)
        found[place] = first.completions()[0].tokens

    long = engine.stream(tiny, asked("長"), Sampling(temperature=0, max_tokens=400))
    pieces = iter(long)
    next(pieces)
    threads = [threading.Thread(target=ask, args=[place]) for place in range(len(WORDS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(len(WORDS))] == alone
    assert (
        list(pieces)[-1][1].tokens == engine.complete(tiny, asked("長"), Sampling(temperature=0, max_tokens=400)).tokens
    )


def saved(folder, config):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


SHAPE = {
    "vocab_size": 260,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "eos_token_id": 2,
    "bos_token_id": None,
    "pad_token_id": 3,
}


def test_memory_of_a_window_is_not_joined_and_answers_all_the_same(engine, tmp_path):
    folder = saved(tmp_path / "window", MistralConfig(**SHAPE, sliding_window=16))
    alone = [generated(folder, text, do_sample=False) for text in WORDS[:5]]
    assert together(engine, folder, WORDS[:5], [GREEDY] * 5) == alone


@pytest.fixture(scope="module")
def adapters(tiny, tmp_path_factory):
    """Two adapters of `tiny` that change what it says."""
    folders = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny), LoraConfig(target_modules="all-linear", r=4))
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
        folder = tmp_path_factory.mktemp("adapter")
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(tiny).save_pretrained(folder)
        folders.append(str(folder))
    return folders


def test_adapters_of_a_base_share_it_and_never_mix(tiny, adapters):
    engine = Engine()
    sources = [tiny, *adapters]
    alone = {source: [generated(source, text, do_sample=False) for text in WORDS] for source in sources}
    assert len({tuple(answers) for answers in alone.values()}) == 3
    # 36 chats of the base and of its two adapters at the same time.
    streams = [
        (source, place, engine.stream(source, asked(text), GREEDY))
        for place, text in enumerate(WORDS)
        for source in sources
    ]
    for source, place, stream in streams:
        assert stream.completions()[0].tokens == alone[source][place]
    bases = {id(engine._models.get(source).base) for source in sources}
    assert len(bases) == 1


def test_several_answers_count_the_seed_on(engine, tiny):
    how = {"temperature": 1.0, "max_tokens": 12}
    several = engine.stream(tiny, asked("a"), Sampling(seed=5, n=3, **how)).completions()
    alone = [engine.complete(tiny, asked("a"), Sampling(seed=seed, **how)) for seed in (5, 6, 7)]
    assert [one.tokens for one in several] == [one.tokens for one in alone]
    assert len({one.tokens for one in several}) == 3


def test_logprobs_are_those_of_the_model(engine, tiny):
    said = engine.complete(tiny, asked("a"), Sampling(temperature=0, max_tokens=6, logprobs=2))
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny), AutoTokenizer.from_pretrained(tiny)
    chat = [{"role": "user", "content": "a"}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
    with torch.inference_mode():
        chances = model(torch.tensor([[*prompt, *said.tokens]])).logits[0].log_softmax(-1)
    assert len(said.logprobs) == len(said.tokens) == 6
    for place, (token, told) in enumerate(zip(said.tokens, said.logprobs, strict=True)):
        assert told["logprob"] == pytest.approx(float(chances[len(prompt) - 1 + place, token]), abs=1e-4)
        assert told["top_logprobs"][0]["logprob"] == pytest.approx(told["logprob"], abs=1e-6)
    assert b"".join(bytes(told["bytes"]) for told in said.logprobs).decode(errors="replace") == said.text


def test_penalty_of_presence_says_each_token_once_and_a_bias_says_one_alone(engine, tiny):
    plain = engine.complete(tiny, asked("a"), Sampling(temperature=0, max_tokens=200)).tokens
    bent = engine.complete(
        tiny, asked("a"), Sampling(temperature=0, max_tokens=200, presence_penalty=2.0, frequency_penalty=2.0)
    ).tokens
    assert len(set(bent)) > len(set(plain))
    said = engine.complete(tiny, asked("a"), Sampling(temperature=1, seed=1, max_tokens=5, bias=((40, 100.0),)))
    assert said.tokens == (40,) * 5


def test_what_is_left_ends_and_frees_its_place(engine, tiny):
    streams = [engine.stream(tiny, asked("x"), Sampling(temperature=0, max_tokens=1000)) for _ in range(40)]
    for stream in streams:
        stream.close()
    for stream in streams:
        assert len(stream.completions()[0].tokens) < 1000


def test_stop_word_is_not_seen_in_any_piece(engine, tiny):
    whole = engine.complete(tiny, asked("a"), Sampling(temperature=1, seed=3, max_tokens=200)).text
    for start in range(5, 60, 5):
        stop = whole[start : start + 3]
        if "\ufffd" in stop:
            continue
        stream = engine.stream(tiny, asked("a"), Sampling(temperature=1, seed=3, max_tokens=200, stop=(stop,)))
        told = [item for _, item in stream]
        pieces = [item.text for item in told if isinstance(item, Piece)]
        assert isinstance(told[-1], Completion)
        assert "".join(pieces) == told[-1].text == whole[: whole.index(stop)]
        assert told[-1].finish_reason == "stop"


SCHEMA = {
    "type": "object",
    "properties": {"城市": {"enum": ["台北", "東京"]}, "號": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["城市", "號"],
    "additionalProperties": False,
}


def test_answers_keep_to_their_schema_beside_others_that_are_free(engine, tiny):
    free = [engine.stream(tiny, asked(text), GREEDY) for text in WORDS]
    bound = engine.stream(tiny, asked("a"), Sampling(seed=1, max_tokens=60, n=8, schema=SCHEMA)).completions()
    for answer in bound:
        jsonschema.validate(json.loads(answer.text), SCHEMA)
        assert answer.finish_reason == "stop"
    assert len({answer.text for answer in bound}) > 1
    assert [stream.completions()[0].tokens for stream in free] == [
        engine.complete(tiny, asked(text), GREEDY).tokens for text in WORDS
    ]


def test_schema_that_is_none_is_refused(engine, tiny):
    from finetune_lib.local.inference import SchemaError

    with pytest.raises(SchemaError, match="cannot be kept"):
        engine.complete(tiny, asked("a"), Sampling(schema={"type": "nonsense"}))

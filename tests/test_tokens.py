"""Token counts: OpenAI's own for its models, bytes for the built-in one, an estimate that says so for others."""

import base64
import hashlib

import pytest
import splintr
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib import tokens

VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
SIZES = {"o200k_base": 199998, "cl100k_base": 100256}
MODELS = {"gpt-4.1-mini": "o200k_base", "gpt-3.5-turbo": "cl100k_base"}
TEXTS = [
    "",
    " ",
    "Hello, world!",
    "I'll say it's 12345678 times BETTER than they've  thought.\r\n\r\n  End",
    "請問桃園機場第二航廈怎麼走？起飛前30分鐘登機。",
    "请问机场怎么走？「你好」，世界！",
    "日本語のテキストと 한국어 텍스트",
    "def f(x: int) -> str:\n\treturn f\"{x!r}\"  # ok\n\n\n    if x >= 10_000:\n",
    "👩‍👩‍👧‍👦 🇹🇼 ✈️ e\u0301 \u200b\ufeff",
    "<|endoftext|><|im_start|>user",
    "https://example.com/a?b=c&d=%20#e",
    "ǅ ŉ İstanbul straße ﬁ ²³½ ٣٤٥",
]  # fmt: skip


def vocabulary(name):
    """OpenAI's vocabulary file, made anew from splintr's; tiktoken itself checks that no byte differs."""
    tokenizer = splintr.Tokenizer.from_pretrained(name)
    return b"".join(base64.b64encode(tokenizer.decode_token_bytes(n)) + b" %d\n" % n for n in range(SIZES[name]))


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """tiktoken's encodings, read from its cache and never from the network."""
    cache = tmp_path_factory.mktemp("tiktoken")
    for name in SIZES:
        key = hashlib.sha1(VOCABULARY.format(name).encode(), usedforsecurity=False).hexdigest()
        (cache / key).write_bytes(vocabulary(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
        return {name: tiktoken.get_encoding(name) for name in SIZES}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("model", MODELS)
def test_counts_equal_tiktokens(reference, model, text):
    expected = len(reference[MODELS[model]].encode_ordinary(text))
    assert tokens.counter_for(model).count(text) == expected


@pytest.mark.parametrize("model", MODELS)
@given(text=st.text(max_size=200))
def test_counts_equal_tiktokens_on_any_text(reference, model, text):
    assert tokens.counter_for(model).count(text) == len(reference[MODELS[model]].encode_ordinary(text))


@pytest.mark.parametrize("model", MODELS)
@given(text=st.text(st.sampled_from("aZé中文。 \n\r\t'sS'll09½/_-<|>👩\u200d\u0301")))
def test_counts_equal_tiktokens_where_words_numbers_and_spaces_meet(reference, model, text):
    assert tokens.counter_for(model).count(text) == len(reference[MODELS[model]].encode_ordinary(text))


def test_half_characters_count_as_tiktoken_counts_them(reference):
    text = "half \ud83d of 登\udc00機"
    assert tokens.counter_for("gpt-4o").count(text) == len(reference["o200k_base"].encode_ordinary(text))


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4.1", "o200k_base"),
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("ft:gpt-4.1-mini-2025-04-14:org::abc", "o200k_base"),
        ("ft:gpt-4o:org:name:abc:ckpt-step-10", "o200k_base"),
        ("ft:gpt-3.5-turbo-0125:org::abc", "cl100k_base"),
        ("tiny", "bytes"),
        ("ft:tiny:local::abc", "bytes"),
    ],
)
def test_a_fine_tune_counts_as_its_base(model, encoding):
    counter = tokens.counter_for(model)
    assert (counter.encoding, counter.exact) == (encoding, True)


@pytest.mark.parametrize(
    ("models", "encoding"),
    [
        (["gpt-5", "gpt-5-mini", "gpt-5.1-2025-11-13", "o1", "o1-mini", "o3", "o3-mini-2025-01-31"], "o200k_base"),
        (["gpt-4.5-preview", "gpt-4o-audio-preview", "chatgpt-4o-latest"], "o200k_base"),
        (["gpt-4", "gpt-4-turbo", "gpt-4-0613", "gpt-35-turbo", "gpt-35-turbo-16k"], "cl100k_base"),
        (["babbage-002", "davinci-002", "ft:babbage-002:org::abc", "ft:gpt-4-0613:org::abc"], "cl100k_base"),
    ],
)
def test_openais_other_models_are_counted_exactly(reference, models, encoding):
    text = "旅客請於起飛前三十分鐘到達登機門 (gate C5R)。"
    for model in models:
        counter = tokens.counter_for(model)
        assert (counter.encoding, counter.exact) == (encoding, True)
        assert counter.count(text) == len(reference[encoding].encode_ordinary(text))


@pytest.mark.parametrize(
    "model", ["llama-3", "ft:llama-3:org::abc", "", "ft:", "gpt-oss-20b", "text-davinci-003", "gpt-4all-j", "gpt2"]
)
def test_an_unknown_model_is_an_estimate(model):
    counter = tokens.counter_for(model)
    assert (counter.encoding, counter.exact) == ("estimate", False)
    assert counter.count("") == 0


@pytest.mark.parametrize(
    "text",
    [
        "I'll be at the gate by 9:45, but my flight (CX 472) might be late; can I still get a refund?",
        "旅客請於起飛前三十分鐘到達登機門，並備妥護照與登機證。",
        "請問 BR198 航班的 gate 改到哪裡？App 上顯示 C5R，但 terminal 2 的螢幕寫 D7。",
    ],
)
def test_an_estimate_is_within_30_percent(reference, text):
    exact = len(reference["o200k_base"].encode_ordinary(text))
    assert tokens.counter_for("llama-3").count(text) == pytest.approx(exact, rel=0.3)


@given(text=st.text())
def test_the_built_in_model_counts_bytes(text):
    assert tokens.counter_for("tiny").count(text) == len(text.encode())


def test_a_conversation_costs_four_tokens_a_message_and_its_texts():
    messages = [
        {"role": "user", "content": "ab"},
        {"role": "assistant", "content": [{"type": "text", "text": "cde"}]},
        {"role": "assistant", "content": None},
    ]
    assert tokens.counter_for("tiny").example(messages) == 3 * 4 + 2 + 3
    assert tokens.counter_for("tiny").example(messages, "tools") == 3 * 4 + 2 + 3 + 5


def test_the_report_says_whether_its_count_is_exact():
    data = ft.Dataset.from_rows([{"prompt": "幾點登機？", "completion": "九點。"}])
    exact, estimate = (data.validate(model=model) for model in ("gpt-4o", "llama-3"))
    assert exact.tokens.exact
    assert "tokens (o200k_base)" in exact.summary
    assert "K708" not in {d.code for d in exact.diagnostics}
    assert not estimate.tokens.exact
    assert "about " in estimate.summary
    assert "K708" in {d.code for d in estimate.diagnostics}

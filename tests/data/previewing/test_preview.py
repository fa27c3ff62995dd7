"""A preview shows what is trained: the same tokens and labels that the trainer gets, of any base."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bases import folder_of_base

import finetune_lib as ft
from finetune_lib.records import Origin
from finetune_lib.rendering.examples import sequences_within
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import IGNORED
from finetune_lib.rendering.templates import CHATML
from finetune_lib.rendering.tiny import tiny_tokenizer


def chat(*turns, **more):
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


def dataset(*rows):
    return ft.Dataset([ft.Example(row, Origin("a.jsonl", number, number)) for number, row in enumerate(rows, 1)])


QUESTION = ("user", "幾點登機？")
PREFERENCE = {
    "input": {"messages": [{"role": "user", "content": "Hi"}]},
    "preferred_output": [{"role": "assistant", "content": "Good day."}],
    "non_preferred_output": [{"role": "assistant", "content": "Yo"}],
}


def fates(stretch):
    return [(fate, "".join(token.text for token in tokens)) for fate, tokens in stretch.runs()]


def test_what_is_read_and_what_is_learned():
    (example,) = (
        dataset(chat(("system", "簡短。"), QUESTION, ("assistant", "起飛前 30 分鐘。"))).preview(model="tiny").examples
    )
    (stretch,) = example.stretches
    assert fates(stretch) == [
        (
            "read",
            "<|im_start|>system\n簡短。<|im_end|>\n<|im_start|>user\n幾點登機？<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("learned", "起飛前 30 分鐘。<|im_end|>\n"),
    ]
    assert example.problem == ""


def test_an_answer_of_weight_0_is_read():
    row = chat(QUESTION, ("assistant", "八點。"), QUESTION, ("assistant", "九點。"))
    row["messages"][1]["weight"] = 0
    (example,) = dataset(row).preview(model="tiny").examples
    assert [text for fate, text in fates(example.stretches[0]) if fate == "learned"] == ["九點。<|im_end|>\n"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: text.strip())


@settings(deadline=None, max_examples=60)
@given(turns=st.lists(st.tuples(TEXT, TEXT, st.booleans()), min_size=1, max_size=3), limit=st.integers(5, 200))
def test_it_is_what_the_trainer_gets(tmp_path_factory, turns, limit):
    """Token by token: the numbers, which of them have a label, and what is cut."""
    messages = []
    for question, answer, learned in turns:
        messages += [{"role": "user", "content": question}]
        messages += [{"role": "assistant", "content": answer, "weight": int(learned)}]
    row = {"messages": messages}
    folder = folder_of_base(tmp_path_factory.mktemp("base"), chat_template=CHATML, limit=limit)
    (example,) = dataset(row).preview(model=str(folder)).examples
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = CHATML
    trained, _ = sequences_within(renderer_of(tokenizer, Needs()), row, limit)
    if not trained:
        assert example.problem
        return
    (sequence,), (stretch,) = trained, example.stretches
    within = [(one, token.fate) for token in stretch.tokens if token.fate != "cut" for one in token.ids]
    labelled = [
        (one, "read" if label == IGNORED else "learned")
        for one, label in zip(sequence["input_ids"], sequence["labels"], strict=True)
    ]
    # a character that stands on the border is cut as a whole
    assert labelled[: len(within)] == within
    assert len(labelled) - len(within) < 4
    assert "".join(token.text for token in stretch.tokens) == tokenizer.apply_chat_template(messages, tokenize=False)


def test_what_stands_behind_the_limit_is_cut_and_an_answer_there_teaches_nothing(tmp_path):
    folder = folder_of_base(tmp_path / "base", chat_template=CHATML, limit=60)
    preview = dataset(
        chat(("user", "a"), ("assistant", "b" * 60)), chat(("user", "a" * 60), ("assistant", "b"))
    ).preview(model=str(folder))
    first, second = preview.examples
    assert preview.limit == 60
    assert [fate for fate, _ in fates(first.stretches[0])] == ["read", "learned", "cut"]
    assert first.problem == ""
    assert second.problem == "what it answers stands behind the tokens that the base reads of one example"
    assert preview.problems == (second,)


def test_a_row_that_the_template_cannot_say_tells_where(tmp_path):
    folder = folder_of_base(tmp_path / "base", chat_template=CHATML)
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [call]}]}
    (example,) = dataset(row).preview(model=str(folder)).examples
    assert example.problem == "/messages/1: the chat template leaves out the call of weather"


def test_control_tokens_of_people_are_shown_as_the_text_that_they_are():
    (example,) = dataset(chat(("user", "say <|im_end|>"), ("assistant", "no"))).preview(model="tiny").examples
    texts = [token.text for token in example.stretches[0].tokens]
    assert texts.count("<|im_end|>") == 2  # those of the template
    assert "".join(texts).count("<|im_end|>") == 3


def test_a_preference_has_two_stretches():
    (example,) = dataset(PREFERENCE).preview(model="tiny", method="dpo").examples
    assert [stretch.name for stretch in example.stretches] == ["chosen", "rejected"]
    assert [fates(stretch)[-1] for stretch in example.stretches] == [
        ("learned", "Good day.<|im_end|>\n"),
        ("learned", "Yo<|im_end|>\n"),
    ]
    (wrong,) = dataset(chat(QUESTION, ("assistant", "a"))).preview(model="tiny", method="dpo").examples
    assert "two answers" in wrong.problem


def test_reinforcement_shows_the_question_alone():
    (example,) = dataset(chat(QUESTION, reference="八點")).preview(model="tiny", method="reinforcement").examples
    assert fates(example.stretches[0]) == [("read", "<|im_start|>user\n幾點登機？<|im_end|>\n<|im_start|>assistant\n")]
    assert example.problem == ""


@pytest.mark.parametrize("model", ["gpt-4.1-mini-2025-04-14", "ft:gpt-4.1-mini-2025-04-14:o::x"])
def test_a_model_of_a_service_shows_its_words_and_says_that_its_template_is_not_public(model):
    data = dataset(chat(("system", "簡短。"), ("user", "龘？"), ("assistant", "讀作 dá。")))
    preview = data.preview(model=model)
    (stretch,) = preview.examples[0].stretches
    assert not preview.exact
    assert "not public" in str(preview)
    assert fates(stretch) == [("read", "[system]簡短。[user]龘？[assistant]"), ("learned", "讀作 dá。")]
    total = sum(stretch.count(fate) for fate in ("read", "learned", "cut"))
    assert total == data.validate(model=model).tokens.total


def test_the_first_examples_are_shown_and_the_others_are_counted():
    preview = dataset(*(chat(("user", f"q{n}"), ("assistant", "a")) for n in range(9))).preview(model="tiny", limit=2)
    assert (len(preview.examples), preview.total) == (2, 9)
    assert "7 more" in str(preview)


def test_lines_fit_a_terminal_and_hostile_text_does_not_steer_it():
    hostile = "\x1b[31m\u202e" + "可以" * 60
    text = str(dataset(chat(("user", hostile), ("assistant", "a" * 200))).preview(model="tiny"))
    from finetune_lib.pages.terminal import width

    assert max(map(width, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_page_escapes_and_speaks_the_language():
    preview = dataset(chat(("user", "<script>alert(1)</script>"), ("assistant", "a"))).preview(model="tiny")
    page = preview.to_html(lang="zh-Hant")
    assert "<script>alert" not in page
    assert 'lang="zh-Hant"' in page
    assert "學習" in page
    assert "學習" in preview.to_html(lang="zh-Hant")
    assert preview._repr_html_().startswith("<div")
    assert len(repr(preview)) < 2000


def test_a_base_without_a_vocabulary_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen3"}))
    with pytest.raises(ft.DataError, match="files of its vocabulary are missing"):
        dataset(chat(QUESTION, ("assistant", "a"))).preview(model=str(tmp_path))


def test_a_hub_that_is_forbidden_is_not_asked(tmp_path, monkeypatch):
    policy = tmp_path / "policy.toml"
    policy.write_text("hub = false\n")
    monkeypatch.setattr("finetune_lib.platforms.policy._told", {})  # else it binds this process, and so later tests
    monkeypatch.setenv("FINETUNE_LIB_POLICY", str(policy))
    with pytest.raises(PermissionError, match="forbids"):
        dataset(chat(QUESTION, ("assistant", "a"))).preview(model="someone/model")

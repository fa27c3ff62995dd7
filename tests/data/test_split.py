"""Splits: what belongs together stays together, each part gets its share, and a proof says so."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import finetune_lib as ft

TOPICS = ["退貨", "運費", "門市", "會員", "發票", "保固"]


def chat(question, answer="a", **extra):
    return ft.Example(
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}, **extra
    )


def questions(count, seed=1):
    rng = random.Random(seed)
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    return ["".join(rng.choices(letters, k=20)) for _ in range(count)]


def test_near_questions_stay_together_whatever_their_script():
    rows = []
    for number, question in enumerate(questions(40)):
        rows += [chat(f"{question}，請問退貨期限", str(number)), chat(f"{question}请问退货期限？", str(number))]
    split = ft.Dataset(rows).split(validation=0.2, golden=0.2)
    parts = [{example.answer for example in part} for part in split]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert split.proof().holds


def test_the_proof_names_what_leaks():
    train = ft.Dataset([chat(q) for q in questions(30)])
    golden = ft.Dataset([chat(f"{train[4].prompt}？"), chat("完全不同的一句話，沒有人問過")])
    proof = ft.Split(train, ft.Dataset([]), golden).proof()
    assert not proof.holds
    assert len(proof.neighbours) == 1
    assert "1 of 2 held-out rows are known from training" in str(proof)


def test_families_and_keys_stay_together():
    rows = [chat(q, str(n), family=f"f{n // 3}") for n, q in enumerate(questions(60))]
    split = ft.Dataset(rows).split(validation=9, golden=9)
    families = [{example.family for example in part} for part in split]
    assert not families[0] & families[1] | families[0] & families[2] | families[1] & families[2]
    by_customer = ft.Dataset([chat(q, str(n % 7)) for n, q in enumerate(questions(60))])
    parts = by_customer.split(validation=9, golden=9, group_by=lambda example: example.answer)
    answers = [{example.answer for example in part} for part in parts]
    assert not answers[0] & answers[1] | answers[0] & answers[2] | answers[1] & answers[2]


def test_each_part_has_its_share_of_each_category():
    rows = [chat(q, category=TOPICS[n % 3 if n % 10 else 3]) for n, q in enumerate(questions(200))]
    split = ft.Dataset(rows).split(validation=0.1, golden=0.2)
    for part, share in ((split.validation, 0.1), (split.golden, 0.2)):
        for topic in TOPICS[:4]:
            whole = sum(row.category == topic for row in rows)
            assert abs(sum(e.category == topic for e in part) - share * whole) <= 1


def test_few_answers_are_labels_to_stratify_by():
    rows = [chat(q, "正面" if n % 5 else "負面") for n, q in enumerate(questions(100))]
    golden = ft.Dataset(rows).split(golden=20).golden
    assert sum(example.answer == "負面" for example in golden) == 4


def test_added_rows_leave_the_others_where_they_are():
    rows = [chat(q) for q in questions(300)]
    before = ft.Dataset(rows[:280]).split(golden=0.2)
    after = ft.Dataset(rows).split(golden=0.2)
    old = {example.prompt for example in before.golden}
    new = {example.prompt for example in after.golden}
    assert len(old - new) <= 20


def test_a_class_that_is_missing_and_a_set_that_is_small_are_told():
    rows = [chat(q, category="常見") for q in questions(40)] + [chat("只有一個的問題在此", category="罕見")]
    codes = {d.code for d in ft.Dataset(rows).split(golden=4).proof().findings}
    assert codes == {"L855", "L856"}


def test_what_is_all_alike_is_refused_with_the_way_out():
    letters = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往"
    data = ft.Dataset([chat(f"請問第{letter}題的答案究竟是什麼呢") for letter in letters])
    with pytest.raises(ValueError, match="near=None"):
        data.split(golden=5)
    assert len(data.split(golden=5, near=None).golden) == 5


def test_decontaminate_leaves_the_others():
    data = ft.Dataset([chat(q) for q in questions(20)])
    golden = ft.Dataset([chat(data[3].prompt.replace(data[3].prompt[0], "新"))])
    assert [e.prompt for e in data.decontaminate(golden)] == [e.prompt for n, e in enumerate(data) if n != 3]
    assert [d.code for d in data.validate(golden=golden).errors if d.code == "L854"] == ["L854"]


def test_deduplicate_keeps_the_first():
    data = ft.Dataset(
        [chat("問題一在這裡喔", "a"), chat("問題一在這裡喔", "a"), chat("問題一在這裡喔？", "a"), chat("另外的事", "b")]
    )
    assert len(data.deduplicate()) == 3
    assert [e.prompt for e in data.deduplicate(near=0.9)] == ["問題一在這裡喔", "另外的事"]


@settings(deadline=None, max_examples=60)
@given(
    families=st.lists(st.integers(0, 8), min_size=6, max_size=40),
    seed=st.integers(0, 5),
    validation=st.floats(0.1, 0.3),
    golden=st.integers(0, 4),
)
def test_a_split_is_a_partition_without_a_group_across(families, seed, validation, golden):
    rows = [
        chat(q, str(n), family=str(f)) for n, (q, f) in enumerate(zip(questions(len(families)), families, strict=True))
    ]
    try:
        split = ft.Dataset(rows).split(validation=validation, golden=golden, seed=seed)
    except ValueError:
        assert max(families.count(f) for f in families) > 1
        return
    assert sorted(int(e.answer) for part in split for e in part) == list(range(len(rows)))
    parts = [{e.family for e in part} for part in split]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


@pytest.mark.parametrize("share", ["10%", "0.1", -1, 1.0, True, float("nan"), None])
def test_what_is_no_share_and_no_count_is_refused_with_what_is(share):
    data = ft.Dataset.from_rows([{"prompt": f"q{n}", "completion": "a"} for n in range(10)])
    with pytest.raises(ValueError, match=r"as 0\.1, or a count of examples, as 20, not"):
        data.split(validation=share)

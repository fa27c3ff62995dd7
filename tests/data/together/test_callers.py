"""Splits, proofs, duplicates and golden sets go by the one relation, on rows of every kind together."""

import json
import random
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.data.together.test_relation import FEE, ROWS, asked, chat, shown

import finetune_lib as ft
from finetune_lib import GoldenSet

LAW = [f"民法第 {n} 條規定了什麼？" for n in range(20)]
TOPICS = ["契約", "時效", "代理", "條件", "期日", "死亡", "住所", "法人", "社團", "財團"]
TOPICS += ["物", "天然孳息", "意思表示", "撤銷", "無效", "消滅", "損害", "返還", "保證", "租賃"]
CALL = [{"type": "function", "id": "c1", "function": {"name": "find", "arguments": '{"order": 7}'}}]
ODD = [
    asked("數一數 12 和 19 的和"),
    {**asked("用 3, 5, 7 湊出 24"), "target": 24},
    {"text": "台北今天午後有雷陣雨，外出請帶傘。"},
    {"text": "她每天清晨到河邊跑步。"},
    {"messages": []},
    {"messages": [{"role": "user", "content": ""}]},
    chat(shown("https://a/1.png"), "貓"),
    chat(shown("https://a/2.png"), "狗"),
    {"messages": [{"role": "user", "content": "查訂單 7"}, {"role": "assistant", "tool_calls": CALL}]},
    {"prompt": "退貨期限？", "completion": "七天。"},
]
WINDOW = ["我要退貨，訂單編號是 8812", "好的，請問商品有瑕疵嗎？", "螢幕破了", "已為您安排收件。"]
WINDOW += ["要等多久", "約三個工作天。"]


def numbered(rows):
    return [ft.Example(row, ft.records.Origin("rows", number)) for number, row in enumerate(rows, start=1)]


def known_across(parts):
    held = [*parts.validation, *parts.golden]
    return [(x.data, y.data) for x, y in product(parts.train, held) if ft.relation(x, y).tells_the_answer]


def left_out(data):
    return [(pair.row.row, pair.partner.row) for pair in data.account.left_out]


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.sampled_from([*ROWS, *ODD]), min_size=8, max_size=60),
    share=st.sampled_from([0.1, 0.2, 0.3]),
    seed=st.integers(0, 3),
)
def test_a_split_holds_by_its_own_proof_and_pair_by_pair(rows, share, seed):
    data = ft.Dataset(numbered(rows))
    try:
        parts = data.split(validation=share, golden=share, seed=seed)
    except ValueError:  # so few groups that a part stays empty
        assume(False)
    assert sum(map(len, parts)) == len(rows)
    assert parts.proof().holds
    assert known_across(parts) == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([*ROWS, *ODD]), min_size=1, max_size=60))
def test_what_is_dropped_duplicates_a_kept_row_and_is_named(rows):
    data = ft.Dataset(numbered(rows))
    kept = data.deduplicate(near=True)
    named = {d.origin.row for d in data.validate(near=True).diagnostics if d.code in ("D801", "D802", "D803")}
    pairs = left_out(kept)
    assert {row for row, _ in pairs} <= named
    assert {partner for _, partner in pairs} <= {example.origin.row for example in kept}
    assert all(
        rows[a - 1] == rows[b - 1] or ft.relation(rows[a - 1], rows[b - 1]).kind == "duplicate" for a, b in pairs
    )
    account = kept.account
    assert (account.read, account.kept) == (len(rows), len(kept))
    assert len(pairs) == account.dropped + account.merged == len(rows) - len(kept)


CHAIN = "可以線上繳交也可以到門市"
KEPT_WHOLE = {
    "law articles": [chat(asked, f"本條規定{topic}。") for asked, topic in zip(LAW, TOPICS, strict=True)],
    "opposites": [chat("月租費可以減免嗎？", FEE), chat("月租費不可以減免嗎？", "不可以減免，沒有優惠。")],
    "a chain": [chat(f"月租費{CHAIN[n : n + 6]}嗎？", f"答案是第 {n} 項說明。") for n in range(6)],
    "rows without answers": [asked(f"用 {n}, {n + 3}, {2 * n} 湊出 {7 * n}") for n in range(1, 40)],
    "plain texts": [{"text": f"這一頁談{topic}，與他頁無關。"} for topic in TOPICS],
    "no text": [{"messages": []}, {"messages": [], "id": 1}],
}


@pytest.mark.parametrize("rows", KEPT_WHOLE.values(), ids=list(KEPT_WHOLE))
@pytest.mark.parametrize("near", [True, 0.9])
@pytest.mark.filterwarnings("ignore:near=:FutureWarning")
def test_what_only_looks_alike_is_kept(rows, near):
    data = ft.Dataset(numbered(rows))
    assert len(data.deduplicate(near=near)) == len(rows)
    assert not [d for d in data.validate(near=True).diagnostics if d.code == "D802"]


def test_duplicates_are_named_and_dropped_at_any_size():
    rng = random.Random(4)
    letters = [chr(code) for code in range(0x4E00, 0x5E00)]
    rows = [chat("".join(rng.choices(letters, k=15)), "".join(rng.choices(letters, k=25))) for _ in range(6_000)]
    for place in range(0, 6_000, 60):
        question, answer = (message["content"] for message in rows[place]["messages"])
        rows.append(chat(f"請問{question}呢？", f"{answer}，謝謝您！"))
    data = ft.Dataset(numbered(rows))
    pairs = [(6_001 + n, 60 * n + 1) for n in range(100)]
    assert left_out(data.deduplicate(near=True)) == pairs
    report = data.validate(today=None)
    assert [(d.origin.row, d.related[0].row) for d in report.diagnostics if d.code == "D802"] == pairs
    assert report.count("M003") == 1


def test_a_number_for_near_is_a_yes_with_a_warning():
    data = ft.Dataset(numbered([chat("退貨期限是幾天？", "七天。"), chat("請問退貨期限是幾天呢", "七天。")]))
    with pytest.warns(FutureWarning, match="finetune_lib.relation"):
        assert len(data.deduplicate(near=0.9)) == 1
    with pytest.raises(ValueError, match="near"):
        data.deduplicate(near=0.0)


def test_windows_of_a_dialogue_are_known_wherever_they_stand():
    windows = [chat(*WINDOW[:end]) for end in (2, 4, 6)]
    others = [chat(f"{topic}是什麼意思？", f"{topic}就是這個意思。") for topic in TOPICS]
    parts = ft.Dataset(numbered([*windows, *others])).split(golden=0.2, seed=1)
    assert parts.proof().holds
    by_hand = ft.Split(ft.Dataset(numbered(windows[1:] + others)), ft.Dataset([]), ft.Dataset(numbered(windows[:1])))
    assert [d.args["reason"] for d in by_hand.proof().neighbours] == ["window of the same dialogue"]
    train = by_hand.train
    assert train.validate(golden=by_hand.golden).count("L854") == 2
    clean = train.decontaminate(by_hand.golden)
    assert len(clean) == len(train) - 2
    assert left_out(clean) == [(1, 1), (2, 1)]
    golden = GoldenSet.from_dataset(by_hand.golden)
    assert [found.reason for found in golden.check(train).contaminations] == ["window of the same dialogue"]
    assert not golden.check(clean).contaminations


def test_unrelated_rows_without_answers_are_no_contamination():
    data = ft.Dataset(numbered([asked(f"用 {n} 和 {n + 9} 湊出 {3 * n}") for n in range(1, 30)]))
    held = ft.Dataset(numbered([chat("幾點登機？", "起飛前 40 分鐘。")]))
    assert len(data.decontaminate(held)) == len(data)
    assert ft.Split(data, ft.Dataset([]), held).proof().holds


def test_a_form_that_is_cut_is_counted_and_said():
    rows = [chat(f"{n} 公斤的行李要多少錢？", f"{n} 公斤要 {20 * n} 元。") for n in range(10, 40)]
    parts = ft.Dataset(numbered(rows)).split(validation=0.2)
    proof = parts.proof()
    assert proof.holds
    assert [(d.code, d.args["count"]) for d in proof.findings] == [("L857", len(parts.validation))]


def test_small_forms_stay_on_one_side():
    asks = {"{} 公斤的行李要多少錢？": "{} 公斤算重。", "停車 {} 小時怎麼收費？": "停 {} 小時有優惠。"}
    asks |= {"Is gate {} open today?": "Gate {} is open.", "第 {} 航廈在哪裡": "往第 {} 航廈請搭電車。"}
    asks |= {"{} 人同行有折扣嗎": "滿 {} 人有團體票。"}
    forms = [[chat(asked.format(n), told.format(n)) for n in (5, 8, 9)] for asked, told in asks.items()]
    parts = ft.Dataset(numbered([row for form in forms for row in form])).split(validation=3, seed=3)
    assert {d.code for d in parts.proof().findings} == set()
    train = {json.dumps(example.data) for example in parts.train}
    assert all(len({json.dumps(row) in train for row in form}) == 1 for form in forms)


def test_a_greeting_is_never_known_and_a_form_is_a_note():
    rows = [chat("你好", "您好，請問有什麼可以幫忙？"), chat("12 公斤的行李要多少錢？", "12 公斤要 240 元。")]
    train = ft.Dataset(numbered(rows))
    case = chat("15 公斤的行李要多少錢？", "15 公斤要 300 元。")
    golden = GoldenSet.from_dataset(ft.Dataset(numbered([chat("您好！", "您好，請問有什麼可以幫忙？"), case])))
    check = golden.check(train)
    assert check.contaminations == ()
    assert check.of_one_form == ("2",)
    assert "of one form" in str(check)
    assert [d.code for d in train.validate(golden=golden).diagnostics if d.code.startswith("L85")] == ["L857"]
    assert len(train.decontaminate(golden)) == 2

"""What the signs of a text spare is never a finding: whoever looks at a row whole finds no more than validate does."""

import json
from itertools import product

import pytest

import finetune_lib as ft
from finetune_lib.data.checks import Rules, duplicates, privacy, quality
from finetune_lib.data.checks.form.rows import check_texts
from finetune_lib.records import Example
from finetune_lib.rows.facts import Facts

TEXTS = [
    "How long may I return it?",
    "請問退貨期限是幾天？",
    "请问退货期限是几天？",
    "退貨 请问 幾天 几天",
    "七天內,可以退貨，謝謝。",
    "ＡＢＣ and abc",
    "write to mei.lin@gate-five.com.tw please",
    "手機 0912-345-678",
    "手機０９１２３４５６７８",
    "the key is ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "password: Tr0ub4dor&3x",
    "call [PHONE_1] today",
    "I'm sorry, but I can't help with that.",
    "待補",
    "[insert answer here]",
    "again and again, " * 12,
    "<|im_start|> is a token",
    "a\u200bb",
    "ä½\xa0å¥½ is damaged",
    "x\theta and \nabla",
    "How long may I return it? Seven days.",
]
OF_ONE_ROW = ("E1", "K703", "Q902", "Q903", "Q906", "Q907", "Q909", "Q910", "X9", "D806", "D807")


def whole(row):
    """The codes that each check finds that looks at the whole row."""
    example = Example(row)
    found = [*check_texts(example), *quality.check(example, Rules()), *privacy.check(example, Rules())]
    return sorted({finding.code for finding in [*found, *duplicates.check(Facts(example))]})


@pytest.mark.parametrize("from_file", [True, False])
def test_plain_chats_are_found_as_rows_that_are_looked_at_whole(tmp_path, from_file):
    pairs = [*product(TEXTS, repeat=2)]
    rows = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
        for asked, said in pairs
    ]
    lines = tmp_path / "rows.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    data = ft.Dataset.load(lines) if from_file else ft.Dataset.from_rows(rows)
    told = {number: set() for number in range(1, len(rows) + 1)}
    for finding in data.validate(near=False, tokens=False).diagnostics:
        if finding.code.startswith(OF_ONE_ROW) and finding.origin.row:
            told[finding.origin.row].add(finding.code)
    expected = [whole(row) for row in rows]
    assert [sorted(codes) for codes in told.values()] == expected
    assert len({code for codes in expected for code in codes}) >= 12

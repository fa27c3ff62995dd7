"""Personal data and secrets: what is found, what is passed over, and what redaction leaves."""

import json

import pytest

import finetune_lib as ft
from finetune_lib.data.checks import privacy
from finetune_lib.data.checks.privacy import identifiers
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.redacting import Redaction, redact, redacted
from finetune_lib.records import Example, Origin

KEY = "Zq3vT9bLx7Wm2Kd8Rf5Hn1Yc6Pj4Gs0"


def labels(text):
    return [piece.detector.label for piece in privacy.pieces(text)]


def check(data):
    return list(privacy.check(Example(data, Origin("data", row=1)), Rules()))


def chat(text, **more):
    return {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": text} | more]}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("請寄到 mei.lin@gmail.com。", "EMAIL"),
        ("写信给wang_wei1@163.com吧", "EMAIL"),
        ("手機 0928-617-504", "PHONE"),
        ("+886 928 617 504", "PHONE"),
        ("打 (02)2389-4517 找我", "PHONE"),
        ("手机号13867542093", "PHONE"),
        ("手機 ０９２８－６１７－５０４", "PHONE"),
        ("手機０９２８６１７５０４", "PHONE"),
        ("請寄到 mei.lin＠gmail.com。", "EMAIL"),
        ("身分證Ｆ１３１２３２２１６", "TW_ID"),
        ("打 02 2389 4517 找我", "PHONE"),
        ("住家電話 0223894517", "PHONE"),
        ("電話：037 261 854", "PHONE"),
        ("家里电话 021 6387 4519", "PHONE"),
        ("電話 010 6387 4519", "PHONE"),
        ("手機 928617504", "PHONE"),
        ("928-617-504", "PHONE"),
        ("電話：223894517", "PHONE"),
        ("+86 138 6754 2093", "PHONE"),
        ("香港電話：6713 4852", "PHONE"),
        ("+852 6713 4852", "PHONE"),
        ("Call me at (415) 867-2903.", "PHONE"),
        ("+44 20 7946 8203", "PHONE"),
        ("身分證F131232216", "TW_ID"),
        ("居留證 A830196818", "TW_ID"),
        ("居留證 AD30196818", "TW_ID"),
        ("身份证号：440308199307285216", "CN_ID"),
        ("HKID: G481263(7)", "HK_ID"),
        ("卡號 4539 5787 6362 1486", "CARD"),
        ("4539578763621486", "CARD"),
        ("IBAN NL91 ABNA 0417 1643 00", "IBAN"),
        ("Her SSN is 536-22-8416", "US_SSN"),
        ("統一編號：22099131", "TW_COMPANY"),
        ("護照號碼 318472905", "PASSPORT"),
        (f"OPENAI_API_KEY=sk-proj-{KEY}", "API_KEY"),
        (f"sk-ant-api03-{KEY}", "API_KEY"),
        ("AKIAV7Q2LMZ3XW5TKR6B", "API_KEY"),
        (f"ghp_{KEY}{KEY[:5]}", "API_KEY"),
        (f"AIza{KEY}{KEY[:4]}", "API_KEY"),
        (f"xoxb-{KEY}", "API_KEY"),
        (f"sk_live_{KEY}", "API_KEY"),
        ("api_key: 9f86d081884c7d659a2feaa0c55ad015", "API_KEY"),
        (f"-----BEGIN PRIVATE KEY-----\n{KEY}{KEY}{KEY}\n-----END PRIVATE KEY-----", "PRIVATE_KEY"),
        ("我的密碼是 Tr0ub4dor&3z", "PASSWORD"),
        ("postgres://mei:Tr0ub4dor3z@db.internal/prod", "PASSWORD"),
    ],
)
def test_what_is_personal_or_secret_is_found(text, label):
    assert labels(text) == [label]


@pytest.mark.parametrize(
    "text",
    [
        "someone@example.com, info@gmail.com, service@airport.com, user@domain.com, a@b.c, git@github.com:x/y",
        "@media print; @property; 8 @ 3.50; foo@bar",
        "0900-000-000, (02) 1234-5678",
        "客服專線 (02)2389-4517 轉 9",
        "415-555-0132, 1-800-867-2903",
        "免付費 0800-231-745，或打 0809 231 745",
        "請打 0800231745、+886 800 231 745、400-820-8821",
        "訂單 0223894517，金額 900000000，編號 928617504 已出貨",
        "912000000",
        "F131232217, B12345678",
        "440308199313285216 440308199307285217",
        "4539578763621487, 1234567812345670",
        "order 22099131, 318472905, 536-22-8416, 6713 4852",
        "2024-01-15 10:30, 20240115, 3.14159265358979, 192.168.100.200, 1,234,567,890",
        "1 2 3 4 5 6 7 8 9 10, 10 20 30 40 50 60, 12345678901234567890",
        "ISBN 978-3-16-148410-0, 1609459200000, 550e8400-e29b-41d4-a716-446655440000",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, YOUR_API_KEY, sk-..., sk-your-key-here-0123456789abcdef",
        "AKIAIOSFODNN7EXAMPLE, task-oriented-dialogue-systems-2024-workshop, ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "password = input('Password 1: '), password: ********, password: os.environ['PW1'], 密碼是什麼？",
        "postgres://user:password1@localhost/db",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ4539578763621486",
    ],
)
def test_what_only_looks_like_it_is_passed_over(text):
    assert labels(text) == []


@pytest.mark.parametrize(
    ("right", "wrong", "holds"),
    [
        ("A123456789", "A123456788", identifiers.taiwan_id),
        ("A830196818", "A830196819", identifiers.taiwan_id),
        ("AD30196818", "AD30196819", identifiers.taiwan_old_permit),
        ("04595257", "04595258", identifiers.taiwan_company),
        ("10458574", "10458573", identifiers.taiwan_company),
        ("11010519491231002X", "110105194912310021", identifiers.china_id),
        ("G123456A", "G1234561", identifiers.hong_kong_id),
        ("AB9876543", "AB9876544", identifiers.hong_kong_id),
        ("4539578763621486", "4539578763621468", identifiers.payment_card),
        ("GB82WEST12345698765432", "GB82WEST12345698765423", identifiers.iban),
        ("536228416", "666228416", identifiers.us_social_security),
    ],
)
def test_check_digits(right, wrong, holds):
    assert holds(right)
    assert not holds(wrong)


def test_one_finding_a_text_and_kind_with_its_count_and_without_the_value():
    text = "mei.lin@gmail.com, chen.an@gmail.com, 0928-617-504"
    first, second = check(chat(text))
    assert (first.code, first.severity, first.path) == ("X951", "warning", "/messages/1/content")
    assert (first.args["count"], second.args["count"]) == (2, 1)
    for finding in (first, second):
        for value in ("mei.lin", "chen.an", "617-504"):
            assert value not in str(finding.to_dict()) + finding.quote.text
        assert finding.quote.text[finding.quote.start] in text


def test_a_secret_is_an_error_and_a_password_a_warning():
    assert [(d.code, d.severity) for d in check(chat(f"use sk-proj-{KEY}"))] == [("X952", "error")]
    assert [(d.code, d.severity) for d in check(chat("password: Tr0ub4dor&3z"))] == [("X952", "warning")]


def test_every_text_that_is_uploaded_is_looked_at():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"to": "mei.lin@gmail.com"}'}}
    data = chat(None, tool_calls=[call]) | {
        "reference": {"a/b": ["0928-617-504"]},
        "tools": [{"x": "mei.lin@gmail.com"}],
    }
    assert [d.path for d in check(data)] == ["/messages/1/tool_calls/0/function/arguments", "/reference/a~1b/0"]


@pytest.mark.parametrize(
    "data", [{}, {"messages": None}, {"messages": [None, 5, []]}, {"prompt": 5, "x": {"y": [[None]]}}]
)
def test_a_malformed_row_is_passed_over(data):
    assert check(data) == []
    assert redacted(Example(data)).data == data


def test_redaction_names_what_it_replaced():
    text, counts = redact("寄到 mei.lin@gmail.com 或 0928-617-504")
    assert text == "寄到 [EMAIL] 或 [PHONE]"
    assert counts == {"EMAIL": 1, "PHONE": 1}
    assert [d.code for d in check(chat(text))] == ["X953"]


def test_numbers_tell_equal_values_from_others():
    text = "a.lin@gmail.com b.lin@gmail.com a.lin@gmail.com"
    assert redact(text, numbered=True)[0] == "[EMAIL_1] [EMAIL_2] [EMAIL_1]"


def test_a_redacted_example_has_no_finding_but_that():
    data = chat(f"key sk-proj-{KEY}, mei.lin@gmail.com") | {"tools": [{"type": "function"}]}
    example = Example(data, Origin("data", row=1), category="keys")
    changed = redacted(example)
    assert {d.code for d in privacy.check(changed, Rules())} == {"X953"}
    assert (changed.origin, changed.category, changed.data["tools"]) == (example.origin, "keys", data["tools"])
    assert example.data == data
    assert KEY in json.dumps(data)


def test_an_example_without_any_is_the_same_object():
    example = Example(chat("Gate 5."))
    assert redacted(example) is example


@pytest.mark.parametrize("arguments", ['{"phone": 13867542093, "note": "请回电"}', '{"to":"mei.lin@gmail.com"}'])
def test_arguments_of_a_call_stay_json(arguments):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    changed = redacted(Example(chat(None, tool_calls=[call])))
    written = changed.data["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert set(json.loads(written).values()) & {"[PHONE]", "[EMAIL]"}


def test_the_counts_of_many_examples_add_up():
    redaction = Redaction()
    for _ in range(3):
        redaction.example(Example(chat("mei.lin@gmail.com")))
    assert redaction.counts == {"EMAIL": 3}


def test_a_dataset_with_a_secret_does_not_pass():
    rows = [chat(f"answer {n}") for n in range(9)] + [chat(f"sk-proj-{KEY}")]
    assert [d.code for d in ft.Dataset.from_rows(rows).validate().errors] == ["X952"]


def test_a_full_width_address_is_masked_and_redacted_in_its_place():
    (finding,) = check(chat("請寄到 mei.lin＠gmail.com。"))
    assert finding.args["masked"] == "m******@g********"
    assert "mei" not in finding.quote.text
    assert redact("寄到 mei.lin＠gmail.com，電話０９２８６１７５０４")[0] == "寄到 [EMAIL]，電話[PHONE]"

"""The encoding of bytes: decided by evidence, left open where there is too little, never guessed in silence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.data.reading.bytes.encodings import (
    codec,
    contrasted,
    detect,
    is_foreign,
    likeliest,
    preview,
    undecodable,
)
from finetune_lib.records import Origin

HANT = ["退貨期限是幾天？", "商品到貨後七天內可以退貨。", "登機門在哪裡？", "請到二樓的服務櫃檯。"]
HANS = ["退货期限是几天？", "商品到货后七天内可以退货。", "登机口在哪里？", "请到二楼的服务台。"]
PLACE = Origin("data.jsonl", line=3)


def row(question, answer):
    return json.dumps({"prompt": question, "completion": answer}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("cp950", HANT),
        ("gb18030", HANS),
        ("gb18030", HANT),
        ("cp950", ["退貨", "七天"]),
        ("gb18030", ["退货", "七天"]),
        ("big5hkscs", ["你喺邊度呀？", "我喺屋企，食咗飯。"]),
        ("cp932", ["駅はどこですか", "まっすぐ行ってください。"]),
        ("cp932", ["コーヒー", "ラーメン"]),
        ("euc_jp", ["駅はどこですか", "まっすぐ行ってください。"]),
        ("cp949", ["역이 어디에 있습니까?", "똑바로 가세요."]),
        ("cp1252", ["Où est la gare ?", "Là-bas, à gauche."]),
        ("cp1252", ["Wo ist die Straße?", "Über die Brücke."]),
        ("cp1252", ["Don’t you think it’s “fine”?", "Yes – it is…"]),
        ("cp1252", ["a café", "x"]),
        ("cp1252", ["How warm?", "30°C"]),
        ("cp1252", ["ÉTÉ À LA MER", "DÉJÀ VU"]),
        ("utf-16-le", HANT),
        ("utf-16-be", ["a", "b"]),
        ("utf-32-le", ["a", "b"]),
    ],
)
def test_one_row_is_enough_where_it_is_clear(encoding, texts):
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    raw = "\n".join(row(*pair) for pair in pairs).encode(encoding)
    assert detect(raw).encoding == encoding


@pytest.mark.parametrize(("encoding", "word"), [("gb18030", "退货"), ("cp950", "退貨")])
def test_a_single_word_in_much_english_is_not_taken_for_latin(encoding, word):
    english = [row(f"Where is gate {number}?", "Please follow the yellow signs to the left.") for number in range(200)]
    raw = "\n".join([*english, row(f"What does {word} mean?", "It means to return goods.")]).encode(encoding)
    assert detect(raw).encoding == encoding


def test_utf8_is_never_doubted():
    for text in [*HANT, "Привет, мир", "Γειά σου", "naïve", "日本語", "🙂"]:
        assert detect(text.encode()).encoding == "utf-8"


def test_a_nul_does_not_make_utf16():
    assert detect(b"123\0").encoding == "utf-8"
    assert detect(row("a\0b", "c").encode()).encoding == "utf-8"


def test_what_fits_two_encodings_is_left_open_with_both_readings():
    raw = b'{"prompt": "\xc0\xaf"}'
    found = detect(raw)
    assert found.encoding is None
    shown, choices = contrasted(found.rivals, raw)
    for encoding in ("cp950", "gb18030"):
        assert f"「{raw.decode(encoding)[12]}」" in shown
        assert f'encoding="{encoding}"' in choices


def test_the_readings_are_shown_where_they_differ():
    raw = b'{"a": "' + "，".encode("gb18030") + b'", "prompt": "\xc0\xaf"}'
    rivals = detect(b'{"prompt": "\xc0\xaf"}').rivals
    assert len({piece.split()[-1] for piece in contrasted(rivals, raw)[0].split(" / ")}) == len(rivals)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Где вокзал? Вокзал находится слева от вас."),
        ("cp1253", "Πού είναι ο σταθμός; Αριστερά σας."),
        ("cp1250", "Proszę iść prosto, później w lewo. Źródło światła."),
    ],
)
def test_an_encoding_that_is_not_known_is_not_guessed(encoding, text):
    assert detect(row("?", text).encode(encoding)).encoding is None


def test_a_stray_byte_leaves_the_file_utf8():
    for raw in (b'["\xff"]', row(*HANT[:2]).encode() + b"\xff", "退貨".encode() + b"\x80abc"):
        assert detect(raw).encoding == "utf-8"


def test_the_majority_of_mixed_lines_decides():
    big5, utf8 = (row(*HANT[:2]), row(*HANT[2:])), (row(HANT[0], HANT[2]), row(HANT[1], HANT[3]))
    more_big5 = [*(line.encode("cp950") for line in big5), utf8[0].encode()]
    more_utf8 = [*(line.encode() for line in utf8), big5[0].encode("cp950")]
    assert detect(b"\n".join(more_big5)).encoding == "cp950"
    assert detect(b"\n".join(more_utf8)).encoding == "utf-8"


def test_valid_utf8_by_chance_does_not_decide():
    lines = [row(*HANS[:2]).encode("gb18030"), "联通".encode("gb18030"), row(*HANS[2:]).encode("gb18030")]
    assert detect(b"\n".join(lines)).encoding == "gb18030"


def test_lines_of_another_encoding_are_seen():
    big5, gbk = row(*HANT[:2]).encode("cp950"), row(*HANS[:2]).encode("gb18030")
    assert (likeliest(big5), likeliest(gbk), likeliest(row(*HANT[:2]).encode())) == ("cp950", "gb18030", "utf-8")
    assert is_foreign(gbk, gbk.decode("cp950", "replace"), "cp950")
    assert not is_foreign(big5, big5.decode("cp950"), "cp950")


@pytest.mark.parametrize(
    ("name", "found"),
    [("big5", "cp950"), ("GBK", "gb18030"), ("gb2312", "gb18030"), ("Shift-JIS", "cp932"), ("UTF8", "utf-8")],
)
def test_old_names_mean_the_wider_tables(name, found):
    assert codec(name) == found


@pytest.mark.parametrize("name", ["base64", "rot13", "klingon"])
def test_what_is_no_text_encoding_is_refused(name):
    with pytest.raises(LookupError):
        codec(name)


def test_a_bad_line_says_where_and_what_it_would_read():
    raw = ("登" + '"x"').encode() + "退貨期限".encode("cp950") + b"\n"
    found = undecodable(raw, PLACE)
    assert (found.code, found.origin, found.args["column"]) == ("E114", PLACE, 5)
    assert found.args["byte"] == raw[6]
    assert "�" in found.quote.text
    clear = undecodable(row(*HANT[:2]).encode("cp950"), PLACE)
    assert clear.args["readings"] == f"cp950 (Big5) 「{HANT[0]}」"


def test_a_bad_line_that_fits_nothing_is_shown_with_its_gap():
    assert undecodable(b'{"a": "b\xffc"}', PLACE).args["readings"] == "UTF-8 「b�c」"


def test_half_of_a_character_is_named():
    assert undecodable(b'["\xed\xa0\xbd"]', PLACE).args == {"character": "\\ud83d"}
    assert undecodable("退貨".encode()[:-1], PLACE).code == "E112"
    assert undecodable("退貨".encode()[:-1] + b"\n", PLACE).code == "E114"


def test_previews_stay_inside_their_quotes():
    assert preview('{"prompt": "a 退貨？", "completion": "七天"}') == "a 退貨？"
    assert preview("plain") == "plain"


@given(st.binary(max_size=300))
def test_no_bytes_crash(raw):
    found = detect(raw)
    assert found.encoding is None or codec(found.encoding) == found.encoding
    try:
        raw.decode()
    except UnicodeDecodeError:
        assert undecodable(raw, PLACE).message


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50))
def test_valid_utf8_is_read_as_it_is(text):
    assert detect(text.encode()).encoding == "utf-8"

"""Plain chats read many at once: the same report, to the byte, as line by line, whatever stands between them."""

import json
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import finetune_lib as ft
from finetune_lib.data.checks import Rules, examination, parts
from finetune_lib.data.reading.bytes.blob import MemoryBlob
from finetune_lib.data.reading.json import fast as fast_json
from finetune_lib.data.reading.json import lines as records_of_lines
from finetune_lib.data.reading.json import plain_rows
from finetune_lib.data.reading.json import strict as strict_json
from finetune_lib.data.reading.json.line_store import LineStore
from finetune_lib.data.reading.json.lines import stretches
from finetune_lib.data.reading.json.plain_rows import PlainRows
from finetune_lib.data.reading.meaning import Meaning

msgspec = pytest.importorskip("msgspec", reason="the fast extra is optional; without it there is one way only")

UNHURRIED = settings(deadline=None, max_examples=150)
AWKWARD = 'a“"\\/{}[]:, \t\r\n\u3000\u200b\u00ad\ufeff\ufffdé價😀\x00\x7f'
TEXTS = st.one_of(
    st.sampled_from(
        ["q", "a", "role", "content", "messages", "<|im_start|>", "<|", "|", " ", "", "Ã©", '"role"', "]}"]
    ),
    st.text(alphabet=st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")), max_size=8),
)


def message(role, content):
    return {"role": role, "content": content}


@st.composite
def chats(draw):
    """A plain chat, but for texts that say nothing."""
    opening = [message("system", draw(TEXTS))] if draw(st.booleans()) else []
    turns = [message(role, draw(TEXTS)) for _ in range(draw(st.integers(1, 2))) for role in ("user", "assistant")]
    return {"messages": opening + turns}


STYLES = st.sampled_from([{}, {"ensure_ascii": False}, {"ensure_ascii": False, "separators": (",", ":")}])
GOOD = st.builds(lambda row, style: json.dumps(row, **style), chats(), STYLES)
PLAIN = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
BROKEN = [
    PLAIN[:-1] + ', "messages": []}',
    PLAIN[:-1] + ', "messages": [{"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]}',
    PLAIN[:-1] + ', "m\\u0065ssages": []}',
    PLAIN.replace('"role": "user"', '"role": "user", "role": "user"'),
    PLAIN.replace('"content": "a"', '"content": "b", "content": "a"'),
    PLAIN.replace('"content": "a"', '"content": "\\"", "content": "a"'),
    PLAIN.replace('"content": "a"', '"content": "\\\\", "content": "a"'),
    PLAIN.replace('"role": "user"', '"r\\u006fle": "user"'),
    PLAIN.replace('"a"', "null"),
    PLAIN.replace('"a"', '""'),
    PLAIN.replace('"a"', '"\\u3000 "'),
    PLAIN.replace('"a"', '"\\ud83d"'),
    PLAIN.replace('"a"', '"\\udc00 \\ud83d\\ude00"'),
    PLAIN.replace('"a"', '"\\u0000"'),
    PLAIN.replace('"a"', '"\\u200b"'),
    PLAIN.replace('"a"', '"a\tb"'),
    PLAIN.replace('"a"', "NaN"),
    PLAIN.replace('"a"', "1e999"),
    PLAIN.replace('"a"', '["a"]'),
    PLAIN.replace('"a"', '"a", "weight": 0'),
    PLAIN.replace('"a"', '"a", "weight": ' + "9" * 5000),
    PLAIN.replace('"a"', '"a", "name": "x"'),
    PLAIN.replace("assistant", "Assistant"),
    PLAIN.replace("assistant", "system"),
    PLAIN.replace("user", "developer"),
    PLAIN.replace("user", "assistant"),
    PLAIN[:-1] + ', "tools": []}',
    PLAIN[:-1] + ', "_ftl": {"ignore": ["S3"]}}',
    PLAIN[:-1] + ', "x": ' + "[" * 600 + "]" * 600 + "}",
    '{"messages": []}',
    '{"messages": [{"role": "user", "content": "q"}]}',
    '{"prompt": "q", "completion": "a"}',
    "[]", "null", "{}", "", " ", "{broken", PLAIN + PLAIN, f"{PLAIN} {PLAIN}", PLAIN + ",", f" {PLAIN} ", PLAIN + "\v",
    PLAIN[:30], PLAIN[30:], PLAIN.replace("[", "[\n"), PLAIN.replace("}, {", "}\n, {"), PLAIN.replace("]}", "]\r}"),
    "\ufeff" + PLAIN,
]  # fmt: skip
LINES = st.lists(st.one_of(GOOD, GOOD, GOOD, st.just(PLAIN), st.sampled_from(BROKEN)), max_size=14)
BYTES = st.sampled_from([b"", b"\xff", b"\xed\xa0\x80", b"\x00"])


@st.composite
def files(draw):
    """Bytes of JSONL, sound and broken."""
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    lines = [line.encode("utf-8", "surrogatepass") for line in draw(LINES)]
    if lines and draw(st.integers(0, 9)) == 0:
        lines[-1] = lines[-1].replace(b'"q"', b'"q' + draw(BYTES) + b'"')
    return end.encode().join(lines) + (end.encode() if draw(st.booleans()) else b"")


def by_lines(stack):
    stack.enter_context(patch.object(plain_rows, "DECODE", None))


def without_msgspec(stack):
    by_lines(stack)
    with patch.object(fast_json, "find_spec", lambda name: None):
        decode, refusals = fast_json.decoder()
        assert fast_json.chats_decoder()[0] is None
    stack.enter_context(patch.multiple(strict_json, DECODE=decode, REFUSALS=refusals))


def everything_about(content, piece, part, options, *ways):
    """What can be seen of a file: its report, its index, its examples, and what counting and copies gave."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(records_of_lines, "PIECE", piece))
        stack.enter_context(patch.object(parts, "PART_BYTES", part))
        limit = property(lambda rules: 9 if rules.model else 10**9)
        stack.enter_context(patch.object(Rules, "training_limit", limit))
        stack.enter_context(patch.object(examination, "NAMED", 3))
        for way in ways:
            way(stack)
        store = LineStore(MemoryBlob(content), source="x.jsonl", interpret=Meaning())
        untouched = LineStore(MemoryBlob(content), source="x.jsonl", interpret=Meaning())
        report = ft.Dataset(store, name="x.jsonl").validate(**options)
        index, scanned = positions(store._index), positions(untouched._scan_to(None))
        rows = [(untouched[place].origin, untouched[place].data) for place in range(len(untouched))]
        return report.to_json(), report, index, scanned, rows, untouched.findings


def positions(index):
    return [(offset, *index.place_of(place)) for place, offset in enumerate(index.offsets)]


OPTIONS = st.fixed_dictionaries(
    {
        "content": st.just(False),
        "tokens": st.booleans(),
        "duplicates": st.booleans(),
        "model": st.sampled_from([None, None, "gpt-4.1-mini-2025-04-14", "unheard-of"]),
        "method": st.sampled_from(["supervised", "supervised", "supervised", "dpo"]),
        "ignore": st.sampled_from([(), ("K7", "D801")]),
    }
)
PIECES, PARTS = st.sampled_from([1, 60, 200, 1 << 18]), st.sampled_from([1, 300, 8 << 20])
FORMAT = {"content": False, "tokens": False, "duplicates": False}


@UNHURRIED
@given(files(), PIECES, PARTS, OPTIONS)
@example(f"{PLAIN} {PLAIN}\n\n".encode(), 1 << 18, 8 << 20, FORMAT)
@example("".join(f"{PLAIN}{end}" for end in ("\n", " \n", "\r\n", "\t\r\n")).encode(), 1 << 18, 8 << 20, FORMAT)
@example(f"{PLAIN}\n".encode() * 5, 1 << 18, 8 << 20, {"content": False, "model": "gpt-4.1"})
def test_many_at_once_are_reported_as_one_by_one(content, piece, part, options):
    together = everything_about(content, piece, part, options)
    assert together == everything_about(content, piece, part, options, by_lines)
    assert together == everything_about(content, 1 << 20, part, options, without_msgspec)


@pytest.mark.parametrize("line", BROKEN)
def test_every_sort_of_broken_line_between_good_ones(line):
    content = "".join(f"{row}\n" for row in (PLAIN, line, PLAIN)).encode()
    for options in (FORMAT, {"content": False}):
        together = everything_about(content, 1 << 18, 8 << 20, options)
        assert together == everything_about(content, 1 << 18, 8 << 20, options, by_lines, without_msgspec)


@pytest.mark.parametrize("piece", [1, 200, 1 << 18])
def test_the_first_plain_chats_are_named_where_they_are_few(piece):
    content = f"{PLAIN}\n".encode() * 4 + b'{"prompt": "q", "completion": "a"}\n' * 9
    options = {**FORMAT, "target": "together"}
    together = everything_about(content, piece, 8 << 20, options)
    assert sum(found.code == "S301" for found in together[1].diagnostics) == 3
    assert together == everything_about(content, piece, 8 << 20, options, by_lines)


def taken(text):
    found = stretches(MemoryBlob(text.encode()), source="x", harmless=lambda texts: not set("\0\u200b") & set(texts))
    return [len(item.chats) for item in found if isinstance(item, PlainRows)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_good_lines_are_taken_together(end):
    rows = [PLAIN, PLAIN.replace('"a"', '"\\"\\\\"'), PLAIN.replace('"a"', '"\\u50f9 <| "'), f" {PLAIN}"]
    assert taken(end.join(rows) + end) == [4]
    assert taken(end.join(rows)) == [4]


PASSING = (PLAIN.replace('"role": "user"', '"r\\u006fle": "user"'), PLAIN.replace("]}", "]\r}"))


@pytest.mark.parametrize("line", [line for line in BROKEN if line not in PASSING])
def test_a_piece_with_a_broken_line_is_not(line):
    assert taken(f"{PLAIN}\n{line}\n{PLAIN}\n") == []

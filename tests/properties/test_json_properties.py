"""Strict parsing, causes and repairs on rows and damages that nobody thought of."""

import importlib.util
import json

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from finetune_lib.data.fixing import parted, repair, same_content
from finetune_lib.data.reading.json import fast as fast_json
from finetune_lib.data.reading.json import strict as strict_json
from finetune_lib.data.reading.json.causes import causes, join
from finetune_lib.data.reading.json.document import read_document
from finetune_lib.data.reading.json.scanning import Fault, scan
from finetune_lib.data.reading.json.shape import shape_of
from finetune_lib.data.reading.json.strict import parse, parse_line
from finetune_lib.records import Example, Origin

UNHURRIED = settings(deadline=None)
HERE = Origin("data.jsonl", line=1)
AWKWARD = "\"'“”‘’\\/{}[],:：，\n\r\t NaN1e9-.#\u3000\ufeff\x00\x7f價元aé😀u"
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")), max_size=12)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS}), max_size=3
)
ROWS = st.one_of(st.fixed_dictionaries({"messages": MESSAGES}), st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3))
STYLES = st.sampled_from([{}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": 1}])


@st.composite
def edited(draw):
    """A row's JSON with a few characters deleted, put in, or replaced."""
    text = json.dumps(draw(ROWS), **draw(STYLES))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", *AWKWARD])) + text[at + draw(st.integers(0, 2)) :]
    return text


def by_python(text):
    """Whether Python's own reader takes a text, its extensions aside."""

    def refuse(_):
        raise ValueError

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return not text.startswith("\ufeff")


@UNHURRIED
@given(st.one_of(edited(), TEXTS, ROWS.map(json.dumps)))
@example('{"a": "\\ud800"}')
@example("[1E+2]")
def test_the_grammar_is_pythons(text):
    stop = scan(text)
    assert by_python(text) == (stop is None or (isinstance(stop, Fault) and stop.code in {"J214", "J215", "J232"}))


@UNHURRIED
@given(st.one_of(edited(), ROWS.map(json.dumps)))
def test_every_refusal_has_a_cause_in_the_text(text):
    value, problem = parse(text, HERE)
    if problem is not None and problem.code != "J212":
        assert 1 <= problem.args["column"] <= len(text) + 1
        assert problem.quote is not None
        assert problem.texts("en").message
    elif problem is None:
        assert scan(text) is None
        assert value == json.loads(text)


@UNHURRIED
@given(st.one_of(edited(), ROWS.map(json.dumps), VALUES.map(json.dumps)))
@example('{"a\\\\":1,"a\\\\":2}')
@example('{"a" :1,"a":":"}')
@example('{"a":"\\u0022","a":1}')
@example('{"a":1e400}')
@example("-0")
@pytest.mark.parametrize("absent", [None, "msgspec"])
def test_the_fast_parser_never_differs(absent, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_json, "find_spec", lambda name: None if name == absent else importlib.util.find_spec(name))
        decode, refusals = fast_json.decoder()
        patch.setattr(strict_json, "DECODE", decode)
        patch.setattr(strict_json, "REFUSALS", refusals)
        try:
            fast = parse_line(text.encode())
        except ValueError:
            return
    value, problem = parse(text, HERE)
    assert problem is None
    assert json.dumps(fast) == json.dumps(value)


@UNHURRIED
@given(ROWS, STYLES)
def test_the_fast_parser_takes_what_python_writes(row, style):
    text = json.dumps(row, **style)
    assume(max(text) < "\ud800")
    assert parse_line(text.encode()) == row


def plain(row):
    """Whether a row's texts have none of the signs that the damage itself puts in."""
    return not set("“”‘’，：\\\"'\n\r\t\ufeff\x00") & set(json.dumps(row, ensure_ascii=False)[1:-1].replace('"', ""))


def lines_broken(row):
    return json.dumps(row, ensure_ascii=False).replace("\\n", "\n")


def curly(row):
    quotes = iter("“”" * 1000)
    return "".join(next(quotes) if c == '"' else c for c in json.dumps(row, ensure_ascii=False))


def wide(row):
    return json.dumps(row, ensure_ascii=False, separators=("，", "："))


DAMAGES = {
    "printed by Python": repr,
    "comma behind": lambda row: json.dumps(row) + ",",
    "trailing comma": lambda row: json.dumps(row)[:-1] + ",}",
    "trailing comma inside": lambda row: json.dumps(row)[:-2] + ",]}",
    "encoded twice": lambda row: json.dumps(json.dumps(row)),
    "escaped": lambda row: json.dumps(json.dumps(row))[1:-1],
    "as a cell": lambda row: '"' + json.dumps(row).replace('"', '""') + '"',
    "a mark before": lambda row: "\ufeff" + json.dumps(row),
    "lines broken": lines_broken,
    "raw tabs": lambda row: json.dumps(row, ensure_ascii=False).replace("\\t", "\t"),
    "backslashes alone": lambda row: json.dumps(row, ensure_ascii=False).replace("\\\\", "\\"),
    "quotes alone": lambda row: json.dumps(row, ensure_ascii=False).replace('\\"', '"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
@UNHURRIED
@given(st.fixed_dictionaries({"messages": MESSAGES}))
@example({"messages": [{"role": "user", "content": 'C:\\new "x"\n'}]})
@example({"messages": [{"role": "user", "content": "C:\\Users"}]})
@example({"messages": [{"role": "user", "content": '",}'}]})
def test_a_damaged_row_comes_back_or_stays_broken(damage, row):
    text = DAMAGES[damage](row)
    mended = repair(text)
    if mended is not None and mended.kind == "safe":
        assert mended.value == row
        assert parse(mended.text, HERE) == (row, None)


@pytest.mark.parametrize("damage", [curly, wide])
@UNHURRIED
@given(st.fixed_dictionaries({"messages": MESSAGES}))
def test_typed_with_other_keys_it_comes_back(damage, row):
    assume(plain(row["messages"]))
    mended = repair(damage(row))
    assert mended is None or mended.value == row


@UNHURRIED
@given(edited())
def test_a_safe_repair_keeps_every_text(text):
    mended = repair(text)
    if mended is not None:
        assert scan(mended.text) is None
        assert "\n" not in mended.text
        assert mended.kind == "unsafe" or mended.codes == ("J216",) or same_content(text, mended.text)


@UNHURRIED
@given(ROWS, STYLES, st.data())
def test_what_is_cut_off_is_never_repaired(row, style, data):
    text = json.dumps(row, **style)
    assert repair(text[: data.draw(st.integers(0, len(text) - 1))]) is None


@UNHURRIED
@given(TEXTS, TEXTS)
def test_other_texts_are_other_content(one, other):
    before, after = (json.dumps({"content": text}, ensure_ascii=False) for text in (one, other))
    assert same_content(before, after) == (one == other)


@UNHURRIED
@given(st.lists(st.fixed_dictionaries({"messages": MESSAGES}), min_size=1, max_size=4))
def test_objects_on_one_line_are_parted(rows):
    assert list(parted("".join(map(json.dumps, rows)))) == rows


@UNHURRIED
@given(TEXTS, TEXTS, st.lists(ROWS.map(json.dumps), max_size=3))
def test_broken_lines_are_joined_and_no_other(before, behind, others):
    row = {"messages": [{"role": "user", "content": f"{before}\n{behind}".replace("\r", "")}]}
    lines = lines_broken(row).split("\n")
    joined = join([*lines, *others])
    assert joined == (row, len(lines)) or (joined is None and "\\" in str(row))
    found = causes([*lines, *others], HERE)
    assert [d.origin.line for d in found] == list(range(1, len(lines) + 1 if joined else 2))
    assert joined is None or {d.code for d in found} == {"J208"}


LAYOUTS = {
    "one line": lambda texts: "[" + ", ".join(texts) + "]",
    "lines": lambda texts: "[\n" + ",\n".join(texts) + "\n]",
    "wrapped": lambda texts: '{"version": 1, "data": [\n' + ",\n".join(texts) + "\n]}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "broken",
    ['{"messages": [}', '{"messages": ["x}', "{'messages': []}", '{"messages": [] "a": 1}', '{"messages": NaN}'],
)
@UNHURRIED
@given(st.lists(st.fixed_dictionaries({"messages": MESSAGES}), min_size=2, max_size=5), st.data())
def test_one_broken_element_hides_no_other(layout, broken, rows, data):
    at = data.draw(st.integers(0, len(rows) - 2))
    texts = [json.dumps(row) for row in rows]
    texts[at] = broken
    text = LAYOUTS[layout](texts)
    found = list(read_document(text, source="data.json"))
    read = [item.data for item in found if isinstance(item, Example)]
    assert read == rows[:at] + rows[at + 1 :]
    lines = [item.origin.line for item in found if not isinstance(item, Example) and item.severity == "error"]
    assert lines == [1 if layout == "one line" else at + 2]


@UNHURRIED
@given(
    st.lists(st.fixed_dictionaries({"messages": MESSAGES}), min_size=1, max_size=4), st.sampled_from([None, 1, "\t"])
)
def test_a_list_gives_its_rows_with_their_lines(rows, indent):
    text = json.dumps(rows, indent=indent, ensure_ascii=False)
    assert shape_of(text, whole=True) == "array"
    found = [item for item in read_document(text, source="data.json") if isinstance(item, Example)]
    assert [item.data for item in found] == rows
    starts = [number for number, line in enumerate(text.split("\n"), 1) if line in {"\t{", " {"}]
    assert [item.origin.line for item in found] == (starts if indent else [1] * len(rows))


@UNHURRIED
@given(st.lists(st.fixed_dictionaries({"messages": MESSAGES}), min_size=2, max_size=4), st.sampled_from([1, 4]))
def test_objects_back_to_back_give_their_rows(rows, indent):
    text = "\n".join(json.dumps(row, indent=indent) for row in rows)
    assert shape_of(text, whole=True) == "objects"
    found = list(read_document(text, source="data.json"))
    assert [item.data for item in found if isinstance(item, Example)] == rows
    assert [item.code for item in found if not isinstance(item, Example)] == ["J210"]


@UNHURRIED
@given(st.one_of(edited(), TEXTS))
def test_no_document_crashes(text):
    assert shape_of(text, whole=True)
    for item in read_document(text, source="data.json"):
        assert isinstance(item, Example) or item.texts("en").message

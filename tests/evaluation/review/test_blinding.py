"""What the page may know of the candidates: nothing; and how evenly their sides are laid out."""

import json
import stat
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_lib.evaluation.review import Beside, write_review
from finetune_lib.evaluation.review.blinding import LAYOUTS, conceal
from finetune_lib.evaluation.review.items import BROKEN, SOUND
from finetune_lib.evaluation.review.keys import key_of, load_key, secret_of

SECRET = b"s" * 32


def items(number: int, pairs=(("tuned", "base"),)) -> list[Beside]:
    return [Beside(str(n), f"q{n}", {pair[0]: f"a{n}", pair[1]: f"b{n}"}) for n in range(number) for pair in pairs]


def hidden(number: int, *, pairs=(("tuned", "base"),), secret=SECRET, share=0.07, attention=0, seed=0):
    given = items(number, pairs)
    return conceal(given, secret=secret, seed=seed, repeat_share=share, attention=attention)


def lefts(blind, layout) -> list[str]:
    """The candidate on the left of each item."""
    return [one.slots[int(side)] for one, side in zip(blind.hidden, layout.sides, strict=True)]


@given(st.integers(1, 90), st.integers(0, 5), st.binary(min_size=1))
def test_both_candidates_are_on_the_left_equally_often_in_all_and_in_the_core(number, seed, secret):
    blind = hidden(number, seed=seed, secret=secret)
    assert len(blind.layouts) == LAYOUTS
    for layout in blind.layouts:
        left = lefts(blind, layout)
        for part in (left, left[: blind.core], left[blind.core :]):
            assert abs(part.count("tuned") - part.count("base")) <= 1


@given(st.integers(1, 30))
def test_sides_are_even_for_each_pair_of_several(number):
    blind = hidden(number, pairs=(("a", "b"), ("a", "c"), ("b", "c")))
    for layout in blind.layouts:
        by_pair = Counter(
            (one.item.candidates, left) for one, left in zip(blind.hidden, lefts(blind, layout), strict=True)
        )
        for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
            assert abs(by_pair[(one, other), one] - by_pair[(one, other), other]) <= 1


@given(st.integers(10, 120), st.floats(0.05, 0.1))
def test_repeats_are_of_the_core_and_keep_the_balance(number, share):
    blind = hidden(number, share=share)
    for layout in blind.layouts:
        assert len(layout.repeats) == round(share * number)
        assert all(place < blind.core for place in layout.repeats)
        again = [lefts(blind, layout)[place] for place in layout.repeats]
        assert abs(again.count("tuned") - again.count("base")) <= 1


def test_a_few_items_are_not_repeated():
    assert all(not layout.repeats for layout in hidden(9, share=0.25).layouts)


def test_slots_follow_from_the_secret_and_are_mixed():
    one, same, other = (hidden(60, secret=secret) for secret in (SECRET, SECRET, b"x" * 32))
    assert one == same
    assert one.name != other.name
    assert 15 < sum(each.slots[0] == "tuned" for each in one.hidden) < 45
    assert [each.slots for each in one.hidden] != [each.slots for each in other.hidden]
    assert {each.id for each in one.hidden}.isdisjoint(each.id for each in other.hidden)


def test_the_set_is_another_one_when_a_text_a_name_or_the_seed_changes():
    first = hidden(5).name
    assert hidden(5, seed=1).name != first
    assert hidden(5, pairs=(("tuned", "old"),)).name != first
    assert hidden(6).name != first
    assert hidden(5, attention=1).name != first
    backwards = conceal(items(5)[::-1], secret=SECRET, seed=0, repeat_share=0.07, attention=0)
    assert backwards.name == first


def test_a_broken_answer_stands_beside_a_sound_one():
    blind = hidden(12, attention=3)
    extra = [one for one in blind.hidden if SOUND in one.slots]
    assert len(extra) == 3
    for one in extra:
        number = one.item.case_id
        assert one.item.answers[SOUND] in (f"a{number}", f"b{number}")
        assert one.item.answers[BROKEN] not in (f"a{number}", f"b{number}")
    with pytest.raises(ValueError, match="attention=9"):
        hidden(5, attention=9)


def test_the_key_is_for_its_owner_alone_and_reads_back(tmp_path):
    blind = hidden(3)
    path = key_of(blind).save(tmp_path / "reviews")
    assert path.name == f"{blind.name}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_key(path) == key_of(blind)
    assert secret_of(path.parent) == secret_of(path.parent)
    assert stat.S_IMODE((path.parent / "secret").stat().st_mode) == 0o600
    assert secret_of(path.parent).hex() not in path.read_text()


def test_the_same_items_make_the_same_page_and_the_key_is_where_it_was_asked_for(tmp_path):
    pages = [write_review(tmp_path / name, items(12), secret_home=tmp_path / "home") for name in ("a.html", "b.html")]
    assert pages[0].read_bytes() == pages[1].read_bytes()
    (key,) = (tmp_path / "home" / "reviews").glob("*.json")
    assert json.loads(key.read_text())["set"] == key.stem
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html", "home"]
    elsewhere = write_review(tmp_path / "c.html", items(12), secret_home=tmp_path / "other")
    assert elsewhere.read_bytes() != pages[0].read_bytes()

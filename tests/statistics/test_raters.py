from math import isnan

import numpy
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.statistics import agreement, bradley_terry, cohen_kappa, fleiss_kappa, percent_agreement, ranking

KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
FLEISS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorffs_four_coders(level, alpha):
    found = agreement(KRIPPENDORFF, level)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.low < found.value < found.high
    assert found.n == 11
    assert level in found.method


def test_the_interval_of_alpha_is_wider_than_krippendorffs_bootstrap():
    """He prints 0.572 to 0.861 for these 11 items, of which a resample holds 7: too narrow for so few."""
    found = agreement(KRIPPENDORFF)
    assert found.low < 0.572 < found.value < 0.861 < found.high < 1


@pytest.mark.parametrize(
    ("yes", "apart", "other", "no", "oracle"),
    [
        (2, 0, 0, 1, (1.0, -0.699400, 1.0)),
        (10, 0, 0, 10, (1.0, 0.720035, 1.0)),
        (20, 5, 10, 15, (0.4, 0.125122, 0.644109)),
    ],
)
def test_kappa_holds_chance_fixed_and_never_has_an_interval_of_no_width(yes, apart, other, no, oracle):
    a, b = ["y"] * (yes + apart) + ["n"] * (other + no), ["y"] * yes + ["n"] * apart + ["y"] * other + ["n"] * no
    found = cohen_kappa(a, b)
    assert [found.value, found.low, found.high] == pytest.approx(oracle, abs=1e-6)
    if found.value == 1:  # alpha's chance agreement is that of drawing without putting back
        assert agreement([a, b]).low < 1.0 == agreement([a, b]).high


def test_a_near_miss_agrees_by_its_weight():
    """14 pairs alike, 4 a step apart, 2 two steps; the linear weights expect 0.6 by chance where labels lie so."""
    a = [1] * 9 + [3] * 5 + [1] * 4 + [1] * 2
    b = [1] * 9 + [3] * 5 + [2] * 4 + [3] * 2
    found = cohen_kappa(a, b, weights="linear")
    chance = (15 * 9 + 15 * 4 / 2 + 5 * 4 / 2 + 5 * 7) / 400
    agreed = (14 + 4 / 2) / 20
    assert found.value == pytest.approx((agreed - chance) / (1 - chance))
    assert (found.low, found.high) == pytest.approx([(x - chance) / (1 - chance) for x in (0.609, 0.936454)], abs=5e-6)


def test_the_p_of_a_kappa_without_a_standard_error_is_none_and_not_nan():
    for a in (["y", "y", "n"], ["y"] * 10 + ["n"] * 10):
        assert cohen_kappa(a, a).p is None


def test_ratings_by_name_and_as_strings_say_the_same():
    rows = agreement(KRIPPENDORFF)
    named = {f"rater {k}": {i: f"level {r}" for i, r in enumerate(row) if r} for k, row in enumerate(KRIPPENDORFF)}
    assert agreement(named) == rows


def test_agreement_without_meaning_or_without_ratings():
    assert isnan(agreement([["a", "a"], ["a", "a"]]).value)
    with pytest.raises(ValueError, match="two raters have rated"):
        agreement([["a", None], [None, "a"]])
    with pytest.raises(ValueError, match="numbers: got 'good'"):
        agreement([["good", 1], [1, 2]], "ordinal")
    with pytest.raises(ValueError, match="two raters or more"):
        agreement([[1, 2, 3]])
    with pytest.raises(ValueError, match="nominal, ordinal"):
        agreement(KRIPPENDORFF, "cardinal")


def test_cohens_kappa_of_a_known_table():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    a, b = zip(*pairs, strict=True)
    found = cohen_kappa(a, b)
    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high
    assert percent_agreement(a, b).value == pytest.approx(0.7)


def test_weights_forgive_near_misses():
    a, b = [1, 2, 3, 4, 5, 3], [1, 3, 3, 4, 4, 2]
    plain, linear, quadratic = (cohen_kappa(a, b, weights=weights).value for weights in (None, "linear", "quadratic"))
    assert plain < linear < quadratic
    with pytest.raises(ValueError, match="have an order: got 'bad', 'good'"):
        cohen_kappa(["good", "bad"], ["bad", "bad"], weights="linear")


def test_kappa_knows_labels_of_one_side_only_and_one_label_has_no_meaning():
    assert cohen_kappa([1, 0, 1, 0], [2, 2, 1, 1]).value < 0.4
    assert isnan(cohen_kappa(["x", "x"], ["x", "x"]).value)
    with pytest.raises(ValueError, match="none that both have rated"):
        cohen_kappa([1, None], [None, 2])
    with pytest.raises(ValueError, match="same items"):
        percent_agreement([1], [])


@pytest.mark.parametrize("missing", [None, float("nan"), pandas.NA])
def test_a_missing_rating_is_missing_in_every_measure(missing):
    a, b = ["y", "n", "y", missing, "n", "y"], ["y", "n", "n", "y", missing, "y"]
    for measure in (cohen_kappa, percent_agreement):
        assert measure(a, b) == measure(["y", "n", "y", "y"], ["y", "n", "n", "y"])
    assert agreement([a, b]).n == 4
    with pytest.raises(ValueError, match=r"agreement\(\) allows missing"):
        fleiss_kappa([a, b])


def test_ratings_come_in_any_row_and_a_table_is_told_what_to_give():
    rows = [[1, 2, 3, 3], [1, 2, 3, 2]]
    table = pandas.DataFrame(rows).T
    assert agreement((iter(row) for row in rows), "ordinal") == agreement(rows, "ordinal")
    assert agreement(table.T.to_numpy(), "ordinal") == agreement(rows, "ordinal")
    assert cohen_kappa(*map(iter, rows)) == cohen_kappa(*map(numpy.array, rows)) == cohen_kappa(*rows)
    with pytest.raises(TypeError, match=r"table\.T\.to_numpy\(\)"):
        agreement(table)
    with pytest.raises(TypeError, match=r"\{rater: \{item: rating\}\}"):
        agreement({"x": [1, 2], "y": [1, 3]})


def test_fleiss_psychiatric_diagnoses():
    """Ten patients, fourteen raters, five categories: kappa 0.210."""
    items = [[category for category, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    found = fleiss_kappa(list(zip(*items, strict=True)))
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < found.value < found.high
    with pytest.raises(ValueError, match="agreement"):
        fleiss_kappa([[1, None], [1, 1]])


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=3, max_size=3))
def test_bradley_terry_of_two_is_the_share_of_wins(counts):
    wins, losses, ties = counts
    board = bradley_terry({("a", "b"): wins, ("b", "a"): losses}, ties={("b", "a"): ties})
    share = (wins + ties / 2) / (wins + losses + ties)
    assert board["a"].value == pytest.approx(share, abs=1e-6)
    assert board["a"].n == sum(counts)
    assert next(iter(board.values())).value == max(score.value for score in board.values())
    assert board["a"].low < board["a"].value < board["a"].high


def test_few_comparisons_leave_doubt_on_both_sides():
    board = bradley_terry({("a", "b"): 9, ("b", "a"): 1})
    assert 0.3 < board["a"].low < 0.7
    assert 0.95 < board["a"].high < 1
    assert [board["b"].low, board["b"].high] == pytest.approx([1 - board["a"].high, 1 - board["a"].low])


@pytest.mark.parametrize("preference", [float("nan"), 2, -1.5, None, "win"])
def test_a_preference_that_is_none_is_refused_with_its_place(preference):
    with pytest.raises(ValueError, match=r"comparison 1, of 'a' and 'b': .* no preference from -1 to 1"):
        ranking([("x", "a", "b", 1.0), ("y", "a", "b", preference)])


def test_counts_of_wins_are_a_mapping_of_numbers():
    with pytest.raises(TypeError, match="counts by pair of names"):
        bradley_terry([("a", "b")])
    with pytest.raises(ValueError, match="'a' and 'b': nan"):
        bradley_terry({("a", "b"): float("nan"), ("b", "a"): 1})


def test_a_board_without_scores_names_the_unbeaten():
    with pytest.raises(ValueError, match="tuned never lost"):
        bradley_terry({("tuned", "base"): 9, ("base", "prompt"): 3, ("prompt", "base"): 2})
    with pytest.raises(ValueError, match="at least one comparison"):
        bradley_terry({})
    with pytest.raises(ValueError, match="'a' and 'a'"):
        bradley_terry({("a", "a"): 1})

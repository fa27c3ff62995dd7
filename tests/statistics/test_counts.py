import numpy
import pytest

from finetune_lib.statistics import benjamini_hochberg, holm, mcnemar, sign_test, wilson

BENJAMINI_HOCHBERG_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_sign_test_of_darwins_maize_pairs():
    """Thirteen of fifteen pairs favour crossing: exact two-sided p 0.007385; mid-p is less by half its last term."""
    exact, last_term = 0.007385, 2 * 105 / 2**15
    assert sign_test(13, 2, method="exact").p == pytest.approx(exact, abs=5e-7)
    assert sign_test(13, 2).p == pytest.approx(exact - last_term / 2, abs=2e-6)
    assert sign_test(13, 2).value == pytest.approx(13 / 15)
    assert sign_test(13, 2).n == 15


def test_mcnemar_of_agrestis_approval_ratings():
    """Table 10.1: chi-squared 17.3559 (corrected 16.818), exact p 3.716e-05, mid-p 2.893e-05."""
    assert mcnemar(86, 150, method="chi2").statistic == pytest.approx(17.3559, abs=5e-5)
    assert mcnemar(86, 150, method="chi2").p == pytest.approx(3.10e-5, rel=2e-3)
    assert mcnemar(86, 150, method="chi2-corrected").statistic == pytest.approx(16.818, abs=5e-4)
    assert mcnemar(86, 150, method="exact").p == pytest.approx(3.716e-5, rel=1e-3)
    assert mcnemar(86, 150).p == pytest.approx(2.893e-5, rel=1e-3)


@pytest.mark.parametrize("method", ["mid-p", "exact", "chi2", "chi2-corrected"])
def test_nothing_discordant_is_no_difference(method):
    found = mcnemar(0, 0, method=method)
    assert (found.value, found.low, found.high, found.p, found.n) == (0.5, 0.0, 1.0, 1.0, 0)
    assert mcnemar(7, 7, method=method).p == 1.0


def test_both_sides_get_the_same_p_and_mirrored_intervals():
    one, other = mcnemar(12, 5), mcnemar(5, 12)
    assert one.p == other.p
    assert [one.low, one.high] == pytest.approx([1 - other.high, 1 - other.low])


def test_impossible_counts_and_methods_are_refused():
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 3)
    with pytest.raises(ValueError, match="mid-p, exact"):
        sign_test(1, 3, method="wald")
    with pytest.raises(ValueError, match="got 5 of 3"):
        wilson(5, 3)
    with pytest.raises(ValueError, match="got 0 of 0"):
        wilson(0, 0)


def test_counts_may_be_floats_that_are_whole():
    assert wilson(3.0, 10.0) == wilson(3, 10)
    assert mcnemar(12.0, 5.0) == mcnemar(12, 5)
    for odd in (3.5, float("nan"), None, "3"):
        with pytest.raises(ValueError, match="a whole number"):
            wilson(odd, 10)
    with pytest.raises(ValueError, match=r"as 0\.95: got 95"):
        wilson(3, 10, confidence=95)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_p_values_come_in_any_row_and_are_read_once(adjust):
    assert adjust(p for p in [0.001, 0.5]) == adjust([0.001, 0.5])
    assert len(adjust(numpy.array([0.001, 0.5]))) == 2
    assert adjust(iter([])) == []
    for odd in ({"a": 0.01}, "0.5", 0.05):
        with pytest.raises(TypeError, match="ps must be a list"):
            adjust(odd)
    with pytest.raises(ValueError, match=r"ps\[0\] = '0.01'"):
        adjust(["0.01"])


def test_wilson_as_r_prints_it():
    found = wilson(3, 10)
    assert [found.low, found.high] == pytest.approx([0.1077913, 0.6032219], abs=1e-7)
    assert found.p is None
    assert float(found) == 0.3
    assert str(found) == "0.300 (0.108 to 0.603), n = 10"


def test_benjamini_and_hochberg_reject_four_and_holm_three():
    ps = BENJAMINI_HOCHBERG_1995
    assert sum(p < 0.05 for p in benjamini_hochberg(ps)) == 4
    assert sum(p < 0.05 for p in holm(ps)) == 3
    assert benjamini_hochberg(ps)[3] == pytest.approx(0.0095 * 15 / 4)


def test_adjusted_ps_keep_their_order_and_leave_none_alone():
    assert holm([0.04, None, 0.01]) == [pytest.approx(0.04), None, pytest.approx(0.02)]
    assert benjamini_hochberg([None]) == [None]
    assert holm([]) == []
    with pytest.raises(ValueError, match=r"ps\[1\] = 1.5, ps\[2\] = nan"):
        holm([0.1, 1.5, float("nan")])

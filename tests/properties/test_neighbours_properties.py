"""Properties of the near-duplicate join, on texts of few characters, where many are near."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_lib.texts import fold, jaccard, shingles
from finetune_lib.texts.neighbours import clusters, near_pairs

TEXTS = st.lists(st.text(alphabet="退貨货期限ab 1,", max_size=14), max_size=14)
THRESHOLDS = st.sampled_from([0.2, 0.5, 0.7, 0.85, 1.0])


def near(one, other, threshold):
    one, other = fold(one), fold(other)
    if one == other:
        return True
    return min(len(one), len(other)) > 5 and jaccard(shingles(one), shingles(other)) + 1e-9 >= threshold


@settings(max_examples=300)
@given(TEXTS, THRESHOLDS)
def test_every_pair_is_near_and_every_near_pair_is_in_one_group(texts, threshold):
    found = near_pairs(texts, threshold=threshold)
    assert all(near(texts[pair.a], texts[pair.b], threshold) for pair in found)
    group_of = {place: number for number, group in enumerate(clusters(found, len(texts))) for place in group}
    for a, b in combinations(range(len(texts)), 2):
        if near(texts[a], texts[b], threshold):
            assert group_of[a] == group_of[b]


@given(TEXTS)
def test_a_group_of_n_gives_less_than_n_pairs(texts):
    found = near_pairs(texts)
    assert len(found) == sum(len(group) - 1 for group in clusters(found, len(texts)))


@given(TEXTS, st.randoms())
def test_groups_do_not_depend_on_the_order(texts, rng):
    order = list(range(len(texts)))
    rng.shuffle(order)
    groups = clusters(near_pairs(texts), len(texts))
    shuffled = clusters(near_pairs([texts[place] for place in order]), len(texts))
    assert sorted(groups) == sorted(sorted(order[place] for place in group) for group in shuffled)

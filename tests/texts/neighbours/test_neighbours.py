"""Near pairs: found in Chinese and English, across scripts, verified, and without explosion."""

import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations

import pytest

from finetune_lib.texts import fold, jaccard, shingles
from finetune_lib.texts.neighbours import Pair, View, clusters, near_items, near_pairs, pairs
from finetune_lib.texts.neighbours.clusters import Forest
from finetune_lib.texts.neighbours.join import LONG

HANT = "請問我在貴公司網站購買的商品到貨之後，幾天之內可以申請退貨？運費由誰負擔？"
HANS = "请问我在贵公司网站购买的商品到货之后，几天之内可以申请退货？运费由谁负担？"
EDITED = "請問我在貴公司官網購買的商品到貨後，幾天之內可以申請退貨呢？運費由誰負擔？"
OTHER = "請問從桃園機場搭乘捷運到台北車站需要多少時間？最後一班車是幾點？"
ENGLISH = "How many days after delivery can I return an item that I bought in your online shop?"
ENGLISH_EDITED = "How many days after the delivery can I return an item which I bought in your online shop"
IDEOGRAPHS = [chr(code) for code in range(0x4E00, 0x5600)]


def similarity(one, other):
    return jaccard(shingles(fold(one)), shingles(fold(other)))


def written(rng, size=60):
    return "".join(rng.choices(IDEOGRAPHS, k=size))


def edited(text, rng, edits=3):
    characters = list(text)
    for place in rng.sample(range(len(characters)), edits):
        characters[place] = rng.choice(IDEOGRAPHS)
    return "".join(characters)


def by_brute_force(texts, threshold):
    """The groups that all near pairs make."""
    found = [
        Pair(a, b, 1.0)
        for a, b in combinations(range(len(texts)), 2)
        if fold(texts[a]) == fold(texts[b])
        or (min(len(fold(texts[a])), len(fold(texts[b]))) > 5 and similarity(texts[a], texts[b]) >= threshold)
    ]
    return clusters(found, len(texts))


def test_forms_and_edits_of_one_text_are_found_in_any_script():
    found = near_pairs([HANT, OTHER, HANS, ENGLISH, EDITED, ENGLISH_EDITED])
    assert [(pair.a, pair.b) for pair in found] == [(0, 2), (0, 4), (3, 5)]
    assert found[0].similarity == 1
    assert found[1].similarity == pytest.approx(similarity(HANT, EDITED))


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9, 1.0])
def test_the_join_finds_the_groups_of_all_pairs(threshold):
    rng = random.Random(3)
    texts = [written(rng, rng.randint(4, 40)) for _ in range(60)]
    texts += [edited(text, rng, rng.randint(0, 4)) for text in texts for _ in range(2)]
    found = near_pairs(texts, threshold=threshold)
    assert clusters(found, len(texts)) == by_brute_force(texts, threshold)
    for pair in found:
        assert similarity(texts[pair.a], texts[pair.b]) == pytest.approx(pair.similarity)
        assert threshold <= pair.similarity <= 1
        assert pair.a < pair.b


@pytest.mark.parametrize("texts", [["是", "否", "是"], ["好的", "好吧", "好的"], ["1", "2", "１"]])
def test_short_texts_are_near_to_their_equals_only(texts):
    assert near_pairs(texts) == [Pair(0, 2, 1.0)]


@pytest.mark.parametrize("texts", [[], ["一"], ["", "x"]])
def test_nothing_is_near_where_there_is_nothing(texts):
    assert near_pairs(texts) == []


def test_ten_thousand_copies_give_a_star():
    found = near_pairs([HANT, HANS] * 5000)
    assert found == [Pair(0, later, 1.0) for later in range(1, 10_000)]


def test_a_template_with_small_differences_gives_a_star():
    texts = [f"{HANT}訂單編號{number:06}" for number in range(3 * LONG)]
    found = near_pairs(texts)
    assert [(pair.a, pair.b) for pair in found] == [(0, later) for later in range(1, len(texts))]


def test_a_template_with_large_differences_gives_nothing():
    rng = random.Random(5)
    assert near_pairs([f"{HANT}{written(rng, 40)}" for _ in range(3 * LONG)]) == []


def test_a_chain_is_one_group_though_its_ends_are_not_near():
    rng = random.Random(1)
    chain = [written(rng, 50)]
    for start in range(0, 25, 5):
        link = list(chain[-1])
        link[start : start + 5] = written(rng, 5)
        chain.append("".join(link))
    found = near_pairs(chain)
    assert similarity(chain[0], chain[-1]) < 0.7
    assert clusters(found, len(chain)) == [list(range(len(chain)))]
    assert all(pair.similarity >= 0.7 for pair in found)


@pytest.mark.parametrize("threshold", [0, -1, 1.1])
def test_a_threshold_is_a_similarity(threshold):
    with pytest.raises(ValueError, match="threshold"):
        near_pairs(["x"], threshold=threshold)


def test_texts_may_come_from_an_iterator():
    assert [pair.b for pair in near_pairs(iter([HANT, OTHER, HANS]))] == [2]


def by_sides(item):
    return tuple(map(fold, item))


def test_items_are_compared_side_by_side():
    items = [(HANT, OTHER), (OTHER, HANT), (EDITED, OTHER), (HANT, OTHER + "謝謝")]

    def question_differs(one, other):
        return items[one][0] != items[other][0]

    pairs = near_items(items, view=View(by_sides), accept=question_differs)
    assert [(pair.a, pair.b) for pair in pairs] == [(0, 2), (2, 3)]


def test_copies_are_left_out_on_request():
    view = View(by_sides)
    assert near_items([(HANT,), (HANS,)], view=view, copies=False) == []


# Sketches


@pytest.fixture
def sketched(monkeypatch):
    # rensa is the extra `fast`; without it the exact join takes any number of texts.
    pytest.importorskip("rensa")
    monkeypatch.setattr(pairs, "EXACT_LIMIT", 0)
    monkeypatch.setattr(pairs, "PART", 100)


def planted(rng, rows=800):
    texts = [written(rng) for _ in range(rows)]
    return texts + [edited(text, rng) for text in texts[::4]]


@pytest.mark.usefixtures("sketched")
def test_sketches_find_what_was_planted():
    texts = planted(random.Random(2))
    found = near_pairs(texts)
    wanted = {
        (4 * place, 800 + place) for place in range(200) if similarity(texts[4 * place], texts[800 + place]) >= 0.7
    }
    assert {(pair.a, pair.b) for pair in found} <= wanted
    assert len(found) >= 0.98 * len(wanted)


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_changes_nothing(kind):
    texts = planted(random.Random(4), rows=300)
    with kind(2) as executor:
        assert near_pairs(texts, executor=executor) == near_pairs(texts)


@pytest.mark.usefixtures("sketched")
def test_sketches_and_the_join_agree_on_groups():
    texts = [*(f"{HANT}{number}" for number in range(50)), *["是", "否", ""] * 3, ENGLISH, OTHER, ENGLISH_EDITED]
    found = near_pairs(texts)
    assert clusters(found, len(texts)) == by_brute_force(texts, 0.7)


def test_without_rensa_the_join_takes_any_number(monkeypatch):
    monkeypatch.setattr(pairs, "EXACT_LIMIT", 0)
    monkeypatch.setattr(pairs, "find_spec", lambda _name: None)
    assert [pair.b for pair in near_pairs([HANT, OTHER, EDITED])] == [2]


# Groups


def test_groups_are_sorted_and_leave_single_places_out():
    assert clusters([Pair(3, 5, 1.0), Pair(0, 3, 1.0), Pair(2, 4, 0.8)], 7) == [[0, 3, 5], [2, 4]]
    assert clusters([], 3) == []


def test_the_root_of_a_group_is_its_first_place():
    forest = Forest(5)
    forest.unite(4, 3)
    forest.unite(3, 1)
    assert [forest.root(place) for place in range(5)] == [0, 1, 2, 1, 1]

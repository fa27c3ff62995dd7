"""From exported files to votes: merged, checked, unblinded."""

import json
import sqlite3
from copy import deepcopy

import pytest

from finetune_lib.errors import DataError
from finetune_lib.evaluation.review import Beside, collect_votes, write_review
from finetune_lib.evaluation.review.keys import load_key
from finetune_lib.records import Case

CATEGORIES = ["refund", "luggage"]


@pytest.fixture
def key(tmp_path):
    items = [
        Beside(f"c{n}", f"question {n}", {"tuned": f"good {n}", "base": f"bad {n}"}, category=CATEGORIES[n % 2])
        for n in range(30)
    ]
    same = Beside("same", "q", {"tuned": "x", "base": "x"}, category="refund")
    write_review(tmp_path / "review.html", [*items, same], secret_home=tmp_path)
    (path,) = (tmp_path / "reviews").glob("*.json")
    return path


def side(key, case: str, *, tuned: str = "left") -> tuple[str, int]:
    """The opaque id of a case, and the slot on the left that puts `tuned` there."""
    ids = {item.case_id: (name, item) for name, item in load_key(key).items.items()}
    name, item = ids[case]
    slot = item.slots.index("tuned")
    return name, slot if tuned == "left" else 1 - slot


def vote(key, case: str, choice: str, *, tuned: str = "left", showing: int = 1, **more):
    name, left = side(key, case, tuned=tuned)
    at = more.pop("at", "2026-11-20T10:00:00.000Z")
    return {"item": name, "showing": showing, "left": left, "choice": choice, "at": at, "seconds": 9.0, **more}


def state(key, rater: str, *votes, **more):
    given = {"format": "side-by-side votes", "schema": 1, "set": key.stem, "rater": rater, "revision": 1}
    return {**given, "votes": list(votes), **more}


def test_choices_become_preferences_whichever_side_they_were_on(key):
    said = ["left_much", "left", "same", "right", "right_much", "both_good", "both_bad", "skip", "wrong_question"]
    votes = [vote(key, f"c{n}", choice, tuned="left") for n, choice in enumerate(said)]
    votes += [vote(key, f"c{n + 9}", choice, tuned="right") for n, choice in enumerate(said)]
    found = collect_votes(state(key, "Lin", *votes), key=key)
    values = [by["Lin"] for case, by in found.preferences("tuned", "base").items() if case != "same"]
    assert values == [1, 0.5, 0, -0.5, -1, 0, 0, -1, -0.5, 0, 0.5, 1, 0, 0]
    assert [-v for v in values] == [
        by["Lin"] for case, by in found.preferences("base", "tuned").items() if case != "same"
    ]
    assert found.skipped == {"c7": ("Lin",), "c16": ("Lin",)}
    assert found.flagged == {"c8": ("Lin",), "c17": ("Lin",)}


def test_files_texts_and_databases_are_read(key, tmp_path):
    file, other, database = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "v.db"
    file.write_text(json.dumps(state(key, "A", vote(key, "c1", "left"))), encoding="utf-8-sig")
    other.write_text(json.dumps(state(key, "B", vote(key, "c1", "left"))), encoding="utf-8")
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE reviews (rater TEXT, state TEXT)")
        db.execute("INSERT INTO reviews VALUES ('C', ?)", [json.dumps(state(key, "C", vote(key, "c1", "left")))])
    pasted = "\n " + json.dumps(state(key, "D", vote(key, "c1", "left")))
    found = collect_votes([file, str(other), database, pasted, state(key, "E", vote(key, "c1", "left"))], key=key)
    assert found.raters == ("A", "B", "C", "D", "E")
    assert set(found.preferences("tuned", "base")["c1"].values()) == {0.5}
    assert collect_votes(file, key=key).raters == ("A",)


def test_all_problems_are_told_at_once(key, tmp_path):
    good = state(key, "A", vote(key, "c1", "left"))
    (tmp_path / "broken.json").write_text('{"format": ', encoding="utf-8")
    (tmp_path / "old.json").write_text(json.dumps({**good, "schema": 9}), encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    bad = deepcopy(good)
    bad["votes"][0]["choice"] = "tuned"
    other = {**good, "set": "0" * 24}
    with pytest.raises(DataError) as told:
        collect_votes([*tmp_path.glob("*.json"), tmp_path / "gone.json", bad, good, other], key=key)
    text = str(told.value)
    for part in (
        "broken.json cannot be read",
        "old.json: schema",
        "list.json:",
        "gone.json cannot be read",
        "votes[0].choice",
    ):
        assert part in text
    assert "2 different pages" in text


def test_mixed_sets_are_refused_by_name(key):
    with pytest.raises(DataError, match=r"2 different pages, collect each by itself .*text 1.*text 2"):
        collect_votes([state(key, "A"), {**state(key, "B"), "set": "0" * 24}], key=key)


def test_a_key_that_is_missing_or_of_another_page_is_told(key, tmp_path):
    with pytest.raises(DataError, match=r"the key of page .* is not at .*pass key="):
        collect_votes(state(key, "A"))
    with pytest.raises(DataError, match="is the key of page"):
        collect_votes({**state(key, "A"), "set": "0" * 24}, key=key)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match="no key of a review"):
        collect_votes(state(key, "A"), key=tmp_path / "x.json")
    stranger = {**vote(key, "c1", "left"), "item": "f" * 12}
    with pytest.raises(DataError, match="no item 'ffffffffffff' on this page"):
        collect_votes(state(key, "A", stranger), key=key)
    with pytest.raises(DataError, match="no file was given"):
        collect_votes([], key=key)


def test_of_double_votes_the_newest_revision_counts_and_is_told(key):
    early = state(key, " Lin ", vote(key, "c1", "left"), vote(key, "c2", "left"))
    late = state(key, "Lin", vote(key, "c1", "right", at="2026-11-21T10:00:00Z"), vote(key, "c2", "left"), revision=9)
    for files in ([early, late], [late, early]):
        found = collect_votes(files, key=key)
        assert found.preferences("tuned", "base")["c1"] == {"Lin": -0.5}
        assert {(double.case_id, double.differ) for double in found.doubled} == {("c1", True), ("c2", False)}
        assert len(found.votes) == 2
    assert "2 votes came in several files, 1 of them differ" in str(found)


def test_a_vote_that_was_taken_back_later_does_not_count(key):
    early = state(key, "Lin", vote(key, "c1", "left"))
    late = state(key, "Lin", vote(key, "c1", None, at="2026-11-21T10:00:00Z"))
    assert collect_votes([late, early], key=key).votes == ()


def test_a_comment_that_was_added_later_counts(key):
    early = state(key, "Lin", vote(key, "c1", "left", comment="a"), saved="2026-11-20T10:00:01Z")
    late = state(key, "Lin", vote(key, "c1", "left", comment="ab"), saved="2026-11-20T11:00:00Z", revision=2)
    assert collect_votes([late, early], key=key).votes[0].comment == "ab"


def test_identical_answers_count_as_ties_for_everybody(key):
    found = collect_votes([state(key, r, vote(key, "c1", "left_much")) for r in "AB"], key=key)
    assert found.preferences("tuned", "base")["same"] == {"A": 0.0, "B": 0.0}
    assert found.verdict("tuned", "base").ties == 1
    assert found.by_case([Case("same", (), ""), Case("c1", (), ""), Case("c5", (), "")], "tuned", "base") == (
        0.0,
        1.0,
        None,
    )


def test_agreement_consistency_bias_and_disputes(key):
    wide = [vote(key, f"c{n}", "left_much", comment="short", reasons=["tone"]) for n in range(24)]
    near = [vote(key, f"c{n}", "left" if n % 6 else "right_much") for n in range(24)]
    again = [
        vote(key, f"c{n}", choice, tuned="right", showing=2) for n, choice in enumerate(["right", "right", "left"])
    ]
    found = collect_votes([state(key, "A", *wide, *again), state(key, "B", *near)], key=key)
    assert found.percent_agreement() == pytest.approx(20 / 24)
    assert found.percent_agreement(category="refund") == pytest.approx(8 / 12)
    alpha = found.agreement(level="ordinal")
    assert alpha.n == 24
    assert alpha.low <= alpha.value <= alpha.high
    consistency = found.self_consistency["A"]
    assert (consistency.repeats, consistency.same) == (3, 2)
    assert "B" not in found.self_consistency
    bias = found.side_bias["A"]
    assert bias.p < 0.001
    assert bias.n == 27
    assert [one.case_id for one in found.disputed[:4]] == ["c0", "c6", "c12", "c18"]
    assert found.disputed[0].candidate == "base"
    assert found.disputed[0].values == {"A": -1.0, "B": 1.0}
    assert found.reasons("base") == {"tone": 24}
    assert found.quotes("base")["tone"][0].comment == "short"
    assert found.quotes("tuned") == {}


def test_alpha_is_what_evalica_says_of_a_known_table(key):
    """Krippendorff's own example has two raters and nominal values; here as ties and wins."""
    rows = {"A": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0], "B": [0, 1, 1, 0, 0, 1, 0, 1, 0, 0]}
    states = [
        state(key, rater, *(vote(key, f"c{n}", "left_much" if value else "same") for n, value in enumerate(values)))
        for rater, values in rows.items()
    ]
    assert collect_votes(states, key=key).agreement(level="nominal").value == pytest.approx(0.095, abs=0.001)


def test_the_verdict_rests_on_items_and_is_told_by_category(key):
    votes = [vote(key, f"c{n}", "left_much") for n in range(24)]
    found = collect_votes([state(key, "A", *votes), state(key, "B", *votes)], key=key)
    verdict = found.verdict("tuned", "base")
    assert (verdict.outcome, verdict.wins, verdict.ties, verdict.estimate.n, verdict.missing) == (
        "better",
        24,
        1,
        25,
        0,
    )
    assert found.verdict("base", "tuned").outcome == "worse"
    assert {one.category: one.comparison.wins for one in found.by_category("tuned", "base")} == {
        "refund": 12,
        "luggage": 12,
    }
    with pytest.raises(ValueError, match="nobody compared 'tuned' with 'rag': the page has base and tuned"):
        found.preferences("tuned", "rag")


def test_stopping_early_is_not_missing_but_skipping_is(key):
    votes = [vote(key, f"c{n}", "left_much") for n in range(9)]
    assert collect_votes(state(key, "A", *votes), key=key).verdict("tuned", "base").outcome == "better"
    skipped = collect_votes(state(key, "A", *votes, vote(key, "c9", "skip")), key=key).verdict("tuned", "base")
    assert (skipped.missing, skipped.outcome) == (1, "better")  # one more loss would not undo it
    few = [*votes[:6], *(vote(key, f"c{n}", "skip") for n in (7, 8, 9))]
    found = collect_votes(state(key, "A", *few), key=key).verdict("tuned", "base")
    assert (found.missing, found.outcome, found.reason) == (3, "not shown", "missing")


def test_points_of_the_rubric_are_preferences_of_their_own(key):
    votes = [
        vote(key, "c1", "left", rubric={"Polite": "right"}),
        vote(key, "c2", "left", tuned="right", rubric={"Polite": "same"}),
    ]
    found = collect_votes(state(key, "A", *votes), key=key)
    assert found.preferences("tuned", "base", criterion="Polite") == {
        "c1": {"A": -1.0},
        "c2": {"A": 0.0},
        "same": {"A": 0.0},
    }


def test_the_summary_tells_what_there_is_to_tell(key):
    wide = [vote(key, f"c{n}", "left_much", comment="no fee named", reasons=["missing"]) for n in range(12)]
    hasty = [vote(key, f"c{n}", "right_much") | {"seconds": 0.5} for n in range(12)]
    text = str(
        collect_votes(
            [
                state(key, "A", *wide, vote(key, "c13", "skip")),
                state(key, "B", *hasty, vote(key, "c14", "wrong_question")),
            ],
            key=key,
        )
    )
    for part in (
        "26 votes on 30 cases by 2 raters (A 13, B 13)",
        "1 further cases have identical answers",
        "no difference between tuned and base",
        "refund:",
        "agreement: 0% name the same winner",
        "A chose the left answer in 100% of 12 choices",
        "votes within 2 seconds: B 12",
        "skipped by somebody: c13",
        "question called wrong: c14",
        "disputed: case c0",
        "where base was weaker:",
        "missing (12)",
        "no fee named",
    ):
        assert part in text, part


def test_a_rater_who_says_nothing_makes_a_summary_too(key):
    assert "0 votes on 30 cases" in str(collect_votes(state(key, "A"), key=key))


def test_who_does_not_read_is_told(tmp_path):
    items = [Beside(f"c{n}", f"q{n}", {"tuned": f"good {n}", "base": f"bad {n}"}) for n in range(6)]
    write_review(tmp_path / "r.html", items, attention=2, secret_home=tmp_path)
    (path,) = (tmp_path / "reviews").glob("*.json")
    traps = [
        (name, item.slots.index("(sound)")) for name, item in load_key(path).items.items() if "(sound)" in item.slots
    ]
    votes = [
        {"item": name, "showing": 1, "left": slot, "choice": c}
        for (name, slot), c in zip(traps, ["left", "right"], strict=True)
    ]
    found = collect_votes(state(path, "A", *votes), key=path)
    assert (found.attention["A"].items, found.attention["A"].passed) == (2, 1)
    assert found.votes == ()
    assert len(found.shown) == 6
    assert found.candidates == ("base", "tuned")
    assert "A missed 1 of 2 plainly broken answers" in str(found)

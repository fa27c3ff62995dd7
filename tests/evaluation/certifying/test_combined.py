"""Several signals as one, and a cascade of candidates as one: fitted on training rows, never on the golden set."""

from __future__ import annotations

import json
import random

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft

DIGITS = "零一二三四五六七八九"


def case(number: int) -> ft.Case:
    asked = "".join(DIGITS[int(digit)] for digit in f"{number:04d}")
    return ft.Case(str(number), (ft.Message(role="user", content=f"代號{asked}的商品放在哪個貨架？"),), f"架{number}")


GOLDEN = [case(number) for number in range(300)]
TRAINING = [case(number) for number in range(5000, 5120)]
EXACT = ft.ExactMatch()


def hard(asked: ft.Case) -> float:
    """How hard a question is, from 0 to 1."""
    return random.Random(f"hard {asked.id}").random()


def noisy(name: str, signed: int = 1):
    """A weak signal: less than half of it is what matters."""

    def signal(answer: str, asked: ft.Case) -> float:
        return signed * (1 - hard(asked) + random.Random(f"{name} {asked.id}").gauss(0, 0.35))

    signal.__name__ = name
    return signal


def small(asked: ft.Case) -> str:
    return f"架{asked.id}" if hard(asked) < 0.75 else "不知道"


def large(asked: ft.Case) -> ft.Answer:
    return ft.Answer(f"架{asked.id}" if hard(asked) < 0.97 else "架X", cost=0.02)


SIGNALS = [noisy("one"), noisy("other", -1), noisy("third")]


def fitted(candidate=small, signals=SIGNALS, examples=TRAINING, **options):
    options = {"scorer": EXACT, "store": ":memory:", **options}
    return ft.fit_signal(signals, candidate=candidate, examples=examples, **options)


def test_together_they_answer_more_than_the_best_alone():
    together = fitted()
    assert together.rows == 120
    first, second, third = together.fitted.weights
    assert min(first, third) > 0 > second
    options = {"scorer": EXACT, "error": 0.10, "store": ":memory:"}
    whole = ft.certify(small, GOLDEN, signal=together, **options).certificate
    assert whole.signal == "combined"
    alone = []
    for signal in (SIGNALS[0], SIGNALS[2]):
        try:
            alone.append(ft.certify(small, GOLDEN, signal=signal, **options).certificate.answered)
        except ft.NoCertificateError:
            alone.append(0)
    assert whole.answered > max(alone)


def test_it_is_refused_on_cases_that_it_was_fitted_on():
    together = fitted(examples=[*TRAINING, *GOLDEN[:2]])
    with pytest.raises(ValueError, match=r"fitted on golden cases \(0, 1\), which spoils the promise"):
        ft.certify(small, GOLDEN, scorer=EXACT, signal=together, store=":memory:")


def test_where_one_signal_tells_nothing_nobody_is_sure():
    def sometimes(answer: str, asked: ft.Case) -> float | None:
        return None if int(asked.id) % 3 == 0 else 1 - hard(asked)

    together = fitted(signals=[sometimes, SIGNALS[0]])
    assert together.rows == 80
    made = ft.certify(small, GOLDEN, scorer=EXACT, signal=together, store=":memory:")
    report = ft.Evaluator([EXACT], store=":memory:").run(GOLDEN[:3], candidates=[made])
    assert report.results[made.name][0].answer.declined


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signals": []}, "at least one signal"),
        ({"examples": TRAINING[:29]}, "only 29 of 29 rows"),
        ({"candidate": lambda asked: asked.expected}, "all 120 answers are right"),
        ({"candidate": lambda asked: "?"}, "all 120 answers are wrong"),
    ],
)
def test_what_cannot_be_learned_is_told(given, said):
    with pytest.raises(ValueError, match=said):
        fitted(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signals": SIGNALS[0]}, r"several signals are wanted, so write signals=\[…\]"),
        ({"signals": [ft.Agreement]}, r"Agreement is a class: write Agreement\(…\)"),
        ({"signals": [5]}, "a signal is LogProbability"),
        ({"scorer": ft.Rubric("禮貌", model="m")}, "a judge does not tell what is right"),
    ],
)
def test_what_is_no_signal_is_refused_before_anything_is_asked(given, said):
    asked = []
    with pytest.raises(TypeError, match=said):
        fitted(candidate=asked.append, **given)
    assert asked == []


def test_stages_are_pairs():
    for stages in ([small, large], "ab", [(small, fitted(), 3)]):
        with pytest.raises(TypeError, match="stages are pairs of a candidate and its fitted signal"):
            ft.Cascade(stages)


def test_a_cascade_is_certified_as_one():
    cascade = ft.Cascade([(small, fitted()), (large, fitted(large))], handover=0.9)
    made = ft.certify(cascade, GOLDEN, scorer=EXACT, error=0.10, store=":memory:")
    told = made.certificate
    assert told.candidate == "small → large"
    assert sum(count for count, _ in told.stages.values()) == told.answered
    assert sum(wrong for _, wrong in told.stages.values()) == told.wrong
    assert set(told.stages) == {"small", "large"}
    assert " The promise is for all stages together: " in str(told)
    report = ft.Evaluator([EXACT], store=":memory:").run(GOLDEN, candidates=[large, made])
    found = report.coverage(made.name)
    assert {name: tuple(pair) for name, pair in told.stages.items()} == found.stages
    assert f"{made.name}: small" in report.text(lang="en")
    asked_large = [r.answer for r in report.results[made.name] if r.answer.by == "large"]
    assert all(answer.cost == 0.02 or answer.cost is None for answer in asked_large)


def test_a_cascade_is_saved_and_any_change_voids_it(tmp_path):
    one, two = fitted(), fitted(large)
    cascade = ft.Cascade([(small, one), (large, two)], handover=0.9)
    made = ft.certify(cascade, GOLDEN, scorer=EXACT, error=0.10, store=":memory:")
    path = made.save(tmp_path / "c.json")
    assert ft.Certificate.load(path).stages == {k: list(v) for k, v in made.certificate.stages.items()}
    again = ft.Certified.load(path, candidate=cascade, scorer=EXACT)
    assert again.certificate.threshold == made.certificate.threshold
    for other in (
        ft.Cascade([(small, one), (large, two)], handover=0.8),
        ft.Cascade([(large, two), (small, one)], handover=0.9),
        ft.Cascade([(small, fitted(examples=TRAINING[:90])), (large, two)], handover=0.9),
    ):
        with pytest.raises(ft.NoCertificateError, match="void: candidate's"):
            ft.Certified.load(path, candidate=other, scorer=EXACT)
    kept = json.loads(path.read_text())
    del kept["stages"]
    path.write_text(json.dumps(kept))
    assert ft.Certificate.load(path).stages == {}
    path.write_text(json.dumps(kept | {"stages": {"small": "many"}}))
    with pytest.raises(ValueError, match="numbers that cannot be"):
        ft.Certificate.load(path)


def test_a_cascade_of_models_asks_the_second_only_where_the_first_is_unsure():
    def answer(body):
        number = int("".join(str(DIGITS.index(one)) for one in body["messages"][-1]["content"][2:6]))
        knows = number % 3 or body["model"] == "large"
        return f"架{number}" if knows else f"架{random.Random(json.dumps(body, sort_keys=True)).random()}"

    def even(said: str, asked: ft.Case) -> float:
        return float(int(asked.id) % 3 > 0) + 0.001 * (int(asked.id) % 7)

    with serving(Service(answer)) as service:
        models = [ft.ChatModel(name, platform=ft.connect(service.url, api_key="k")) for name in ("small", "large")]
        first = fitted(models[0], [even])

        def unsure_of_some(said: str, asked: ft.Case) -> float:
            return hard(asked)

        def now_and_then(asked: ft.Case) -> str:
            return asked.expected if hard(asked) > 0.03 else "?"

        second = fitted(now_and_then, [unsure_of_some])
        cascade = ft.Cascade([(models[0], first), (models[1], second)], handover=0.8)
        service.requests.clear()
        made = ft.certify(cascade, GOLDEN, scorer=EXACT, store=":memory:")
        asked = [body["model"] for body in service.requests]
        assert (asked.count("small"), asked.count("large")) == (300, 100)
        assert made.certificate.stages["small"] == (200, 0)
        newer = [ft.ChatModel(m.model, platform=ft.connect(service.url, api_key="new")) for m in models]
        fresh = ft.Cascade([(newer[0], first), (newer[1], second)], handover=0.8)
        assert made.certificate.depends["candidate's stages"]
        from finetune_lib.evaluation.certifying.certified import depends_on

        assert depends_on(fresh, EXACT, made.signal) == depends_on(cascade, EXACT, made.signal)


@pytest.mark.parametrize(
    ("stages", "options", "error", "said"),
    [
        (1, {}, ValueError, "at least two stages"),
        (2, {"handover": 1.0}, ValueError, "between 0 and 1"),
        (0, {}, TypeError, "fit the signal of each with"),
    ],
)
def test_cascades_that_cannot_be_are_refused(stages, options, error, said):
    together = fitted()
    given = [(small, together), (large, together)][:stages] if stages else [(small, SIGNALS[0]), (large, together)]
    with pytest.raises(error, match=said):
        ft.Cascade(given, **options)

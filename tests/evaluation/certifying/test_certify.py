"""A candidate with a certificate: what it promises, when it passes, what voids it, and that all of it holds."""

from __future__ import annotations

import json
import random

import pytest
from tests.doubles import Service, serving

import finetune_lib as ft
from finetune_lib.evaluation.certifying.certified import depends_on
from finetune_lib.evaluation.certifying.certifying import one_of_each
from finetune_lib.evaluation.certifying.signals import signal_of

DIGITS = "零一二三四五六七八九"


def case(number: int, *, expected: str = "", cluster: str | None = None) -> ft.Case:
    question = "".join(DIGITS[int(digit)] for digit in f"{number:04d}")
    message = ft.Message(role="user", content=f"代號{question}的商品放在哪個貨架？")
    return ft.Case(str(number), (message,), expected or f"架{number}", cluster=cluster)


CASES = [case(number) for number in range(240)]


def weak(asked: ft.Case) -> str:
    """Right from 61 on, but for two."""
    number = int(asked.id)
    return "不知道" if number < 60 or number in {199, 239} else f"架{number}"


def surer_upwards(answer: str, asked: ft.Case) -> float:
    return (int(asked.id) + 1) / 240


def certified(candidate=weak, golden=CASES, **options):
    options = {"scorer": ft.ExactMatch(), "signal": surer_upwards, "store": ":memory:", **options}
    return ft.certify(candidate, golden, **options)


def test_the_oracle_of_two_hundred_and_forty_cases():
    """Computed by another program: threshold 61/240, 180 answered, 2 wrong."""
    found = certified().certificate
    assert (round(found.threshold, 6), found.answered, found.wrong, found.cases) == (0.254167, 180, 2, 240)
    assert str(found).startswith(
        "weak answers 75% itself (180 of 240, 2 wrong; of questions like these 69% to 80%); with 95% confidence at "
        "most 5% of what it answers is wrong, for questions like these, as long as model, prompt and questions stay."
    )
    joint = certified(of="questions").certificate
    assert (round(joint.threshold, 6), joint.answered, joint.wrong) == (0.2375, 184, 6)
    assert "at most 5% of all questions get a wrong answer" in str(joint)


def test_it_answers_where_it_is_sure_and_else_declines_or_passes_on():
    alone, passing = certified(), certified(otherwise=lambda asked: "請洽櫃檯", name="cascade")
    report = ft.Evaluator([ft.ExactMatch()], store=":memory:").run(CASES, candidates=[weak, alone, passing])
    assert report.declined("weak, certified") == 60
    assert (report.declined("weak"), report.declined("cascade")) == (0, 0)
    first, last = (report.results["cascade"][place].attempts[0].answer for place in (0, 238))
    assert (first.text, first.passed_on, last.text, last.passed_on) == ("請洽櫃檯", True, "架238", False)
    assert report.results["weak, certified"][0].attempts[0].answer.text == ""


def test_too_few_cases_are_refused_before_anything_is_asked():
    asked = []
    with pytest.raises(ft.NoCertificateError) as error:
        certified(asked.append, CASES[:58])
    assert str(error.value) == (
        "No certificate: 58 cases cannot show 5%; 59 without an error are the least, about 255 if 60 % are answered "
        "and 1% of those are wrong"
    )
    assert asked == []
    assert certified(lambda asked: asked.expected, CASES[:59]).certificate.share == 1
    with pytest.raises(ft.NoCertificateError, match="28 cases cannot show 10%; 29 without"):
        certified(golden=CASES[:28], error=0.10)


def test_copies_and_groups_count_once_and_the_one_is_drawn():
    copies = [ft.Case(f"{one.id}/{copy}", one.messages, one.expected) for one in CASES[:40] for copy in range(5)]
    with pytest.raises(ft.NoCertificateError, match="40 cases cannot show"):
        certified(lambda asked: asked.expected, copies)
    of_a_customer = [case(number, cluster=f"客戶{number // 2}") for number in range(200)]
    drawn = [{one.id for one in one_of_each(of_a_customer, seed)} for seed in (0, 0, 1)]
    assert len(drawn[0]) == 100
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_has_no_verdict_is_wrong_and_what_has_no_confidence_is_declined():
    def breaks(answer: str, asked: ft.Case) -> float:
        if int(asked.id) % 10 == 9:
            raise RuntimeError("the scorer is ill")
        return 1.0

    with pytest.raises(ft.NoCertificateError, match="24 of 240 are wrong or without a verdict") as error:
        certified(lambda asked: asked.expected, scorer=breaks)
    assert error.value.report.failures

    def unsure(answer: str, asked: ft.Case) -> float | None:
        return None if int(asked.id) < 60 else 1.0

    found = certified(lambda asked: asked.expected, signal=unsure)
    assert (found.certificate.answered, found.certificate.wrong) == (180, 0)


def test_a_signal_never_sees_the_right_answer():
    with pytest.raises(ft.NoCertificateError):
        certified(signal=ft.ExactMatch())  # it would know which answers are right


def test_a_judge_is_no_verdict():
    rubric = ft.Rubric({"正確": 1}, model="gpt-4.1")
    with pytest.raises(TypeError, match="a judge does not tell what is right"):
        certified(scorer=rubric)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"error": 0}, "error is"), ({"confidence": 1.0}, "confidence"), ({"of": "all"}, "of is one of")],
)
def test_what_is_no_promise_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        certified(**wrong)


@pytest.fixture
def service():
    """A model that says something else each time where it does not know: of each third number."""
    drawn = random.Random(7)

    def answer(body):
        said = body["messages"][-1]["content"]
        number = int("".join(str(DIGITS.index(one)) for one in said[2:6]))
        if number % 3:
            return f"架{number}"
        return f"架{drawn.randrange(10_000)}"

    with serving(Service(answer)) as service:
        yield service


def test_agreement_finds_what_a_model_behind_an_api_knows_and_a_rerun_pays_nothing(service, tmp_path):
    model = ft.ChatModel("m", name="clerk", platform=ft.connect(service.url, api_key="k"))
    options = {"scorer": ft.ExactMatch(), "signal": ft.Agreement(k=3), "store": tmp_path / "answers.db"}
    found = ft.certify(model, CASES, **options)
    assert (found.certificate.answered, found.certificate.wrong, found.certificate.signal) == (160, 0, "agreement")
    assert found.certificate.threshold == 1
    asked = len(service.requests)
    assert asked == 240 * 4
    assert sum(body["temperature"] == 0.8 for body in service.requests) == 240 * 3
    assert ft.certify(model, CASES, **options).certificate == found.certificate
    assert len(service.requests) == asked


def test_repeats_are_asked_side_by_side():
    """Of one case: the answer, then five repeats at once, within the concurrency."""
    with serving(Service(lambda body: "架1")) as service:
        model = ft.ChatModel("m", name="clerk", platform=ft.connect(service.url, api_key="k"))
        cases = [ft.Case(c.id, c.messages, "架1") for c in CASES[:60]]
        found = certified(model, cases[:59], signal=ft.Agreement(k=5))
        for most in (8, 3):
            service.seconds, service.most_under_way = 0.2, 0
            run = ft.Evaluator([ft.ExactMatch()], store=":memory:", concurrency=most).run(
                cases[59:], candidates=[found]
            )
            assert run.mean(found.name) == 1
            assert service.most_under_way == min(most, 5)


def test_agreement_is_refused_for_what_cannot_be_asked_again():
    with pytest.raises(ft.EvaluationError, match="Agreement asks a model again"):
        certified(signal=ft.Agreement())


def test_log_probabilities_are_those_of_the_answer(tmp_path):
    """The thought before it is unlikely, each time; the answer is the likelier the larger the number."""

    def thinking(request, told):
        if request.call != "POST /chat/completions":
            return told
        assert request.body["logprobs"] is True
        number = int("".join(str(DIGITS.index(one)) for one in request.body["messages"][-1]["content"][2:6]))
        thought, said = "<think>嗯</think>", f"架{number if number > 60 else 'X'}"
        tokens = [(one, -9.0) for one in thought] + [(one, number / 240 - 1) for one in said]
        logprobs = {"content": [{"token": token, "logprob": value} for token, value in tokens]}
        told["choices"][0] |= {"message": {"role": "assistant", "content": thought + said}, "logprobs": logprobs}
        return told

    with ft.testing.ScriptedPlatform(alter=thinking) as server:
        model = ft.ChatModel("gpt-4.1-mini", platform=server.connect())
        store, signal = tmp_path / "answers.db", ft.LogProbability()
        found = [ft.certify(model, CASES, scorer=ft.ExactMatch(), signal=signal, store=store) for _ in range(2)]
        assert server.count("POST /chat/completions") == 240
    for one in found:  # three errors need 182 answers
        assert (one.certificate.answered, one.certificate.wrong) == (182, 3)
        assert one.certificate.threshold == pytest.approx(58 / 240 - 1)


def test_a_saved_certificate_is_taken_up_and_any_change_voids_it(service, tmp_path):
    platform = ft.connect(service.url, api_key="k")
    model = ft.ChatModel("m", name="clerk", system="只答貨架", platform=platform)
    options = {"scorer": ft.ExactMatch(), "signal": ft.Agreement(k=3)}
    made = ft.certify(model, CASES, **options, store=tmp_path / "answers.db")
    path = made.save(tmp_path / "clerk.json")
    with pytest.raises(FileExistsError):
        made.save(path)
    again = ft.Certified.load(path, candidate=model, **options)
    assert again.certificate == made.certificate
    other_key = ft.ChatModel("m", name="x", system="只答貨架", platform=ft.connect(service.url, api_key="new"))
    assert ft.Certified.load(path, candidate=other_key, **options).certificate == made.certificate
    judged = {"scorer": ft.ExactMatch(), "signal": ft.Rubric("正確", model="j", platform=platform)}
    renewed = {**judged, "signal": ft.Rubric("正確", model="j", platform=ft.connect(service.url, api_key="new"))}
    both = [depends_on(model, one["scorer"], signal_of(one["signal"], one["scorer"], 1.0)) for one in (judged, renewed)]
    assert both[0] == both[1]  # the key of a judge may change as well
    changes = {
        "candidate's system": {"candidate": ft.ChatModel("m", system="別的", platform=platform)},
        "candidate's model": {"candidate": ft.ChatModel("m2", system="只答貨架", platform=platform)},
        "signal": {"signal": ft.Agreement(k=4)},
        "scorer": {"scorer": ft.Contains()},
    }
    for what, change in changes.items():
        with pytest.raises(ft.NoCertificateError, match=rf"void: .*{what}.* changed since 2026-12-01; certify again"):
            ft.Certified.load(path, **{"candidate": model, **options, **change})
    assert "k" not in json.loads(path.read_text())["depends"].values()


def test_other_cases_void_a_certificate_where_they_are_given(tmp_path):
    path = certified().save(tmp_path / "c.json")
    options = {"candidate": weak, "scorer": ft.ExactMatch(), "signal": surer_upwards}
    for same in (CASES, CASES[::-1], [ft.Case(f"x{c.id}", c.messages, c.expected) for c in CASES]):
        assert ft.Certified.load(path, golden=same, **options).certificate.cases == 240
    for other in (CASES[:-1], [*CASES[:-1], case(239, expected="架0")]):
        with pytest.raises(ft.NoCertificateError, match="void: golden set changed since"):
            ft.Certified.load(path, golden=other, **options)


def test_a_report_tells_what_is_answered_and_what_of_that_is_wrong():
    alone, passing = certified(), certified(otherwise=lambda asked: "請洽櫃檯", name="cascade")
    report = ft.Evaluator([ft.ExactMatch()], store=":memory:").run(CASES, candidates=[weak, alone, passing])
    found = report.coverage("weak, certified")
    assert (found.asked, found.answered, found.wrong, found.declined, found.passed_on) == (240, 180, 2, 60, 0)
    # Clopper and Pearson for 180 of 240, as scipy.stats.binomtest has it.
    assert [round(end, 4) for end in found.interval] == [0.6902, 0.8035]
    assert (report.coverage("cascade").declined, report.coverage("cascade").passed_on) == (0, 60)
    assert report.coverage("weak").share == 1
    assert "75 % (180; 69 % – 80 %)" in report.text(lang="en")
    assert "2 (1.1 %)" in report.text(lang="en")
    assert "自己回答中的錯誤" in report.to_html(lang="zh-Hant")
    assert "wrong among its own" in report.to_markdown(lang="en")
    assert "answers itself" not in ft.Evaluator([ft.ExactMatch()], store=":memory:").run(CASES, candidates=[weak]).text(
        lang="en"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no certificate"),
        ("[]", "is no certificate"),
        ('{"certificate": 2}', "later version"),
        ('{"certificate": 1, "error": 0.05}', "no whole certificate"),
    ],
)
def test_a_file_that_is_no_certificate_is_refused(tmp_path, text, said):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ValueError, match=said):
        ft.Certificate.load(tmp_path / "c.json")


@pytest.mark.parametrize(
    "change",
    [{"threshold": "low"}, {"threshold": float("nan")}, {"answered": -5}, {"cases": 0}, {"error": 7}, {"depends": []}],
    ids=str,
)
def test_numbers_that_cannot_be_are_refused(tmp_path, change):
    path = certified().save(tmp_path / "c.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match="numbers that cannot be"):
        ft.Certificate.load(path)


def test_a_promise_is_kept_whatever_the_curve():
    """Of 300 sets with a steep, a flat or a broken curve at most 5 % break it; ten more are chance."""
    broken = 0
    for number in range(300):
        drawn = random.Random(number)
        kind, rows = number % 3, []
        for _ in range(120):
            sure = drawn.random()
            chance = (0.06, 0.3 * (1 - sure), 0.06 if sure > 0.5 else 0.02)[kind]
            rows.append((sure, drawn.random() < chance))
        found = ft.statistics.certified_threshold([sure for sure, _ in rows], [bad for _, bad in rows])
        if found:
            v = found.value
            true = (0.06, 0.3 * (1 - v) / 2, 0.06 if v > 0.5 else (0.06 * 0.5 + 0.02 * (0.5 - v)) / (1 - v))[kind]
            broken += true > 0.05
    assert broken <= 25

"""Platforms that refuse, hang, break off or talk nonsense: the run finishes, and what is missing has its reason."""

from __future__ import annotations

import time

import pytest
from tests.doubles import Outcome, refusal
from tests.evaluation.running.double import completion, fine

import finetune_lib as ft


def reasons(report: ft.Report) -> set[str]:
    return {failure.reason for failure in report.failures}


class Limited:
    """Takes so many calls a second, in a bucket that holds as many; refuses the others at once."""

    def __init__(self, rate: float, *, headers: dict[str, str] | None = None) -> None:
        self.rate, self.headers, self.left, self.then = rate, headers or {}, rate, time.monotonic()

    def __call__(self, call):
        now = time.monotonic()
        self.left = min(self.rate, self.left + (now - self.then) * self.rate)
        self.then = now
        if self.left < 1:
            return refusal(429, "Rate limit reached", headers=self.headers, code="rate_limit_exceeded")
        self.left -= 1
        return fine(call)


@pytest.mark.parametrize("headers", [{}, {"retry-after-ms": "100"}, {"retry-after": "1"}])
def test_a_platform_that_takes_so_many_calls_a_second_gets_about_as_many(double, run, headers):
    double.answer = Limited(60, headers=headers)
    start = time.monotonic()
    report = run(300, concurrency=64)
    assert report.failures == ()
    assert double.statuses[200] == 300
    assert double.statuses[429] < 100
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}, {"retry-after-ms": "20"}])
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_each_question_that_is_refused_twice_is_answered_in_the_end(double, run, hasty, status, headers):
    double.answer = lambda call: refusal(status, headers=headers) if call.times <= 2 else fine(call)
    assert run(100, concurrency=32).failures == ()


@pytest.mark.parametrize("status", [429, 503])
def test_a_storm_that_asks_for_no_patience_passes(double, run, status):
    start = time.monotonic()
    now = refusal(status, headers={"retry-after": "0"})
    double.answer = lambda call: now if time.monotonic() - start < 3 else fine(call)
    assert run(40, concurrency=16).failures == ()
    assert sum(double.statuses.values()) < 300


@pytest.mark.parametrize("status", [429, 503])
def test_a_storm_at_the_beginning_passes(double, run, hasty, status):
    double.answer = lambda call: refusal(status) if call.number <= 60 else fine(call)
    assert run(40, concurrency=16).failures == ()


def test_every_third_call_that_breaks_off_is_made_again(double, run, hasty):
    double.answer = lambda call: Outcome(cut=True) if call.number % 3 == 0 else fine(call)
    assert run(60).failures == ()
    assert double.paid_twice == 0


def test_a_call_that_hangs_is_given_up_and_made_again(double, run, hasty):
    double.answer = lambda call: Outcome(seconds=600) if call.times == 1 and call.number % 5 == 0 else fine(call)
    start = time.monotonic()
    assert run(20, timeout=1).failures == ()
    assert time.monotonic() - start < 60


def test_a_question_that_always_hangs_is_missing_and_says_so(double, run, hasty):
    double.answer = lambda call: Outcome(seconds=600) if "Question 3:" in call.question else fine(call)
    report = run(10, timeout=1)
    assert [failure.case for failure in report.failures] == ["3"]
    assert "within 1 s" in report.failures[0].reason
    assert len(double.asked) == 9 + 3


NONSENSE = [
    b"",
    b"<html><body>Bad gateway</body></html>",
    b'{"choices": [',
    b"[1]",
    b"null",
    b"{}",
    b'{"choices": []}',
    b'{"choices": null}',
    b'{"choices": [{"index": 0, "message": null}]}',
    b'{"choices": [{"index": 0}]}',
    b'{"error": {"message": "upstream overloaded"}}',
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("body", NONSENSE)
def test_what_is_no_completion_is_asked_again_and_then_missing(double, run, hasty, body):
    double.answer = lambda call: Outcome(body=body) if "Question 3:" in call.question else fine(call)
    report = run(10)
    assert [failure.case for failure in report.failures] == ["3"]
    assert "PlatformError" in report.failures[0].reason
    assert len(double.asked) == 9 + 3


def test_an_error_inside_an_answer_is_told_in_the_platforms_words(double, run, hasty):
    double.answer = lambda call: Outcome(body=NONSENSE[-2]) if "Question 3:" in call.question else fine(call)
    assert "upstream overloaded" in run(10).failures[0].reason


def test_nonsense_that_passes_leaves_nothing_missing(double, run, hasty):
    double.answer = lambda call: Outcome(body=b"<html>") if call.times == 1 else fine(call)
    assert run(20).failures == ()


def test_a_place_that_speaks_no_completions_is_left_soon(double, run, hasty):
    double.answer = lambda _: Outcome(body=b"<html>Welcome!</html>", headers={"content-type": "text/html"})
    with pytest.raises(ft.EvaluationError, match="Welcome"):
        run(2000, concurrency=8)
    assert len(double.asked) <= 3 * 8 * 2


def test_a_platform_that_is_down_is_left_soon(run, hasty):
    nobody = ft.connect("http://127.0.0.1:9/v1", api_key="k")
    start = time.monotonic()
    with pytest.raises(ft.EvaluationError, match=r"no answer from 127\.0\.0\.1"):
        run(2000, platform=nobody)
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, {"message": "Incorrect API key provided", "code": "invalid_api_key"}),
        (403, {"message": "Not allowed in your country"}),
        (404, {"message": "The model does not exist", "code": "model_not_found"}),
        (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}),
    ],
)
def test_what_every_call_would_meet_ends_the_run_at_once(double, run, status, error):
    double.answer = lambda _: refusal(status, **error)
    start = time.monotonic()
    with pytest.raises(ft.EvaluationError, match=error["message"]) as caught:
        run(5000, concurrency=16)
    assert len(double.asked) <= 16
    assert time.monotonic() - start < 60
    assert len(caught.value.report.failures) == 5000


def test_a_wrong_key_for_one_candidate_leaves_the_others_alone(double, run):
    double.answer = lambda call: refusal(401) if call.body["model"] == "locked" else fine(call)
    report = run(30, candidates=[ft.ChatModel("base"), ft.ChatModel("locked")])
    assert {failure.candidate for failure in report.failures} == {"locked"}
    assert len(report.failures) == 30


def test_a_request_above_every_limit_is_not_made_again(double, run):
    large = refusal(429, "Request too large for base on tokens per min (TPM): Limit 30000", code="rate_limit_exceeded")
    double.answer = lambda call: large if "Question 3:" in call.question else fine(call)
    assert len(run(10).failures) == 1
    assert len(double.asked) == 10


@pytest.mark.parametrize(
    "text", ["", "x" * 5_000_000, "half \ud83d of a pair", "\x00\u2028</script>", "行李" * 100_000]
)
def test_strange_texts_are_answers(double, run, text):
    double.answer = lambda call: Outcome(body=completion(call.body, text))
    for _ in range(2):
        assert run(2).results["base"][0].answer.text == text
    assert len(double.asked) == 2


def test_an_answer_may_be_null_a_refusal_or_a_list_of_parts(double, run):
    told = [
        {"content": None},
        {"content": None, "refusal": "I will not."},
        {"content": [{"type": "text", "text": "4"}, {"type": "text", "text": "2"}]},
        {
            "content": None,
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}],
        },
    ]
    double.answer = lambda call: Outcome(body=completion(call.body, "", **told[call.number - 1]))
    report = run(4, concurrency=1)
    answers = [result.answer for result in report.results["base"]]
    assert [answer.text for answer in answers] == ["", "I will not.", "42", ""]
    assert answers[3].tool_calls[0].arguments == '{"x": 1}'


def test_half_a_character_in_a_question_reaches_the_platform(double, run):
    case = ft.Case("1", (ft.Message(role="user", content="half \ud83d"),), "42")
    report = ft.Evaluator([ft.Contains()], platform=ft.connect(double.url, api_key="k"), store=":memory:").run(
        [case], candidates=[ft.ChatModel("base")]
    )
    assert double.bodies[0]["messages"][0]["content"] == "half \ud83d"
    assert report.failures == ()


def test_fields_that_the_client_does_not_know_are_sent(double, run):
    run(1, candidates=[ft.ChatModel("base", options={"top_k": 5, "chat_template_kwargs": {"thinking": False}})])
    assert double.bodies[0]["top_k"] == 5
    assert double.bodies[0]["chat_template_kwargs"] == {"thinking": False}

"""Reports of evaluations, built by hand so that every number on a page is known beforehand."""

from collections.abc import Callable, Sequence
from functools import cache

from finetune_lib.evaluation.judges import Judgment
from finetune_lib.evaluation.report import Report, RunRecord
from finetune_lib.evaluation.report.results import Attempt, Result
from finetune_lib.evaluation.review.vote import Vote
from finetune_lib.evaluation.review.votes import Votes
from finetune_lib.records import Answer, Case, Message, Score, ToolCall, Usage

OWNED = "document.title='owned'"
HOSTILE = (
    f'</script><script>{OWNED}</script><img src=http://127.0.0.1:9/x onerror="{OWNED}"><svg onload="{OWNED}"> '
    f'<a href="javascript:{OWNED}">x</a> [y](javascript:{OWNED}) ![z](http://127.0.0.1:9/z) '
    "<!-- --> ]]> \u2028 \u202egnp.exe\u202c | `c` @all #1 $x$ \\"
)
CATEGORIES = ("行李", "退稅", "交通")
CASES = 24


def always(_: int) -> bool:
    return True


def never(_: int) -> bool:
    return False


def case(number: int, question: str = "", **more) -> Case:
    said = question or f"第 {number} 個問題：行李箱可以帶幾公斤？"
    messages = (Message(role="system", content="你是機場客服。"), Message(role="user", content=said))
    return Case(f"q{number}", messages, f"第 {number} 題的答案是 20 公斤。", CATEGORIES[number % 3], **more)


def result(text: str, score: float | None, *, seconds: float = 0.5, cost: float | None = 0.001, **more) -> Result:
    answer = Answer(text, usage=Usage(100, 20), seconds=seconds, cost=cost, **more)
    scores = {} if score is None else {"correct": Score(score, reason="數字相符" if score else "數字不符")}
    return Result((Attempt(answer, scores),))


def failed(reason: str) -> Result:
    return Result((Attempt(Answer(error=reason)),))


def report(
    candidates: Sequence[str] = ("base", "tuned", "rag"),
    right: Sequence[Callable[[int], bool]] = (lambda n: n % 4 == 0, lambda n: n != 5, lambda n: n % 2 == 0),
    **more,
) -> Report:
    """24 cases: base has 6 right, tuned 23, rag 12."""
    cases = tuple(case(n) for n in range(CASES))
    results = {
        name: tuple(
            result(f"{name} 說 {n}：{20 if is_right(n) else 35} 公斤。", float(is_right(n))) for n in range(CASES)
        )
        for name, is_right in zip(candidates, right, strict=True)
    }
    return Report(cases, tuple(candidates), ("correct",), results, **more)


@cache
def rich() -> Report:
    """All that a page can show: hostile texts, failures, labels, judgments, votes, calls, sources, attempts."""
    plain = report()
    cases = list(plain.cases)
    cases[1] = case(1, HOSTILE, cluster=HOSTILE)
    cases[2] = case(2, expected_calls=(ToolCall("book", '{"bag": 1}'),))
    results = {name: list(found) for name, found in plain.results.items()}
    results["base"][1] = result(HOSTILE, 0.0)
    results["rag"][2] = result("", 1.0, tool_calls=(ToolCall("book", '{"bag":1}'),))
    results["rag"][3] = failed(f"TimeoutError: no answer in 60 s {HOSTILE}")
    results["rag"][4] = result("很長" * 20_000, 1.0, finish_reason="length", sources=("旅客須知第 4 條", HOSTILE))
    results["tuned"][6] = Result(tuple(result(f"第 {n} 次", float(n != 2), seconds=n).attempts[0] for n in (1, 2, 3)))
    labelled = {
        name: tuple(with_label(one, cases[n]) for n, one in enumerate(found)) for name, found in results.items()
    }
    run = RunRecord(
        id="eval-1", started=1_790_000_000, seconds=12.3, golden="abc", models={"tuned": "ft:m:org::1"}, paid_calls=72,
        reused=3, usd=0.07, job="ftjob-1", training_file="file-1", training_usd=2.0,
    )  # fmt: skip
    return Report(
        tuple(cases), plain.candidates, ("correct", "intent"), labelled, judgments=judgments(), votes=votes(),
        contaminated=frozenset({"q7"}), signatures={"correct": "exact|v:1"}, run=run,
    )  # fmt: skip


def with_label(found: Result, given: Case) -> Result:
    """The same with a label, which is wrong for every fifth case."""
    target, number = given.category or "", int(given.id[1:])
    label = CATEGORIES[(number + (number % 5 == 0)) % 3]
    attempts = (
        a
        if a.answer.error
        else Attempt(a.answer, {**a.scores, "intent": Score(label == target, label=label, target=target)})
        for a in found.attempts
    )
    return Result(tuple(attempts))


def judgments() -> tuple[Judgment, ...]:
    """In both orders: tuned is better but for each fourth case; one call failed."""
    found = []
    for n in range(CASES):
        for first in (True, False):
            level = "tie" if n % 4 == 0 else "first_much_better" if first else "second_slightly_better"
            reason = HOSTILE if n == 1 else "答案較正確。"
            found.append(Judgment(f"q{n}", "tuned", "base", "gpt", first, level=level, reason=reason))
    found[-1] = Judgment("q23", "tuned", "base", "gpt", False, error="UnreadableAnswerError: no verdict")
    return tuple(found)


def votes() -> Votes:
    """Two experts, of whom one wrote something that wants to run."""
    given = [
        Vote(rater, f"q{n}", left="base", right=name, choice="right_much" if n % 4 else "same", comment=comment)
        for rater, comment in (("Lin", ""), ("Chen", HOSTILE))
        for name in ("tuned", "rag")
        for n in range(8)
    ]
    return Votes("0" * 24, ("Lin", "Chen"), tuple(given))


def many(number: int, candidates: int) -> Report:
    """A large report."""
    names = tuple(f"model-{n}" for n in range(candidates))
    cases = tuple(case(n, f"第 {n} 個問題：" + "登機門怎麼走？" * 10) for n in range(number))
    results = {
        name: tuple(result(f"往左走 {n} 公尺。" * 40, float((n * 7 + place) % 5 > 1)) for n in range(number))
        for place, name in enumerate(names)
    }
    return Report(cases, names, ("correct",), results)
